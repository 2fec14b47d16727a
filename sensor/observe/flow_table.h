/* Where the flows are: their records side by side in one array, as many of it touched as there were
 * ever flows at once, and an index of open addressing whose words hold half of the hash, so that a
 * collision does not touch another record's memory. When it is full one record gives way: of some
 * that are looked at, one of an attempt that nobody answered before any other, then the longest
 * silent. Worst case in bytes: most * (sizeof(struct flow) + 32 / 3). */
#ifndef SEALDNS_OBSERVE_FLOW_TABLE_H
#define SEALDNS_OBSERVE_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "observe/flow.h"

struct flow_table {
    struct flow *flows;
    uint64_t *index; /* 0: free, else high half of the hash << 32 | 1 + place */
    size_t slots, most, count;
    uint32_t used; /* places that were ever given out */
    uint32_t idle; /* 1 + the latest place given back, 0: none */
    uint32_t hand; /* where the search for one to give way goes on */
    bool large;    /* pages were asked for */
    uint64_t seed;
    void (*evicted)(void *context, struct flow *f); /* before it is taken away */
    void *context;
};

/* SD_EMEM. */
int flow_table_init(struct flow_table *t, size_t most, uint64_t seed);
void flow_table_finish(struct flow_table *t);
/* NULL: none. */
struct flow *flow_table_find(const struct flow_table *t, const struct flow_key *key);
/* A new record of a key that is not there, zero but for that. It may evict another. */
struct flow *flow_table_insert(struct flow_table *t, const struct flow_key *key);
void flow_table_remove(struct flow_table *t, struct flow *f);
/* All of them. */
void flow_table_clear(struct flow_table *t);
/* Every flow, in the order of their hashes: start with *position = 0; NULL at the end. None may
 * come or go meanwhile. */
struct flow *flow_table_next(const struct flow_table *t, size_t *position);

#endif
