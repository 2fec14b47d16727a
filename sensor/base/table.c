#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define WAYS     8
#define PREFETCH 320 /* bytes of an entry at most */

/* One cache line. */
struct bucket {
    uint16_t tag[WAYS]; /* 0: free */
    uint32_t used[WAYS];
} __attribute__((aligned(64)));

struct table {
    struct table_shape shape;
    struct bucket *buckets;
    uint8_t *entries;
    size_t mask;
    uint32_t clock;
    size_t count;
    uint64_t evictions;
};

struct table *table_create(const struct table_shape *shape)
{
    struct table *t = calloc(1, sizeof *t);
    size_t buckets = 1;

    assert(shape->key_size <= shape->entry_size);
    if (!t)
        return NULL;
    while (buckets * WAYS < shape->capacity)
        buckets *= 2;
    t->shape = *shape;
    t->mask = buckets - 1;
    t->buckets = aligned_alloc(sizeof *t->buckets, buckets * sizeof *t->buckets);
    t->entries = calloc(buckets * WAYS, shape->entry_size);
    if (!t->buckets || !t->entries) {
        table_destroy(t);
        return NULL;
    }
    memset(t->buckets, 0, buckets * sizeof *t->buckets);
    return t;
}

void table_destroy(struct table *t)
{
    if (!t)
        return;
    free(t->buckets);
    free(t->entries);
    free(t);
}

static void *entry_at(const struct table *t, size_t bucket, size_t way)
{
    return t->entries + (bucket * WAYS + way) * t->shape.entry_size;
}

static size_t place(const struct table *t, const void *key, uint16_t *tag)
{
    uint64_t hash = hash_bytes(key, t->shape.key_size, t->shape.seed);

    *tag = (uint16_t)(hash >> 48) | 1;
    return (size_t)hash & t->mask;
}

static int way_of(const struct table *t, size_t bucket, uint16_t tag, const void *key)
{
    const struct bucket *b = &t->buckets[bucket];

    for (int way = 0; way < WAYS; way++)
        if (b->tag[way] == tag &&
            memcmp(entry_at(t, bucket, (size_t)way), key, t->shape.key_size) == 0)
            return way;
    return -1;
}

void *table_find(struct table *t, const void *key)
{
    uint16_t tag;
    size_t bucket = place(t, key, &tag);
    int way = way_of(t, bucket, tag, key);

    if (way < 0)
        return NULL;
    t->buckets[bucket].used[way] = ++t->clock;
    return entry_at(t, bucket, (size_t)way);
}

void table_prefetch_bucket(const struct table *t, const void *key)
{
    uint16_t tag;

    __builtin_prefetch(&t->buckets[place(t, key, &tag)], 1);
}

void table_prefetch_entry(const struct table *t, const void *key)
{
    uint16_t tag;
    size_t bucket = place(t, key, &tag);

    for (size_t way = 0; way < WAYS; way++) {
        const char *entry = entry_at(t, bucket, way);

        if (t->buckets[bucket].tag[way] != tag)
            continue;
        for (size_t line = 0; line < t->shape.entry_size && line < PREFETCH; line += 64)
            __builtin_prefetch(entry + line, 1);
    }
}

/* A free way, or the least recently used one, emptied. */
static size_t make_room(struct table *t, size_t bucket)
{
    struct bucket *b = &t->buckets[bucket];
    size_t oldest = 0;

    for (size_t way = 0; way < WAYS; way++) {
        if (!b->tag[way])
            return way;
        if (t->clock - b->used[way] > t->clock - b->used[oldest])
            oldest = way;
    }
    t->evictions++;
    if (t->shape.evicted)
        t->shape.evicted(t->shape.context, entry_at(t, bucket, oldest));
    b->tag[oldest] = 0;
    t->count--;
    return oldest;
}

void *table_insert(struct table *t, const void *key, bool *fresh)
{
    uint16_t tag;
    size_t bucket = place(t, key, &tag);
    int found = way_of(t, bucket, tag, key);
    size_t way = found >= 0 ? (size_t)found : make_room(t, bucket);
    void *entry = entry_at(t, bucket, way);

    t->buckets[bucket].used[way] = ++t->clock;
    *fresh = found < 0;
    if (found >= 0)
        return entry;
    memset(entry, 0, t->shape.entry_size);
    memcpy(entry, key, t->shape.key_size);
    t->buckets[bucket].tag[way] = tag;
    t->count++;
    return entry;
}

void table_remove(struct table *t, void *entry)
{
    size_t index = (size_t)((uint8_t *)entry - t->entries) / t->shape.entry_size;

    assert(t->buckets[index / WAYS].tag[index % WAYS]);
    t->buckets[index / WAYS].tag[index % WAYS] = 0;
    t->count--;
}

void *table_next(struct table *t, size_t *position)
{
    size_t end = (t->mask + 1) * WAYS;

    while (*position < end) {
        size_t at = (*position)++;

        if (t->buckets[at / WAYS].tag[at % WAYS])
            return entry_at(t, at / WAYS, at % WAYS);
    }
    return NULL;
}

size_t table_count(const struct table *t)
{
    return t->count;
}

uint64_t table_evictions(const struct table *t)
{
    return t->evictions;
}

size_t table_bytes(const struct table *t)
{
    return sizeof *t + (t->mask + 1) * (sizeof(struct bucket) + WAYS * t->shape.entry_size);
}
