/* What a flow's records of application data look like, counted for struct record_shape. */
#ifndef SEALDNS_OBSERVE_SHAPE_H
#define SEALDNS_OBSERVE_SHAPE_H

#include "observe/observer.h"

/* Of the flow's suite; 0: its lengths tell nothing exact. */
unsigned shape_overhead(const struct flow *f);
/* Counts a record of this sender and returns the DNS messages that are in it; 0: it is too short
 * for one, or it is the prefix of the next. */
unsigned shape_record(struct flow *f, enum side sender, unsigned length);
/* So many queries go out; so many answers came. */
void shape_asked(struct cold *c, unsigned queries, nsec_t now);
void shape_answered(struct cold *c, unsigned answers, nsec_t now);

#endif
