/* The observations of several capture threads, in the order of their time as far as it can be
 * known: a failure over DNS over TLS and the query in clear text that follows it may have come
 * through two of them. With one thread nothing waits. */
#ifndef SEALDNS_ENGINE_MERGE_H
#define SEALDNS_ENGINE_MERGE_H

#include <stdatomic.h>

#include "base/ring.h"
#include "engine/sensor.h"
#include "model/observation.h"

/* How long an observation waits for an older one of a thread that is not behind: what a frame may
 * stand in the capture's ring (capture/live.c; a jiffy of 4 ms before Linux 6.18), and a little. */
#define MERGE_HOLD (5 * NSEC_MS)
/* ... of a thread that is. */
#define MERGE_HOLD_BEHIND (200 * NSEC_MS)

struct merge_source {
    struct ring *ring;
    /* Written by the capture thread: the time of the last packet it has read while others wait
     * behind it; 0: none does. */
    _Atomic nsec_t behind;
};

/* Plain memory; zero it, and set sources and count. */
struct merge {
    struct merge_source source[MOST_LANES];
    size_t count;
    size_t at;    /* the source that had the oldest */
    nsec_t until; /* what it has is due and the oldest, as far as it is not later than this */
};

/* The oldest that is due, in place until merge_take(); NULL: there is none. now INT64_MAX: nothing
 * more will come, so all is due. */
const struct observation *merge_next(struct merge *m, nsec_t now);
void merge_take(struct merge *m);
/* After merge_next() gave NULL: how long until one may be due, MERGE_HOLD at most; -1: there is
 * none. */
nsec_t merge_wait(struct merge *m, nsec_t now);

#endif
