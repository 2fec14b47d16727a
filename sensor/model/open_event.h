/* An event that is open at the other gateway of two (sensor.peer): enough to go on with it under
 * the same id where the traffic moves. A plain value of a fixed size, without padding. */
#ifndef SEALDNS_MODEL_OPEN_EVENT_H
#define SEALDNS_MODEL_OPEN_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "model/finding.h"

struct open_event {
    uint64_t rule, key; /* of the ledger: hash of the rule's id, the finding's key */
    uint64_t id;        /* as a number of 16 hexadecimal digits */
    uint64_t count;
    nsec_t first, last;
    uint32_t revision;
    uint8_t state; /* enum state */
    uint8_t zero[3];
};

enum { OPEN_EVENTS_AT_ONCE = 16 };

struct open_event_batch {
    uint32_t count;
    uint32_t zero;
    struct open_event event[OPEN_EVENTS_AT_ONCE];
};

/* Whoever sent it: times that are times, not more than an hour ahead of now, a revision, a state.
 */
bool open_event_is_sound(const struct open_event *e, nsec_t now);
/* False: an event that is each gateway's own (kinds sensor and enforcement), or whose id is none of
 * ours. */
bool open_event_of(const struct event *e, struct open_event *out);

#endif
