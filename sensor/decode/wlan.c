/* IEEE 802.11 data frames, as a monitor port gives them. */
#include "decode/layers.h"

int layer_radiotap(struct walk *w)
{
    uint16_t version = cursor_u16(&w->c);
    uint16_t length = __builtin_bswap16(cursor_u16(&w->c));

    if (cursor_ok(&w->c) && (version >> 8 != 0 || length < 8))
        return walk_malformed(w, IN_LINK);
    cursor_skip(&w->c, length - 4U);
    return cursor_ok(&w->c) ? walk_to(w, layer_wlan) : walk_short(w, IN_LINK);
}

/* 9.2.4.1: type 2 is data; bit 2 of the subtype: no data, bit 3: QoS. */
int layer_wlan(struct walk *w)
{
    enum { TO_DS = 1, FROM_DS = 2, PROTECTED = 0x40, ORDER = 0x80 };
    uint8_t control = cursor_u8(&w->c);
    uint8_t flags = cursor_u8(&w->c);
    uint16_t qos = 0;

    if (cursor_ok(&w->c) && ((control & 0x0f) != 0x08 || control & 0x40 || flags & PROTECTED))
        return walk_unsupported(w);
    cursor_skip(&w->c, 22);
    if ((flags & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
        cursor_skip(&w->c, 6);
    if (control & 0x80) {
        qos = cursor_u16(&w->c);
        if (flags & ORDER)
            cursor_skip(&w->c, 4);
    }
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_LINK);
    if (qos & 0x8000) /* an aggregate of several frames */
        return walk_unsupported(w);
    return walk_to(w, layer_llc);
}
