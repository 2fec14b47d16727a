/* Ethernet, its tags, LLC and SNAP, and the table of ethertypes. */
#include "decode/layers.h"

enum { LENGTH_MAX = 1500 }; /* IEEE 802.3 3.2.6: up to here the field is a length */

int layer_ethernet(struct walk *w)
{
    const uint8_t *stations = cursor_take(&w->c, 12);
    uint16_t type;

    if (stations) {
        w->out->dst_station = (uint64_t)load16(stations) << 32 | load32(stations + 2);
        w->out->src_station = (uint64_t)load16(stations + 6) << 32 | load32(stations + 8);
    }
    type = cursor_u16(&w->c);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (type > LENGTH_MAX)
        return layer_by_ethertype(w, type);
    if (type < w->c.left)
        walk_limit(w, type);
    return walk_to(w, layer_llc);
}

/* 802.1Q, 802.1ad: the innermost tag's VLAN counts. */
static int layer_vlan(struct walk *w)
{
    uint16_t control = cursor_u16(&w->c);
    uint16_t type = cursor_u16(&w->c);

    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    w->out->vlan = control & 0xfff;
    return type > LENGTH_MAX ? layer_by_ethertype(w, type) : walk_to(w, layer_llc);
}

/* A tag of so many octets before the next ethertype. */
static int tag(struct walk *w, size_t octets)
{
    uint16_t type;

    cursor_skip(&w->c, octets);
    type = cursor_u16(&w->c);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    return layer_by_ethertype(w, type);
}

static int layer_vntag(struct walk *w)
{
    return tag(w, 4);
}

static int layer_cisco_metadata(struct walk *w)
{
    return tag(w, 6);
}

/* 802.1ah: the I-tag, then the customer's frame. */
static int layer_itag(struct walk *w)
{
    if (!cursor_skip(&w->c, 4))
        return walk_short(w, IN_LINK);
    return walk_to(w, layer_ethernet);
}

static int layer_teb(struct walk *w)
{
    return walk_to(w, layer_ethernet);
}

/* IEEE 802.2: SNAP with an ethertype (RFC 1042), or IP's own SAP. */
int layer_llc(struct walk *w)
{
    uint8_t dsap = cursor_u8(&w->c);
    uint8_t ssap = cursor_u8(&w->c);
    uint8_t control = cursor_u8(&w->c);

    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (control != 0x03)
        return walk_unsupported(w);
    if (dsap == 0x06 && ssap == 0x06)
        return walk_to(w, layer_ip);
    if (dsap != 0xaa || ssap != 0xaa)
        return walk_unsupported(w);
    return tag(w, 3);
}

/* WCCP redirects a packet in GRE, version 2 with four octets before it (RFC 2784, WCCPv2 draft). */
static int layer_wccp(struct walk *w)
{
    struct cursor look = w->c;

    if (cursor_u8(&look) >> 4 != 4)
        cursor_skip(&w->c, 4);
    return cursor_ok(&w->c) ? walk_to(w, layer_ip) : walk_short(w, IN_TUNNEL);
}

static const struct {
    uint16_t type;
    layer_fn layer;
} types[] = {
    {0x0800, layer_ip},
    {0x86dd, layer_ip},
    {0x8100, layer_vlan},
    {0x88a8, layer_vlan},
    {0x9100, layer_vlan},
    {0x9200, layer_vlan},
    {0x8864, layer_pppoe},
    {0x8847, layer_mpls},
    {0x8848, layer_mpls},
    {0x880b, layer_ppp},
    {0x6558, layer_teb},
    {0x88be, layer_erspan1},
    {0x22eb, layer_erspan},
    {0x894f, layer_nsh},
    {0x88e7, layer_itag},
    {0x8926, layer_vntag},
    {0x8909, layer_cisco_metadata},
    {0x8870, layer_llc},
    {0x883e, layer_wccp},
};

layer_fn ethertype_layer(uint16_t ethertype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == ethertype)
            return types[i].layer;
    return NULL;
}

int layer_by_ethertype(struct walk *w, uint16_t ethertype)
{
    layer_fn layer = ethertype_layer(ethertype);

    return layer ? walk_to(w, layer) : walk_unsupported(w);
}

/* Content that names no type, as of an MPLS path: IP by its version, a pseudowire's control word
 * (RFC 4385: it begins with 0) before Ethernet, or Ethernet. */
int layer_guess(struct walk *w)
{
    struct cursor look = w->c;
    uint8_t first = cursor_u8(&look);

    if (!cursor_ok(&look))
        return walk_short(w, IN_TUNNEL);
    if (first >> 4 == 4 || first >> 4 == 6)
        return walk_to(w, layer_ip);
    if (first >> 4 == 0)
        cursor_skip(&w->c, 4);
    return cursor_ok(&w->c) ? walk_to(w, layer_ethernet) : walk_short(w, IN_TUNNEL);
}
