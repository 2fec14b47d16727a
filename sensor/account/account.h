/* Who spoke with whom: conversations, DNS totals, clients, resolvers. Sees every observation first
 * and writes the note (zone, resolver, approved, roles) that the detectors read. Bounded: beyond
 * the limit the least active conversations are folded into `omitted`. */
#ifndef SEALDNS_ACCOUNT_ACCOUNT_H
#define SEALDNS_ACCOUNT_ACCOUNT_H

#include "model/bounds.h"
#include "model/conversation.h"
#include "model/latencies.h"
#include "model/observation.h"
#include "model/policy.h"
#include "model/record.h"
#include "model/stats.h"

struct account;

struct account_omitted {
    uint64_t conversations, queries, flows;
};

/* bounds: of clients and conversations, of which a quarter more are held before the least active
 * are folded, at about 450 bytes each; NULL: the usual ones. NULL: out of memory. */
struct account *account_create(const struct bounds *bounds, uint64_t seed);
void account_destroy(struct account *a);
/* How long what is observed from now on took is added there. */
void account_tell_latencies(struct account *a, struct latencies *to);
/* Zones and approvals of known conversations are looked up again. */
void account_use_policy(struct account *a, const struct policy *policy);

/* Who uses this address, as far as link addresses and leases tell. False: nothing is known. */
bool account_identify(struct account *a, const struct addr *client, struct client_identity *out);
/* As the functions of struct detector: who the clients are. */
void account_remember(struct account *a, struct memory_sink sink);
void account_recall(struct account *a, const struct memory *m);
/* Whose the first address in the memory's key is goes into it. */
void account_place(const struct account *a, struct memory *m);

/* Whether another observation point has shown this already: not to be looked at, counted in
 * observations_twice. */
bool account_twice(struct account *a, const struct observation *o, struct stats *stats);
/* Counts them in their order and writes their notes. Of an hour alone, and at most so many at once,
 * so that memory is waited for once a batch. */
enum { ACCOUNT_BATCH = 32 };
void account_observe(struct account *a, struct observation *o, size_t count, struct stats *stats);

/* Deltas since the last flush, one record a conversation, to the store: call about once a minute,
 * at the end, and before the first observation of another hour. What was folded since is one record
 * without addresses. What the sink does not take stays for the next time. */
void account_flush(struct account *a, nsec_t hour, struct record_sink sink);

/* The conversations in order (first, client, server, port, transport), at most
 * limit (the most active); what is left out is added to *omitted. The array is to be freed; what
 * it points to is the account's, until the next observation. SD_EMEM. */
int account_conversations(const struct account *a, const struct conversation ***out, size_t *count,
                          struct account_omitted *omitted);

#endif
