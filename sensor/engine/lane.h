/* A lane: one capture thread, its share of an interface, and what that thread alone touches. */
#ifndef SEALDNS_ENGINE_LANE_H
#define SEALDNS_ENGINE_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/merge.h"
#include "engine/pipeline.h"
#include "engine/sensor.h"
#include "engine/shed.h"

#define LANE_LAG  (20 * NSEC_MS)  /* packets may stand so long in the capture's ring */
#define LANE_SHOW (100 * NSEC_MS) /* how often the board is written */

struct lane {
    struct wiring *wiring;
    const atomic_bool *stop;
    struct merge_source *told; /* where the engine reads */
    size_t number;
    struct capture *capture;
    struct front *front;
    pthread_t thread;
    bool started;
    nsec_t packet_time, shown, looked;
    struct capture_counters seen; /* at the last look */
    struct backlog backlog;
    struct shed shed;
    uint64_t ring; /* octets of the kernel's */
    uint64_t lost; /* frames and observations, so far */
    _Atomic(const struct policy *) wanted, used;
};

/* What the thread works with, before privileges are given up. wiring and number are set. SD_EMEM.
 */
int lane_make(struct lane *l, const struct policy *policy, uint64_t seed);
/* Confined, as the thread will be. SD_EMEM: no thread. */
int lane_start(struct lane *l);
/* Waits for the thread to end; *stop is set. */
void lane_join(struct lane *l);
void lane_finish(struct lane *l);

/* Words that one thread shows to others, and that each may read while they are written. */
void lane_show(void *to, const void *from, size_t size);

#endif
