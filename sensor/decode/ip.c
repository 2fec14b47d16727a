/* IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), and the table of IP protocols. */
#include <string.h>

#include "base/error.h"
#include "decode/fragment.h"
#include "decode/layers.h"

/* The content becomes the whole datagram's. */
static int reassemble(struct walk *w, struct fragment *f)
{
    struct packet *out = w->out;

    if (w->missing > 0) {
        w->stats->fragments++;
        w->stats->fragments_dropped++;
        if (f->offset != 0)
            return walk_short(w, IN_IP);
        w->missing = UINT16_MAX; /* the transport's length field knows better */
        return SD_OK;
    }
    f->key.src = out->src;
    f->key.dst = out->dst;
    f->key.network = out->tunnel * 4096 + out->vlan;
    f->bytes = w->c;
    f->time = w->frame->time;
    int result = reassembly_add(w->reassembly, f, w->stats, &w->c, &f->protocol);

    if (result == SD_EMALF)
        return walk_malformed(w, IN_IP);
    return result;
}

static int ipv4_fragment(struct walk *w, uint16_t flags, uint8_t protocol)
{
    enum { MORE = 0x2000, OFFSET = 0x1fff };
    struct fragment f = {
        .key = {.id = w->out->ip_id, .protocol = protocol, .version = 4},
        .offset = (flags & OFFSET) * 8U,
        .more = flags & MORE,
        .protocol = protocol,
    };

    return reassemble(w, &f);
}

static int layer_ipv4(struct walk *w)
{
    enum { HEADER = 20, MORE_OR_OFFSET = 0x3fff };
    const uint8_t *h = cursor_take(&w->c, HEADER);
    size_t header, total;

    if (!h)
        return walk_short(w, IN_IP);
    header = (h[0] & 15) * 4U;
    total = load16(h + 2);
    if (total == 0) /* segmentation was left to the network card */
        total = HEADER + w->c.left + w->missing;
    if (header < HEADER || total < header)
        return walk_malformed(w, IN_IP);
    if (!cursor_skip(&w->c, header - HEADER))
        return walk_short(w, IN_IP);
    walk_limit(w, total - header);
    w->out->src = addr_v4(h + 12);
    w->out->dst = addr_v4(h + 16);
    w->out->ttl = h[8];
    w->out->ip_id = load16(h + 4);
    if (load16(h + 6) & MORE_OR_OFFSET) {
        int result = ipv4_fragment(w, load16(h + 6), h[9]);

        if (result != 0)
            return result;
    }
    return layer_by_ip_protocol(w, h[9]);
}

/* RFC 8200 4.5. Both no offset and no more: nothing to put together (RFC 6946). */
static int ipv6_fragment(struct walk *w, uint8_t *next)
{
    const uint8_t *h = cursor_take(&w->c, 8);
    struct fragment f = {.key = {.version = 6}};
    int result;

    if (!h)
        return walk_short(w, IN_IP);
    *next = h[0];
    if ((load16(h + 2) & 0xfff9) == 0)
        return 0;
    f.key.id = load32(h + 4);
    f.offset = load16(h + 2) & 0xfff8U;
    f.more = h[3] & 1;
    f.protocol = h[0];
    result = reassemble(w, &f);
    *next = f.protocol;
    return result;
}

enum {
    HOP_BY_HOP = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    DESTINATION = 60,
    MOBILITY = 135,
    HIP = 139,
    SHIM6 = 140,
    AUTHENTICATION = 51
};

/* 0: skipped, *next is what follows. 1: this is no extension header. Else an error. */
static int extension(struct walk *w, uint8_t *next)
{
    uint8_t header[2];

    switch (*next) {
    case FRAGMENT:
        return ipv6_fragment(w, next);
    case HOP_BY_HOP:
    case ROUTING:
    case DESTINATION:
    case MOBILITY:
    case HIP:
    case SHIM6:
        break;
    default:
        return 1;
    }
    header[0] = cursor_u8(&w->c);
    header[1] = cursor_u8(&w->c);
    cursor_skip(&w->c, 6 + header[1] * 8U);
    *next = header[0];
    return cursor_ok(&w->c) ? 0 : walk_short(w, IN_IP);
}

static int layer_ipv6(struct walk *w)
{
    enum { EXTENSIONS_MAX = 16 };
    const uint8_t *h = cursor_take(&w->c, 40);
    uint8_t next;
    int result = 0;

    if (!h)
        return walk_short(w, IN_IP);
    if (load16(h + 4) != 0) /* 0: a jumbogram, or segmentation was left to the network card */
        walk_limit(w, load16(h + 4));
    w->out->src = addr_v6(h + 8);
    w->out->dst = addr_v6(h + 24);
    w->out->ttl = h[7];
    w->out->ip_id = 0;
    next = h[6];
    for (int i = 0; i < EXTENSIONS_MAX && result == 0; i++)
        result = extension(w, &next);
    if (result == 0)
        return walk_malformed(w, IN_IP);
    return result == 1 ? layer_by_ip_protocol(w, next) : result;
}

int layer_ip(struct walk *w)
{
    struct cursor look = w->c;
    uint8_t version = cursor_u8(&look) >> 4;

    if (version == 4)
        return layer_ipv4(w);
    if (version == 6)
        return layer_ipv6(w);
    return cursor_ok(&look) ? walk_malformed(w, IN_IP) : walk_short(w, IN_IP);
}

/* RFC 4302: what it covers is readable. */
static int layer_authentication(struct walk *w)
{
    uint8_t next = cursor_u8(&w->c);
    uint8_t words = cursor_u8(&w->c);

    if (!cursor_skip(&w->c, words * 4U + 6))
        return walk_short(w, IN_IP);
    return layer_by_ip_protocol(w, next);
}

/* RFC 3378 */
static int layer_etherip(struct walk *w)
{
    uint16_t version = cursor_u16(&w->c);

    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TUNNEL);
    return version >> 12 == 3 ? walk_to(w, layer_ethernet) : walk_malformed(w, IN_TUNNEL);
}

static const struct {
    layer_fn layer;
    bool tunnel;
} protocols[256] = {
    [IP_PROTO_ICMP] = {layer_icmp, false},
    [IP_PROTO_TCP] = {layer_tcp, false},
    [IP_PROTO_UDP] = {layer_udp, false},
    [IP_PROTO_ICMPV6] = {layer_icmpv6, false},
    [AUTHENTICATION] = {layer_authentication, false},
    [4] = {layer_ip, true},
    [41] = {layer_ip, true},
    [47] = {layer_gre, true},
    [97] = {layer_etherip, true},
    [137] = {layer_mpls, true},
    [143] = {layer_ethernet, true},
};

int layer_by_ip_protocol(struct walk *w, uint8_t protocol)
{
    if (!protocols[protocol].layer)
        return walk_unsupported(w);
    w->out->proto = protocol;
    if (protocols[protocol].tunnel)
        return walk_into(w, protocols[protocol].layer);
    return walk_to(w, protocols[protocol].layer);
}
