/* Tunnels in UDP. A port alone does not make one, since a client may use any as its own: what does
 * not look like the tunnel's header stays a UDP datagram. */
#include "decode/layers.h"

enum { GTP_HEADER = 8, GTP_FLAGS_MORE = 0x07, GTP_EXTENSION = 0x04, GTP_G_PDU = 255 };

/* 3GPP TS 29.281 5.1: version 1, protocol type GTP, the message that carries a user's packet. */
static bool looks_like_gtp(struct cursor c)
{
    const uint8_t *h = cursor_take(&c, GTP_HEADER);

    return h && h[0] >> 4 == 3 && h[1] == GTP_G_PDU;
}

static void skip_gtp_extensions(struct cursor *c, uint8_t next)
{
    enum { EXTENSIONS_MAX = 16 };

    for (int i = 0; next != 0 && cursor_ok(c); i++) {
        uint8_t words = cursor_u8(c);

        if (words == 0 || i == EXTENSIONS_MAX) {
            c->failed = true;
            return;
        }
        cursor_skip(c, words * 4U - 2);
        next = cursor_u8(c);
    }
}

/* The endpoint identifier differs by direction: it does not name the tunnel. */
static int layer_gtp(struct walk *w)
{
    const uint8_t *h = cursor_take(&w->c, GTP_HEADER);

    if (h && h[0] & GTP_FLAGS_MORE) {
        uint8_t next;

        cursor_skip(&w->c, 3);
        next = cursor_u8(&w->c);
        if (h[0] & GTP_EXTENSION)
            skip_gtp_extensions(&w->c, next);
    }
    return cursor_ok(&w->c) ? walk_to(w, layer_ip) : walk_short(w, IN_TUNNEL);
}

/* RFC 4380 5.1.1: an authentication and an origin indication may stand before the IPv6 packet. */
static void skip_teredo_indications(struct cursor *c)
{
    struct cursor look = *c;

    if (cursor_u16(&look) == 1) {
        uint8_t identifier = cursor_u8(&look);
        uint8_t authentication = cursor_u8(&look);

        cursor_skip(&look, identifier + authentication + 9U);
        *c = look;
    }
    look = *c;
    if (cursor_u16(&look) == 0) {
        cursor_skip(&look, 6);
        *c = look;
    }
}

static bool looks_like_teredo(struct cursor c)
{
    skip_teredo_indications(&c);
    return c.left >= 40 && cursor_u8(&c) >> 4 == 6 && cursor_ok(&c);
}

static int layer_teredo(struct walk *w)
{
    skip_teredo_indications(&w->c);
    return walk_to(w, layer_ip);
}

/* RFC 2661 3.1: a data message of version 2. */
static void skip_l2tp(struct cursor *c)
{
    enum { LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200, CONTROL_RESERVED_VERSION = 0xb4ff };
    uint16_t flags = cursor_u16(c);

    if ((flags & CONTROL_RESERVED_VERSION) != 2)
        c->failed = true;
    cursor_skip(c, (flags & LENGTH ? 2U : 0U) + 4U + (flags & SEQUENCE ? 4U : 0U));
    if (flags & OFFSET)
        cursor_skip(c, cursor_u16(c));
}

/* The flags are too little to tell it from a DNS message: PPP with IP must follow. */
static bool looks_like_l2tp(struct cursor c)
{
    uint16_t protocol;

    skip_l2tp(&c);
    protocol = cursor_u16(&c);
    if (protocol == 0xff03)
        protocol = cursor_u16(&c);
    return cursor_ok(&c) && (protocol == 0x0021 || protocol == 0x0057);
}

static int layer_l2tp(struct walk *w)
{
    skip_l2tp(&w->c);
    return cursor_ok(&w->c) ? walk_to(w, layer_ppp) : walk_short(w, IN_TUNNEL);
}

/* RFC 8086 */
static bool looks_like_gre(struct cursor c)
{
    uint16_t flags = cursor_u16(&c);
    uint16_t protocol = cursor_u16(&c);

    return cursor_ok(&c) && (flags & 0x4fff) == 0 && ethertype_layer(protocol);
}

/* RFC 7510: as no type is told, only a short stack over IP is taken. */
static bool looks_like_mpls(struct cursor c)
{
    uint32_t entry = 0;

    for (int i = 0; i < 4 && !(entry & 0x100) && cursor_ok(&c); i++)
        entry = cursor_u32(&c);
    uint8_t version = cursor_u8(&c) >> 4;

    return cursor_ok(&c) && entry & 0x100 && (version == 4 || version == 6);
}

static const struct {
    uint16_t port;
    bool (*looks)(struct cursor c);
    layer_fn layer;
} tunnels[] = {
    {1701, looks_like_l2tp, layer_l2tp},     {2152, looks_like_gtp, layer_gtp},
    {3544, looks_like_teredo, layer_teredo}, {4754, looks_like_gre, layer_gre},
    {4789, looks_like_vxlan, layer_vxlan},   {4790, looks_like_vxlan_gpe, layer_vxlan_gpe},
    {6081, looks_like_geneve, layer_geneve}, {6635, looks_like_mpls, layer_mpls},
    {8472, looks_like_vxlan, layer_vxlan},
};

/* The port may be the source's. A query to port 53 is none, though: its sender chooses the id and
 * the source port, and could dress it up to be overlooked. */
layer_fn udp_tunnel(uint16_t sport, uint16_t dport, struct cursor payload)
{
    enum { LOWEST = 1701, HIGHEST = 8472, DNS = 53 };
    bool source = sport >= LOWEST && sport <= HIGHEST, target = dport >= LOWEST && dport <= HIGHEST;

    if ((!source && !target) || dport == DNS)
        return NULL;
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
        if ((dport == tunnels[i].port || sport == tunnels[i].port) && tunnels[i].looks(payload))
            return tunnels[i].layer;
    return NULL;
}
