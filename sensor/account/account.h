/* Who spoke with whom: conversations, DNS totals, clients, resolvers. Sees every observation first
 * and writes the note (zone, resolver, approved, roles) that the detectors read. Bounded: beyond
 * the limit the least active conversations are folded into `omitted`. */
#ifndef SEALDNS_ACCOUNT_ACCOUNT_H
#define SEALDNS_ACCOUNT_ACCOUNT_H

#include "model/conversation.h"
#include "model/observation.h"
#include "model/policy.h"
#include "model/record.h"
#include "model/stats.h"

struct account;

struct account_omitted {
    uint64_t conversations, queries, flows;
};

/* conversations: 0 for 65,536. iface_names: of observation.iface, may be empty. NULL: no memory. */
struct account *account_create(size_t conversations, uint64_t seed);
void account_destroy(struct account *a);
/* Zones and approvals of known conversations are looked up again. */
void account_use_policy(struct account *a, const struct policy *policy);

void account_observe(struct account *a, struct observation *o, struct stats *stats);

/* Deltas since the last flush, by hour, to the store: call about once a minute, at the end, and when
 * the hour of the observations changes. Records beyond what the sink takes stay for the next time. */
void account_flush(struct account *a, nsec_t now, struct record_sink sink);

/* The conversations in the order of CONTRACT.md (first, client, server, port, transport), at most
 * limit (the most active); what is left out is added to *omitted. The array is to be freed.
 * SD_EMEM. */
int account_conversations(const struct account *a, struct conversation **out, size_t *count,
                          struct account_omitted *omitted);

#endif
