#include "detect/suspects.h"

#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/hash.h"
#include "base/pages.h"
#include "base/ways.h"

#define WAYS WAYS_EIGHT
#define UNIT (16 * NSEC_S)
#define HALF 5 /* 2^5 units: after eight minutes without a new name the worth is halved */

/* One cache line. */
struct bucket {
    uint32_t tag[WAYS];   /* 0: free */
    uint16_t worth[WAYS]; /* new names lately */
    uint16_t seen[WAYS];  /* the last one, in units */
} __attribute__((aligned(64)));

struct suspects {
    uint64_t seed, evicted;
    size_t mask;
    struct bucket *buckets;
    struct suspect *entries;
};

struct suspects *suspects_create(size_t capacity, uint64_t seed)
{
    struct suspects *s = calloc(1, sizeof *s);
    size_t buckets = 1;

    if (!s)
        return NULL;
    while (buckets * WAYS < capacity)
        buckets *= 2;
    s->seed = seed;
    s->mask = buckets - 1;
    s->buckets = pages_zeroed(buckets * sizeof *s->buckets);
    s->entries = calloc(buckets * WAYS, sizeof *s->entries);
    if (!s->buckets || !s->entries) {
        suspects_destroy(s);
        return NULL;
    }
    return s;
}

void suspects_destroy(struct suspects *s)
{
    if (!s)
        return;
    pages_free(s->buckets);
    free(s->entries);
    free(s);
}

size_t suspects_bytes(const struct suspects *s)
{
    return sizeof *s + (s->mask + 1) * (sizeof *s->buckets + WAYS * sizeof *s->entries);
}

uint64_t suspects_evicted(const struct suspects *s)
{
    return s->evicted;
}

static size_t place(const struct suspects *s, const struct suspect_key *key, uint32_t *tag)
{
    uint64_t hash =
        hash_mix(hash_mix(s->seed, key->domain), (uint64_t)key->tenure << 32 | key->who);

    *tag = (uint32_t)(hash >> 32) | 1;
    return (size_t)hash & s->mask;
}

/* The key is compared as well: a tag that meets its like must not lend its history. */
static int way_of(const struct suspects *s, size_t at, uint32_t tag, const struct suspect_key *key)
{
    unsigned ways = ways_of_word(s->buckets[at].tag, tag, 0);

    for (; ways; ways &= ways - 1)
        if (memcmp(&s->entries[at * WAYS + ways_first(ways)].key, key, sizeof *key) == 0)
            return (int)ways_first(ways);
    return -1;
}

void suspects_prefetch(const struct suspects *s, const struct suspect_key *key)
{
    uint32_t tag;
    size_t at = place(s, key, &tag);

    fetch(&s->buckets[at]);
}

struct suspect *suspects_find(struct suspects *s, const struct suspect_key *key, unsigned names)
{
    uint32_t tag;
    size_t at = place(s, key, &tag);
    const struct bucket *b = &s->buckets[at];

    for (unsigned ways = ways_of_word(b->tag, tag, 0); ways; ways &= ways - 1) {
        struct suspect *found = &s->entries[at * WAYS + ways_first(ways)];

        if (b->worth[ways_first(ways)] >= names && memcmp(&found->key, key, sizeof *key) == 0)
            return found;
    }
    return NULL;
}

static unsigned worth_now(const struct bucket *b, size_t way, uint16_t now)
{
    unsigned halvings = (uint16_t)(now - b->seen[way]) >> HALF;

    return halvings < 16 ? (unsigned)b->worth[way] >> halvings : 0;
}

/* A free way; else that of the least worth, of equals the one that was silent longest. */
static size_t way_for_new(const struct bucket *b, uint16_t now)
{
    size_t least = 0;

    for (size_t way = 0; way < WAYS; way++) {
        unsigned mine, its;

        if (!b->tag[way])
            return way;
        mine = worth_now(b, way, now);
        its = worth_now(b, least, now);
        if (mine < its ||
            (mine == its && (uint16_t)(now - b->seen[way]) > (uint16_t)(now - b->seen[least])))
            least = way;
    }
    return least;
}

struct suspect *suspects_at(struct suspects *s, const struct suspect_key *key, nsec_t now,
                            unsigned *names)
{
    uint32_t tag;
    size_t at = place(s, key, &tag);
    struct bucket *b = &s->buckets[at];
    uint16_t unit = (uint16_t)(now / UNIT);
    int found = way_of(s, at, tag, key);
    size_t way = found >= 0 ? (size_t)found : way_for_new(b, unit);
    struct suspect *entry = &s->entries[at * WAYS + way];

    if (found < 0) {
        s->evicted += b->tag[way] != 0;
        memset(entry, 0, sizeof *entry);
        entry->key = *key;
        entry->first = now;
        b->tag[way] = tag;
        b->worth[way] = 0;
    } else {
        b->worth[way] = (uint16_t)worth_now(b, way, unit);
    }
    b->seen[way] = unit;
    if (b->worth[way] < UINT16_MAX)
        b->worth[way]++;
    *names = b->worth[way];
    return entry;
}
