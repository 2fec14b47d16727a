/* What a capture thread leaves out when it, or the engine behind it, cannot keep up: step by step
 * the least useful (decode/glance.h), and back when there has been room for a while. Plain memory,
 * zeroed. */
#ifndef SEALDNS_ENGINE_SHED_H
#define SEALDNS_ENGINE_SHED_H

#include <stdbool.h>

#include "base/time.h"
#include "decode/glance.h"

#define SHED_FULL 500            /* thousandths of a ring from which on a step is taken */
#define SHED_ROOM 100            /* ... and below which there is room again */
#define SHED_STEP (50 * NSEC_MS) /* from one step to the next */
#define SHED_CALM (2 * NSEC_S)   /* of room, before a step back */
#define SHED_MOST (32 * NSEC_S)  /* as long is waited where the last step back was too early */

struct shed {
    enum glance level; /* frames up to this are left out */
    nsec_t raised, calm, lowered, patience;
};

/* fill: of the fuller ring, in thousandths; lost: something was lost since the last look. True:
 * the level is another. */
bool shed_look(struct shed *s, unsigned fill, bool lost, nsec_t now);

/* How full the kernel's ring is, told from what it received and what was read. */
struct backlog {
    uint64_t read;  /* frames, by the thread */
    uint64_t ahead; /* frames that were counted and not read when nothing waited */
};

/* received: all that the kernel put into the ring so far. drained: the last read left nothing.
 * size: octets of ring that a frame takes. */
unsigned backlog_fill(struct backlog *b, uint64_t received, bool drained, uint64_t size,
                      uint64_t ring);

#endif
