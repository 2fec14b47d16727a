/* What most of a stream's items are, in constant memory: the majority vote of Boyer and Moore. The
 * count is exact from when the winner was first taken up, so it may be short, never too large. */
#ifndef SEALDNS_DETECT_DOMINANT_H
#define SEALDNS_DETECT_DOMINANT_H

#include <stdbool.h>
#include <stdint.h>

struct dominant {
    uint64_t item;
    uint32_t votes, same; /* same: how often the item was seen */
};

/* True: the item is another one from here on. */
static inline bool dominant_see(struct dominant *d, uint64_t item)
{
    if (d->votes > 0 && d->item == item) {
        d->votes++;
        d->same++;
        return false;
    }
    if (d->votes > 0) {
        d->votes--;
        return false;
    }
    d->item = item;
    d->votes = d->same = 1;
    return true;
}

#endif
