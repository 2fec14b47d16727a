/* Policy + finding -> verdict, and repeats of one thing grown into one event:
 * at once when it gets graver, else at most one revision a minute, final after the silence that the
 * detection's file gives as idle_s (else ten minutes). */
#ifndef SEALDNS_DECIDE_DECIDE_H
#define SEALDNS_DECIDE_DECIDE_H

#include "model/finding.h"
#include "model/open_event.h"
#include "model/policy.h"
#include "model/record.h"
#include "model/stats.h"

struct decision;

/* events: open at a time, 0 for 16,384; beyond it the oldest is made final. NULL: no memory. */
struct decision *decision_create(size_t events, uint64_t seed, struct record_sink sink,
                                 struct stats *stats);
void decision_destroy(struct decision *d);
/* installed: the rules of this policy are in the kernel, so that in mode enforce a verdict may say
 * blocked. The policy before it must still stand: open events are placed again by its ids. */
void decision_use_policy(struct decision *d, const struct policy *policy, enum mode mode,
                         bool installed);
void decision_finding(struct decision *d, const struct finding *f);
/* An event that is open at the other gateway. What is found of the same thing here goes on with it:
 * its id, first, count and revision. One that is open here under the same id, has been quiet for a
 * minute and grew there, is the other's from now on: it is not made final here. 16,384 are kept, 80
 * octets each; final ones are forgotten. */
void decision_adopt(struct decision *d, const struct open_event *e, nsec_t now);
void decision_tick(struct decision *d, nsec_t now);
/* The end: every open event becomes final. */
void decision_flush(struct decision *d, nsec_t now);

#endif
