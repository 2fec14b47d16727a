/* How a resolver answers over a transport: latencies, resumption, queries in a connection. A
 * resolver of the policy or the catalogue is one service a transport, any other address its own.
 * Bounds: the known ones lie in an array (resolvers * 6 * sizeof(struct service)), SERVICES_OTHER
 * others in a table that evicts. */
#ifndef SEALDNS_DETECT_SERVICES_H
#define SEALDNS_DETECT_SERVICES_H

#include "model/latency.h"
#include "model/memory.h"
#include "model/observation.h"
#include "model/policy.h"
#include "model/stats.h"

enum { SERVICES_OTHER = 4096 };

#define SERVICES_TOPIC "latency" /* keys "RESOLVER TRANSPORT" or "ADDRESS TRANSPORT" */

struct histogram {
    uint32_t count[LATENCY_BUCKETS];
    uint32_t total; /* halved with all the rest before it grows over a million: the past fades */
};

struct service {
    struct histogram handshake, answer;
    uint64_t connections, resumed, queries; /* queries in connections, for the reuse of them */
    nsec_t last;
    uint32_t weak; /* clients with a weak conversation, since the start */
    bool changed;  /* since it was remembered */
};

struct services;

/* NULL: no memory. */
struct services *services_create(const struct policy *policy, uint64_t seed, struct stats *stats);
void services_destroy(struct services *s);
/* Services of resolvers with the same id stay. */
void services_use_policy(struct services *s, const struct policy *policy);
size_t services_bytes(const struct services *s);

/* NULL: none is kept of this (no DNS, or an answer to a recursive resolver). */
struct service *services_of(struct services *s, const struct observation *o);
/* Of an answer in clear text; of unknown servers one in sixteen counts. */
void services_answer(struct services *s, const struct observation *o);
/* Counts and times of a flow. */
void services_flow(struct service *v, const struct observation *o);

void services_remember(struct services *s, struct memory_sink sink, nsec_t now);
void services_recall(struct services *s, const struct memory *m);

void histogram_add(struct histogram *h, unsigned bucket, uint32_t n);
/* So many thousandths took less than this, in microseconds; 0: nothing was counted. */
uint32_t histogram_below(const struct histogram *h, unsigned milli);

#endif
