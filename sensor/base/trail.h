/* The trail of what an interface saw last: a ring of frames in shared memory that overwrites its
 * oldest. One writer, which never waits; a reader in another process copies what it wants and
 * notices when the writer was there first. Bound: the bytes it was made with. */
#ifndef SEALDNS_BASE_TRAIL_H
#define SEALDNS_BASE_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/* A frame, and of whom it is: the reader need not look into foreign bytes. */
struct trail_frame {
    nsec_t time;
    uint32_t captured; /* octets that are kept */
    uint32_t length;   /* on the wire */
    int32_t linktype;
    uint16_t sport, dport;
    uint8_t proto;
    uint8_t zero[7];
    struct addr src, dst;
};

struct trail;

/* snap: octets of a frame that are kept at most. NULL: no memory. */
struct trail *trail_create(size_t bytes, uint32_t snap);
void trail_destroy(struct trail *t);
/* A process that only reads says so, and cannot write from then on. */
void trail_only_read(struct trail *t);

/* Keeps a frame, cut to the snap length. */
void trail_put(struct trail *t, const struct trail_frame *frame, const uint8_t *bytes);

/* The newest frames that somebody wanted, in the order they came: `most` of them, and one place
 * more to copy the next into, of trail_place() octets each (a struct trail_frame and its octets).
 */
struct trail_pick {
    bool (*wants)(const void *context, const struct trail_frame *frame);
    const void *context;
    uint8_t *places;
    size_t most;
    uint64_t found; /* the n-th stands at place n % (most + 1), of the last `most` */
};

size_t trail_place(const struct trail *t);
void trail_read(const struct trail *t, struct trail_pick *pick);

#endif
