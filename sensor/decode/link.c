/* Link types that are no more than a few octets before an ethertype or an IP header, and the table
 * of all link types. https://www.tcpdump.org/linktypes.html */
#include "decode/layers.h"

/* Linux cooked capture: the protocol is an ethertype, or 4 for 802.2 LLC. */
static int cooked(struct walk *w, uint16_t protocol)
{
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (protocol == 4)
        return walk_to(w, layer_llc);
    return layer_by_ethertype(w, protocol);
}

static int layer_cooked1(struct walk *w)
{
    cursor_skip(&w->c, 14);
    return cooked(w, cursor_u16(&w->c));
}

static int layer_cooked2(struct walk *w)
{
    uint16_t protocol = cursor_u16(&w->c);

    cursor_skip(&w->c, 18);
    return cooked(w, protocol);
}

/* BSD loopback: an address family in the byte order of the capturing host; each system has its own
 * number for IPv6. Both orders are below 2^16 only one way round. */
static int layer_null(struct walk *w)
{
    uint32_t family = cursor_u32(&w->c);

    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2:
    case 10:
    case 24:
    case 28:
    case 30:
        return walk_to(w, layer_ip);
    default:
        return walk_unsupported(w);
    }
}

/* FDDI as libpcap gives it: frame control and two addresses; LLC in the frames of type LLC. */
static int layer_fddi(struct walk *w)
{
    uint8_t control = cursor_u8(&w->c);

    cursor_skip(&w->c, 12);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    return (control & 0xf0) == 0x50 ? walk_to(w, layer_llc) : walk_unsupported(w);
}

/* ARCNET with Linux' headers: source, destination, offset, type; RFC 1201 puts a split flag and a
 * sequence number behind it, RFC 1051 (types 240, 241) does not. */
static int layer_arcnet(struct walk *w)
{
    uint8_t type;

    cursor_skip(&w->c, 4);
    type = cursor_u8(&w->c);
    if (type == 212 || type == 196)
        cursor_skip(&w->c, 3);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    return type == 240 || type == 212 || type == 196 ? walk_to(w, layer_ip) : walk_unsupported(w);
}

/* Two octets in the capturing host's order, which here is always little-endian. */
static uint16_t little16(struct cursor *c)
{
    return __builtin_bswap16(cursor_u16(c));
}

static uint32_t little32(struct cursor *c)
{
    return __builtin_bswap32(cursor_u32(c));
}

/* NFLOG: attributes of type and length, padded to four; the payload's is 9. */
static int layer_nflog(struct walk *w)
{
    enum { PAYLOAD = 9 };

    cursor_skip(&w->c, 4);
    while (cursor_ok(&w->c) && w->c.left > 0) {
        uint16_t length = little16(&w->c);
        uint16_t type = little16(&w->c);

        if (length < 4)
            break;
        if (type == PAYLOAD) {
            if (w->missing == 0)
                walk_limit(w, length - 4U);
            return walk_to(w, layer_ip);
        }
        cursor_skip(&w->c, (length - 1U) / 4 * 4);
    }
    return walk_short(w, IN_LINK);
}

/* Apple's PKTAP: a header that names its own length and the link type of what follows. */
static int layer_pktap(struct walk *w)
{
    uint32_t length = little32(&w->c);
    uint32_t record = little32(&w->c);
    uint32_t linktype = little32(&w->c);

    if (cursor_ok(&w->c) && (length < 12 || record != 1 || linktype == 149 || linktype == 258))
        return walk_unsupported(w);
    cursor_skip(&w->c, length - 12);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    return layer_by_linktype(w, (int)(linktype & 0xffff));
}

/* Linux' PPP device: a direction octet in the place of the address. */
static int layer_pppd(struct walk *w)
{
    cursor_skip(&w->c, 2);
    return layer_by_ppp_protocol(w, cursor_u16(&w->c));
}

static const struct {
    int linktype;
    layer_fn layer;
} links[] = {
    {1, layer_ethernet},   {113, layer_cooked1}, {276, layer_cooked2}, {101, layer_ip},
    {12, layer_ip},        {14, layer_ip},       {228, layer_ip},      {229, layer_ip},
    {0, layer_null},       {108, layer_null},    {9, layer_ppp},       {50, layer_ppp_serial},
    {51, layer_pppoe},     {166, layer_pppd},    {104, layer_chdlc},   {10, layer_fddi},
    {129, layer_arcnet},   {239, layer_nflog},   {258, layer_pktap},   {149, layer_pktap},
    {127, layer_radiotap}, {105, layer_wlan},
};

int layer_by_linktype(struct walk *w, int linktype)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].linktype == linktype)
            return walk_to(w, links[i].layer);
    return walk_unsupported(w);
}
