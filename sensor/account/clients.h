/* Who a client is: a place below CLIENTS_MOST for each, the same for as long as it is known, so
 * that the detectors keep their state in arrays and need no look-up of their own. When a place is
 * given to another client its tenure changes, by which the arrays notice. Worst case in bytes:
 * CLIENTS_MOST * 56. */
#ifndef SEALDNS_ACCOUNT_CLIENTS_H
#define SEALDNS_ACCOUNT_CLIENTS_H

#include "model/observation.h"
#include "model/stats.h"

struct clients;

/* NULL: no memory. */
struct clients *clients_create(uint64_t seed);
void clients_destroy(struct clients *c);
/* For a batch: all with entry false, all with entry true, then clients_note() for each. */
void clients_prefetch(const struct clients *c, const struct observation *o, bool entry);
/* Writes who and tenure into the observation's note. */
void clients_note(struct clients *c, struct observation *o, struct stats *stats);

#endif
