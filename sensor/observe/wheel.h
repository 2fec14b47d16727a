/* Timers of flows: a wheel of lists, so that arming, disarming and firing cost the same however
 * many flows there are. One advance fires at most WHEEL_WORK flows; the rest wait for the next. */
#ifndef SEALDNS_OBSERVE_WHEEL_H
#define SEALDNS_OBSERVE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum { WHEEL_SLOTS = 1024, WHEEL_WORK = 4096 };
#define WHEEL_TICK (INT64_C(1) << 25) /* nanoseconds: 34 ms, so the wheel spans 34 s */

struct flow;

/* Flows are named by 1 + their place in the array they lie in, so that a flow has its two links in
 * a word: the next of its slot (0: none), and the one before (0: it is not armed) or, of the first,
 * the slot. */
struct wheel {
    struct flow *flows;
    uint32_t slot[WHEEL_SLOTS];
    nsec_t origin;
    uint64_t at; /* ticks since the origin: everything due before has fired */
    bool started;
};

/* The tick that time belongs to; 0 for anything before the origin. */
uint64_t wheel_tick(const struct wheel *w, nsec_t time);
/* (Re)arms the flow's timer. */
void wheel_arm(struct wheel *w, struct flow *f, nsec_t deadline);
void wheel_disarm(struct wheel *w, struct flow *f);
/* Ticks from that one to the flow's. Deadlines are minutes away, ticks wrap in years. */
int32_t wheel_ahead(uint64_t tick, const struct flow *f);
bool wheel_is_armed(const struct flow *f);
/* The next flow that is due, disarmed, or NULL; *work counts down. */
struct flow *wheel_next(struct wheel *w, nsec_t now, unsigned *work);

#endif
