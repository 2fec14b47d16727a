/* Observation points: interfaces and VLANs that show the same packet. What one of them has shown is
 * not counted again when another shows it. Where there is one point only, this costs a comparison.
 * What passes a translation of addresses between two points cannot be told for the same.
 * Worst case in bytes: 2 * POINTS_MEMORY * 24. */
#ifndef SEALDNS_ACCOUNT_POINTS_H
#define SEALDNS_ACCOUNT_POINTS_H

#include <stdbool.h>

#include "model/observation.h"

enum { POINTS_MEMORY = 32768 };

struct points;

/* NULL: no memory. */
struct points *points_create(uint64_t seed);
void points_destroy(struct points *p);
/* True: another point has shown this already. DNS messages are told by what they are, within a
 * tenth of a second; of a flow the point that showed it first keeps showing it. */
bool points_again(struct points *p, const struct observation *o);

#endif
