/* Conversations for who keeps those of many sensors: the store is told what came on top, a feed
 * what the sum of the hour is by now, so that of rows told twice, or again later, the newest stands
 * for all. A sum that was begun anew (after a start, or for want of room) is another part of the
 * hour. */
#ifndef SEALDNS_ENGINE_HOURS_H
#define SEALDNS_ENGINE_HOURS_H

#include "output/table_row.h"

struct hours;

/* conversations: of which sums are kept at most. NULL: no memory. */
struct hours *hours_create(size_t conversations);
void hours_destroy(struct hours *h);
/* r: a RECORD_CONVERSATION; out: the sum of its hour with it. now: of this run, never twice. */
void hours_add(struct hours *h, const struct record *r, nsec_t now, struct hour_row *out);

#endif
