/* Items of any size from one thread to another, in order and none lost: who is ahead waits.
 * (base/ring.h never waits and loses instead: what a live capture needs.) Items are handed over
 * many at a time. */
#ifndef SEALDNS_ENGINE_RELAY_H
#define SEALDNS_ENGINE_RELAY_H

#include <stddef.h>

struct relay;

/* Holds about octets; more only for a single item that is larger than a chunk. NULL: out of memory.
 */
struct relay *relay_create(size_t octets);
void relay_destroy(struct relay *r); /* by whoever has the other thread joined */

/* The giver: room for an item of so many octets (aligned to 8), to be filled before the next call.
 * NULL: the taker has gone, or out of memory: relay_end() is what is left to do. */
void *relay_put(struct relay *r, size_t octets);
/* The giver: nothing more comes. */
void relay_end(struct relay *r);

/* The taker: the next item, valid until the next call. NULL: nothing more comes. */
const void *relay_take(struct relay *r);
/* The taker: it takes no more. */
void relay_leave(struct relay *r);

#endif
