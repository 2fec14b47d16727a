/* Watches the records of a flow on which nothing says what it is but TLS or QUIC, until it can be
 * told how it behaves (FLOW_BEHAVIOUR): at 20 records of the client, or when it has had ten
 * seconds, or at its end; then after each 64 more. A flow that brings the client more than 8,192
 * octets at a stretch is the web or a download: the watch ends at once and costs nothing more. */
#ifndef SEALDNS_OBSERVE_BEHAVIOUR_H
#define SEALDNS_OBSERVE_BEHAVIOUR_H

#include "observe/observer.h"

enum { WATCH_RING = 32 };

enum watch_state { WATCH_NOT, WATCH_ON, WATCH_OVER };

/* One each of a flow that is being watched. */
struct watch {
    nsec_t first, last; /* of the client's records */
    nsec_t asked;       /* where the turn began that has no answer yet, else 0 */
    uint32_t octets[2]; /* by enum side; held below 2^31 */
    uint32_t records[2];
    uint32_t burst, burst_most;
    uint32_t queries, small, turns, answered, gaps, paired;
    uint32_t report;   /* client records at which the next one is due */
    uint16_t sized[2]; /* lengths that went into the ring */
    uint16_t ring[2][WATCH_RING];
    bool server_last; /* the server sent the last record */
};

/* A record of application data, or a 1-RTT packet; length as TLS 1.3 has it. */
void behaviour_record(struct observer *o, struct flow *f, enum side sender, unsigned length);
static inline bool behaviour_watches(const struct cold *c)
{
    return c->watching == WATCH_ON;
}
/* Time passed; returns how long until it matters again. */
nsec_t behaviour_check(struct observer *o, struct flow *f);
/* The flow ends, or is not read any more: tells what it was told of too little, and gives the watch
 * back. */
void behaviour_end(struct observer *o, struct flow *f);

#endif
