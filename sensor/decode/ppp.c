/* PPP (RFC 1661, RFC 1662), PPPoE (RFC 2516), Cisco HDLC. */
#include "decode/layers.h"

int layer_by_ppp_protocol(struct walk *w, uint16_t protocol)
{
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    switch (protocol) {
    case 0x0021:
    case 0x0057:
        return walk_to(w, layer_ip);
    case 0x0281:
    case 0x0283:
        return walk_to(w, layer_mpls);
    case 0x0031: /* bridged: flags, MAC type 1 is Ethernet (RFC 3518) */
        return (cursor_u16(&w->c) & 0xff) == 1 ? walk_to(w, layer_ethernet) : walk_unsupported(w);
    default:
        return walk_unsupported(w);
    }
}

/* The protocol field may be compressed to one octet, an odd one (RFC 1661 6.5). */
static uint16_t protocol_field(struct cursor *c)
{
    uint8_t first = cursor_u8(c);

    return first & 1 ? first : (uint16_t)(first << 8 | cursor_u8(c));
}

/* With or without the address and control octets of HDLC. */
int layer_ppp(struct walk *w)
{
    struct cursor look = w->c;

    if (cursor_u16(&look) == 0xff03)
        w->c = look;
    return layer_by_ppp_protocol(w, protocol_field(&w->c));
}

int layer_chdlc(struct walk *w)
{
    uint16_t type;

    cursor_skip(&w->c, 2);
    type = cursor_u16(&w->c);
    return cursor_ok(&w->c) ? layer_by_ethertype(w, type) : walk_short(w, IN_LINK);
}

/* A serial line carries either; Cisco's begins with 0x0f (unicast) or 0x8f (broadcast). */
int layer_ppp_serial(struct walk *w)
{
    struct cursor look = w->c;
    uint8_t first = cursor_u8(&look);

    return walk_to(w, first == 0x0f || first == 0x8f ? layer_chdlc : layer_ppp);
}

int layer_pppoe(struct walk *w)
{
    uint8_t version = cursor_u8(&w->c);
    uint8_t code = cursor_u8(&w->c);
    uint16_t length;

    cursor_skip(&w->c, 2);
    length = cursor_u16(&w->c);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (version != 0x11)
        return walk_malformed(w, IN_LINK);
    if (code != 0)
        return walk_unsupported(w);
    if (length < w->c.left)
        walk_limit(w, length);
    return walk_to(w, layer_ppp);
}
