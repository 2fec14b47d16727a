/* Who a client is: a place below CLIENTS_MOST for each, the same for as long as it is known, so
 * that the detectors keep their state in arrays and need no look-up of their own. When a place is
 * given to another client its tenure changes, by which the arrays notice.
 *
 * All addresses of one machine on the watched link (one link address, unless that is a router's)
 * share a place: IPv6's temporary addresses and a new lease make no new client. An address that
 * goes from one machine to another is another client from then on. Behind a router, and where there
 * are no link addresses, each address has its own place, unless a lease says whose it is.
 * When a quarter of the places is taken, a client that was seen once is a newcomer: one of a few
 * places for a moment, no entry and no machine, until it is seen again. So a flood of addresses
 * pushes out nobody, and what the detectors keep of it stays in the cache.
 * Worst case in bytes: most * (72 + 8 + 16), 64 KiB, and hosts.h. */
#ifndef SEALDNS_ACCOUNT_CLIENTS_H
#define SEALDNS_ACCOUNT_CLIENTS_H

#include "account/hosts.h"
#include "model/observation.h"
#include "model/stats.h"

struct clients;

/* most: at most CLIENTS_MOST. NULL: no memory. */
struct clients *clients_create(size_t most, uint64_t seed);
void clients_destroy(struct clients *c);
/* For a batch. place: of the client's address in the table, as clients_note() left it. */
void clients_prefetch(const struct clients *c, uint32_t place);
/* Where no place is known: all with entry false, all with entry true. */
void clients_prefetch_strange(const struct clients *c, const struct observation *o, bool entry);
/* Writes who and tenure into the observation's note, and ROLE_SEVERAL into its roles. place: where
 * the address was in the table, 0: not known; then where it is. */
void clients_note(struct clients *c, struct observation *o, uint32_t *place, struct stats *stats);
/* Nothing is known of the client, there are many already, and it was not seen a moment ago. */
bool clients_newcomer(struct clients *c, const struct observation *o);
/* clients_note() of a newcomer. */
void clients_note_newcomer(struct clients *c, struct observation *o);
/* An OBSERVE_LEASE: whose the address is from now on, and what the machine is called. */
void clients_lease(struct clients *c, const struct observation *o, struct stats *stats);
/* The machine that uses this address, NULL: not known. */
const struct host *clients_host(struct clients *c, const struct addr *address);

/* The place of a client that is known. */
bool clients_find(struct clients *c, const struct addr *address, uint32_t *who, uint32_t *tenure);

/* As the functions of struct detector. */
void clients_remember(struct clients *c, struct memory_sink sink);
void clients_recall(struct clients *c, const struct memory *m);

#endif
