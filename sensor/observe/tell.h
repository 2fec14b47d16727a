/* Observations of flows: made in one place, so that every one carries the same things. */
#ifndef SEALDNS_OBSERVE_TELL_H
#define SEALDNS_OBSERVE_TELL_H

#include "observe/observer.h"

#define TELL_FLOW_ID ((UINT64_C(1) << 53) - 1)

/* How a flow came to grief. */
struct fault {
    uint8_t cause, origin, alert, ttl, icmp_type, icmp_code;
    uint8_t signs; /* of a reset */
    uint32_t gap_us;
    bool from_client;
    struct addr icmp_source;
};

uint64_t tell_flow_id(const struct observer *o, const struct flow *f);
uint64_t tell_station(const struct flow *f);
/* o->out of a packet, everything before the union; all else of that is zero. */
struct observation *tell_begin(struct observer *o, uint8_t kind, const struct packet *p);
/* Finds o->out a place. */
void tell_room(struct observer *o);
/* Hands over o->out, which is another then. */
void tell_put(struct observer *o);

void tell_opened(struct observer *o, struct flow *f);
void tell_identified(struct observer *o, struct flow *f);
/* Once a flow; the stage becomes STAGE_WORKING. */
void tell_established(struct observer *o, struct flow *f);
/* The counts since the last observation that carried some; nothing when there are none. */
void tell_progress(struct observer *o, struct flow *f);
/* Once a flow, and only before FLOW_ESTABLISHED. */
void tell_failed(struct observer *o, struct flow *f, const struct fault *fault);
/* A query sent at `since` gets no answer, or the server speaks again: FLOW_WAITING, FLOW_STALLED,
 * FLOW_RESUMED. fault: of FLOW_STALLED, else NULL. */
void tell_waiting(struct observer *o, struct flow *f, uint8_t phase, nsec_t since,
                  const struct fault *fault);
/* The end: FLOW_CLOSED, or the rest of the counts when the flow has failed before. Once a flow. */
void tell_closed(struct observer *o, struct flow *f, bool from_client);
/* How it behaves. */
void tell_behaviour(struct observer *o, struct flow *f, const struct behaviour *b);
/* More is known of the reset that ended it. */
void tell_aftermath(struct observer *o, struct flow *f, uint8_t signs);

#endif
