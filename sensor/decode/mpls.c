/* MPLS label stack (RFC 3032). The labels differ by direction: they do not name a tunnel. */
#include "decode/layers.h"

int layer_mpls(struct walk *w)
{
    enum { LABELS_MAX = 16, BOTTOM = 0x100 };
    uint32_t entry = 0;

    for (int i = 0; i < LABELS_MAX && cursor_ok(&w->c) && !(entry & BOTTOM); i++)
        entry = cursor_u32(&w->c);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TUNNEL);
    if (!(entry & BOTTOM))
        return walk_malformed(w, IN_TUNNEL);
    return walk_to(w, layer_guess);
}
