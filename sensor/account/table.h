/* The bounded table of conversations. Unlike base/table.h it evicts nothing by itself: when full,
 * the owner folds the least active fifth away at once, so that who stays is decided by activity,
 * not by where a hash put it. Linear probing over words that hold half the hash beside the place,
 * so that a collision does not touch another entry's memory. */
#ifndef SEALDNS_ACCOUNT_TABLE_H
#define SEALDNS_ACCOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash_key.h"
#include "model/conversation.h"

struct conversation_counts {
    uint64_t queries, responses, bytes_out, bytes_in, flows, flows_failed;
    nsec_t last;
};

/* What a packet touches are the first two lines of the cache. */
struct conversation_entry {
    struct conversation now;
    struct conversation_counts flushed; /* what the store has been told */
} __attribute__((aligned(64)));

struct conversation_table {
    struct conversation_entry *entries;
    uint64_t *index; /* 0: free, else high half of the hash << 32 | 1 + place in entries */
    size_t count, capacity, limit, mask;
    struct hash_secret secret;
};

/* limit: what conversation_table_fold() leaves. SD_EMEM. */
int conversation_table_init(struct conversation_table *t, size_t limit, uint64_t seed);
void conversation_table_finish(struct conversation_table *t);

bool conversation_table_full(const struct conversation_table *t);
uint64_t conversation_table_hash(const struct conversation_table *t,
                                 const struct conversation_key *key);
/* For a batch: all index words first, then all entries, as in base/table.h. */
void conversation_table_prefetch(const struct conversation_table *t, uint64_t hash);
/* 1 + the place in entries[] that is this hash's as far as its half in the index tells, 0: none. */
uint32_t conversation_table_guess(const struct conversation_table *t, uint64_t hash);
/* Of this key; a new one (*fresh) is zero but for the key. The table must not be full. *place: what
 * was guessed; then 1 + the place that it has. */
struct conversation *conversation_table_at(struct conversation_table *t,
                                           const struct conversation_key *key, uint64_t hash,
                                           uint32_t *place, bool *fresh);
/* Takes the least active out until limit are left, telling each; returns how many went. */
size_t conversation_table_fold(struct conversation_table *t,
                               void (*folded)(void *context, const struct conversation_entry *e),
                               void *context);
/* keep[i] for every entry: the `limit` most active; *kept of them. To be freed. NULL: no memory. */
bool *conversation_table_most_active(const struct conversation_table *t, size_t *kept);

#endif
