/* A hash table that a stranger may fill: seeded, of fixed capacity, eight ways to a bucket, and the
 * least recently used entry of a full bucket is evicted (told to the owner first). Every operation
 * touches one bucket: no rehash, no chain, a constant worst case.
 * Worst case in bytes: capacity * (entry_size + 8), capacity rounded up to a power of two. */
#ifndef SEALDNS_BASE_TABLE_H
#define SEALDNS_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct table_shape {
    size_t entry_size; /* of the caller's struct, whose first key_size bytes are the key */
    size_t key_size;   /* keys are compared as bytes: zero the padding */
    size_t capacity;   /* entries at most; at least 8 */
    uint64_t seed;
    void (*evicted)(void *context, void *entry); /* may be NULL; must not touch the table */
    void *context;
    size_t
        hot; /* bytes that are usually touched, from an entry's beginning: fetched ahead; 0: all */
};

/* NULL: out of memory. */
struct table *table_create(const struct table_shape *shape);
void table_destroy(struct table *t); /* does not call evicted() */

/* The entry of this key, or NULL. Counts as a use. */
void *table_find(struct table *t, const void *key);
/* The entry of this key; if there was none, a zeroed one with the key in it, and *fresh is true. */
void *table_insert(struct table *t, const void *key, bool *fresh);
void table_remove(struct table *t, void *entry);

/* For a batch of keys: first all buckets, then all entries, then the finds; three passes that wait
 * for memory once each instead of once a key. Changes nothing. */
void table_prefetch_bucket(const struct table *t, const void *key);
void table_prefetch_entry(const struct table *t, const void *key);

/* Every entry in the order of memory: start with *position = 0; NULL at the end. Removing the entry
 * just returned is allowed. */
void *table_next(struct table *t, size_t *position);

/* The same as table_find() and table_insert() for who keeps where the entry was (0: nowhere yet):
 * found there without a hash; if it is elsewhere by now, *place becomes that. */
void *table_find_at(struct table *t, uint32_t *place, const void *key);
void *table_insert_at(struct table *t, uint32_t *place, const void *key, bool *fresh);
/* One pass in the place of two. Of the entry, which is not to be read, who knows that it needs more
 * than the hot part may fetch that. NULL: place is 0. */
const void *table_prefetch_at(const struct table *t, uint32_t place);

size_t table_count(const struct table *t);
uint64_t table_evictions(const struct table *t);
size_t table_bytes(const struct table *t);

#endif
