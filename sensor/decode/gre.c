/* GRE (RFC 2784, RFC 2890), PPTP's version 1 of it (RFC 2637), EoIP, and ERSPAN inside. */
#include "decode/layers.h"

enum {
    CHECKSUM = 0x8000,
    ROUTING = 0x4000,
    KEY = 0x2000,
    SEQUENCE = 0x1000,
    ACKNOWLEDGMENT = 0x0080,
    VERSION = 0x0007
};

enum { PPP = 0x880b, ERSPAN = 0x88be, EOIP = 0x6400 };

/* The call id in the key differs by direction: it does not name the tunnel. */
static int pptp(struct walk *w, uint16_t flags, uint16_t protocol)
{
    cursor_skip(&w->c, (flags & KEY ? 4U : 0U) + (flags & SEQUENCE ? 4U : 0U) +
                           (flags & ACKNOWLEDGMENT ? 4U : 0U));
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TUNNEL);
    if (protocol != PPP || w->c.left == 0)
        return walk_unsupported(w);
    return walk_to(w, layer_ppp);
}

/* MikroTik's: the key is a length and the tunnel's number, the latter little-endian. */
static int eoip(struct walk *w)
{
    cursor_skip(&w->c, 2);
    w->out->tunnel = __builtin_bswap16(cursor_u16(&w->c));
    return cursor_ok(&w->c) ? walk_to(w, layer_ethernet) : walk_short(w, IN_TUNNEL);
}

int layer_gre(struct walk *w)
{
    uint16_t flags = cursor_u16(&w->c);
    uint16_t protocol = cursor_u16(&w->c);

    if (cursor_ok(&w->c) && flags == (KEY | 1) && protocol == EOIP)
        return eoip(w);
    if (cursor_ok(&w->c) && (flags & VERSION) == 1)
        return pptp(w, flags, protocol);
    if (cursor_ok(&w->c) && ((flags & VERSION) != 0 || flags & ROUTING))
        return walk_unsupported(w);
    if (flags & CHECKSUM)
        cursor_skip(&w->c, 4);
    if (flags & KEY)
        w->out->tunnel = cursor_u32(&w->c);
    if (flags & SEQUENCE)
        cursor_skip(&w->c, 4);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TUNNEL);
    if (protocol == ERSPAN && flags & SEQUENCE)
        return walk_to(w, layer_erspan);
    return layer_by_ethertype(w, protocol);
}

/* Type I has no header of its own. */
int layer_erspan1(struct walk *w)
{
    return walk_to(w, layer_ethernet);
}

/* Types II (version 1) and III (version 2, with an optional subheader); both tell the VLAN that
 * the mirrored frame came from. The sessions of the two directions may differ. */
int layer_erspan(struct walk *w)
{
    enum { SUBHEADER = 1 };
    uint16_t first = cursor_u16(&w->c);

    cursor_skip(&w->c, 6);
    if (first >> 12 == 2) {
        cursor_skip(&w->c, 2);
        if (cursor_u16(&w->c) & SUBHEADER)
            cursor_skip(&w->c, 8);
    }
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TUNNEL);
    if (first >> 12 != 1 && first >> 12 != 2)
        return walk_malformed(w, IN_TUNNEL);
    w->out->vlan = first & 0xfff;
    return walk_to(w, layer_ethernet);
}
