#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/hash_key.h"
#include "base/pages.h"
#include "base/ways.h"

#define WAYS     WAYS_EIGHT
#define PREFETCH 384 /* bytes of an entry at most */
#define SPARSE   64  /* one entry in so many: a thousand clients pay for large pages, ten do not */

/* One cache line. */
struct bucket {
    uint16_t tag[WAYS]; /* 0: free */
    uint32_t used[WAYS];
} __attribute__((aligned(64)));

struct table {
    struct table_shape shape;
    struct hash_secret secret;
    struct bucket *buckets;
    uint8_t *entries;
    size_t mask;
    uint32_t clock;
    size_t count, sparse; /* sparse: the count at which larger pages are worth it, then 0 */
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
    t->secret = hash_secret_of(shape->seed);
    if (!t->shape.hot || t->shape.hot > PREFETCH)
        t->shape.hot = shape->entry_size < PREFETCH ? shape->entry_size : PREFETCH;
    t->mask = buckets - 1;
    t->sparse = buckets * WAYS / SPARSE;
    t->buckets = pages_zeroed(buckets * sizeof *t->buckets);
    t->entries = pages_zeroed(buckets * WAYS * shape->entry_size);
    if (!t->buckets || !t->entries) {
        table_destroy(t);
        return NULL;
    }
    return t;
}

void table_destroy(struct table *t)
{
    if (!t)
        return;
    pages_free(t->buckets);
    pages_free(t->entries);
    free(t);
}

static void *entry_at(const struct table *t, size_t bucket, size_t way)
{
    return t->entries + (bucket * WAYS + way) * t->shape.entry_size;
}

static inline uint64_t hash_of(const struct table *t, const void *key)
{
    switch (t->shape.key_size) {
    case 16:
        return hash_key(&t->secret, key, 16);
    case 40:
        return hash_key(&t->secret, key, 40);
    case 48:
        return hash_key(&t->secret, key, 48);
    default:
        return hash_bytes(key, t->shape.key_size, t->shape.seed);
    }
}

static inline size_t place(const struct table *t, const void *key, uint16_t *tag)
{
    uint64_t hash = hash_of(t, key);

    *tag = (uint16_t)(hash >> 48) | 1;
    return (size_t)hash & t->mask;
}

/* Words compared without a way out: for a handful of them a call of memcmp() costs more. */
static inline bool same_words(const void *a, const void *b, size_t size)
{
    uint64_t differs = 0, left, right;

    for (size_t at = 0; at < size; at += sizeof left) {
        memcpy(&left, (const uint8_t *)a + at, sizeof left);
        memcpy(&right, (const uint8_t *)b + at, sizeof right);
        differs |= left ^ right;
    }
    return !differs;
}

static inline bool same_key(const struct table *t, const void *a, const void *b)
{
    switch (t->shape.key_size) {
    case 8:
        return same_words(a, b, 8);
    case 16:
        return same_words(a, b, 16);
    case 32:
        return same_words(a, b, 32);
    case 40:
        return same_words(a, b, 40);
    case 48:
        return same_words(a, b, 48);
    default:
        return memcmp(a, b, t->shape.key_size) == 0;
    }
}

static int way_of(const struct table *t, size_t bucket, uint16_t tag, const void *key)
{
    unsigned ways = ways_of_short(t->buckets[bucket].tag, tag);

    for (; ways; ways &= ways - 1)
        if (same_key(t, entry_at(t, bucket, ways_first(ways)), key))
            return (int)ways_first(ways);
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

/* A free way, or the least recently used one. */
static size_t way_for_new(const struct table *t, size_t bucket)
{
    const struct bucket *b = &t->buckets[bucket];
    size_t oldest = 0;

    for (size_t way = 0; way < WAYS; way++) {
        if (!b->tag[way])
            return way;
        if (t->clock - b->used[way] > t->clock - b->used[oldest])
            oldest = way;
    }
    return oldest;
}

void table_prefetch_bucket(const struct table *t, const void *key)
{
    fetch(&t->buckets[hash_of(t, key) & t->mask]);
}

static void prefetch_way(const struct table *t, size_t bucket, size_t way)
{
    const char *entry = entry_at(t, bucket, way);

    for (size_t line = 0; line < t->shape.hot; line += 64)
        fetch(entry + line);
}

void table_prefetch_entry(const struct table *t, const void *key)
{
    uint16_t tag;
    size_t bucket = place(t, key, &tag);
    unsigned ways = ways_of_short(t->buckets[bucket].tag, tag);

    if (!ways) /* a new one goes there */
        prefetch_way(t, bucket, way_for_new(t, bucket));
    for (; ways; ways &= ways - 1)
        prefetch_way(t, bucket, ways_first(ways));
}

/* A free way, emptied if need be. */
static size_t make_room(struct table *t, size_t bucket)
{
    struct bucket *b = &t->buckets[bucket];
    size_t way = way_for_new(t, bucket);

    if (!b->tag[way])
        return way;
    t->evictions++;
    if (t->shape.evicted)
        t->shape.evicted(t->shape.context, entry_at(t, bucket, way));
    b->tag[way] = 0;
    t->count--;
    return way;
}

static void enlarge_pages(struct table *t)
{
    t->sparse = 0; /* once */
    pages_enlarge(t->buckets, (t->mask + 1) * sizeof *t->buckets);
    pages_enlarge(t->entries, (t->mask + 1) * WAYS * t->shape.entry_size);
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
    if (++t->count == t->sparse)
        enlarge_pages(t);
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

/* 1 more than its number: 0 is no place. */
static uint32_t place_of(const struct table *t, const void *entry)
{
    return 1 + (uint32_t)((size_t)((const uint8_t *)entry - t->entries) / t->shape.entry_size);
}

/* NULL: another key is there, or none. */
static inline void *find_there(struct table *t, uint32_t place, const void *key)
{
    size_t bucket = (place - 1) / WAYS, way = (place - 1) % WAYS;
    void *entry;

    if (place == 0 || !t->buckets[bucket].tag[way])
        return NULL;
    entry = entry_at(t, bucket, way);
    if (!same_key(t, entry, key))
        return NULL;
    t->buckets[bucket].used[way] = ++t->clock;
    return entry;
}

/* Apart, so that what usually happens needs no stack. */
static __attribute__((noinline)) void *find_elsewhere(struct table *t, uint32_t *place,
                                                      const void *key)
{
    void *entry = table_find(t, key);

    *place = entry ? place_of(t, entry) : 0;
    return entry;
}

void *table_find_at(struct table *t, uint32_t *place, const void *key)
{
    void *entry = find_there(t, *place, key);

    return entry ? entry : find_elsewhere(t, place, key);
}

static __attribute__((noinline)) void *insert_elsewhere(struct table *t, uint32_t *place,
                                                        const void *key, bool *fresh)
{
    void *entry = table_insert(t, key, fresh);

    *place = place_of(t, entry);
    return entry;
}

void *table_insert_at(struct table *t, uint32_t *place, const void *key, bool *fresh)
{
    void *entry = find_there(t, *place, key);

    if (!entry)
        return insert_elsewhere(t, place, key, fresh);
    *fresh = false;
    return entry;
}

const void *table_prefetch_at(const struct table *t, uint32_t place)
{
    size_t bucket = (place - 1) / WAYS, way = (place - 1) % WAYS;

    if (place == 0)
        return NULL;
    fetch(&t->buckets[bucket]);
    prefetch_way(t, bucket, way);
    return entry_at(t, bucket, way);
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
