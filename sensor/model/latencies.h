/* How long handshakes of sealed DNS and answers in clear text took, by approved resolver. A plain
 * value in shared memory: one thread adds, others read; a place is filled in before `count` has it.
 */
#ifndef SEALDNS_MODEL_LATENCIES_H
#define SEALDNS_MODEL_LATENCIES_H

#include "model/latency.h"

enum { LATENCIES_RESOLVERS = 32 };

struct latency_sum {
    uint64_t buckets[LATENCY_BUCKETS];
    uint64_t us; /* of all together */
};

struct resolver_latencies {
    char id[64];
    struct latency_sum handshake, answer;
};

struct latencies {
    uint32_t count;                  /* of list; who has got a place keeps it under every policy */
    struct resolver_latencies other; /* not approved, or beyond the list */
    struct resolver_latencies list[LATENCIES_RESOLVERS]; /* in the order of their coming */
};

static inline void latency_sum_add(struct latency_sum *s, uint32_t us)
{
    s->buckets[latency_bucket(us)]++;
    s->us += us;
}

#endif
