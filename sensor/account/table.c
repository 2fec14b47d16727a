#include "account/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fetch.h"
#include "base/hash_key.h"
#include "base/pages.h"

struct rank {
    uint64_t activity;
    nsec_t last;
    uint32_t place;
};

int conversation_table_init(struct conversation_table *t, size_t limit, uint64_t seed)
{
    size_t slots = 16;

    *t = (struct conversation_table){
        .limit = limit, .capacity = limit + limit / 4 + 8, .secret = hash_secret_of(seed)};
    while (slots < t->capacity * 2)
        slots *= 2;
    t->mask = slots - 1;
    t->entries = pages_zeroed(t->capacity * sizeof *t->entries);
    t->index = calloc(slots, sizeof *t->index);
    if (!t->entries || !t->index)
        return SD_EMEM;
    pages_enlarge(t->entries, t->capacity * sizeof *t->entries);
    pages_enlarge(t->index, slots * sizeof *t->index);
    return SD_OK;
}

void conversation_table_finish(struct conversation_table *t)
{
    pages_free(t->entries);
    free(t->index);
}

bool conversation_table_full(const struct conversation_table *t)
{
    return t->count == t->capacity;
}

static inline bool same_key(const struct conversation_key *a, const struct conversation_key *b)
{
    return addr_equal(&a->client, &b->client) && addr_equal(&a->server, &b->server) &&
           a->server_port == b->server_port && a->transport == b->transport;
}

/* The slot of this key, or the free one where it belongs. */
static size_t slot_of(const struct conversation_table *t, const struct conversation_key *key,
                      uint64_t hash)
{
    size_t slot = (size_t)hash & t->mask;

    for (uint64_t word; (word = t->index[slot]) != 0; slot = (slot + 1) & t->mask)
        if (word >> 32 == hash >> 32 && same_key(&t->entries[(uint32_t)word - 1].now.key, key))
            break;
    return slot;
}

uint64_t conversation_table_hash(const struct conversation_table *t,
                                 const struct conversation_key *key)
{
    return hash_key(&t->secret, key, sizeof *key);
}

static uint64_t index_word(uint64_t hash, size_t place)
{
    return (hash >> 32 << 32) | (place + 1);
}

void conversation_table_prefetch(const struct conversation_table *t, uint64_t hash)
{
    fetch(&t->index[hash & t->mask]);
}

uint32_t conversation_table_guess(const struct conversation_table *t, uint64_t hash)
{
    size_t slot = (size_t)hash & t->mask;
    uint64_t word;
    const char *at;

    while ((word = t->index[slot]) != 0 && word >> 32 != hash >> 32)
        slot = (slot + 1) & t->mask;
    if (word) {
        at = (const char *)&t->entries[(uint32_t)word - 1];
        fetch(at);
        fetch(at + 64);
    }
    return (uint32_t)word;
}

struct conversation *conversation_table_at(struct conversation_table *t,
                                           const struct conversation_key *key, uint64_t hash,
                                           uint32_t *place, bool *fresh)
{
    struct conversation_entry *e;
    size_t slot;

    *fresh = false;
    if (*place && *place <= t->count && same_key(&t->entries[*place - 1].now.key, key))
        return &t->entries[*place - 1].now;
    slot = slot_of(t, key, hash);
    *fresh = !t->index[slot];
    if (*fresh) {
        assert(t->count < t->capacity);
        t->index[slot] = index_word(hash, t->count);
    }
    *place = (uint32_t)t->index[slot];
    e = &t->entries[*place - 1];
    if (!*fresh)
        return &e->now;
    t->count++;
    memset(e, 0, sizeof *e);
    e->now.key = *key;
    return &e->now;
}

/* Most active first; of equals the one heard last, then the one known first. */
static bool before(const struct rank *a, const struct rank *b)
{
    if (a->activity != b->activity)
        return a->activity > b->activity;
    if (a->last != b->last)
        return a->last > b->last;
    return a->place < b->place;
}

static size_t partition(struct rank *r, size_t low, size_t high)
{
    struct rank pivot = r[low + (high - 1 - low) / 2], swap;
    size_t i = low, j = high - 1;

    for (;;) {
        while (before(&r[i], &pivot))
            i++;
        while (before(&pivot, &r[j]))
            j--;
        if (i >= j)
            return j + 1;
        swap = r[i];
        r[i++] = r[j];
        r[j--] = swap;
    }
}

/* Quickselect: the first k of r are the k that stand before all others. */
static void select_first(struct rank *r, size_t count, size_t k)
{
    size_t low = 0, high = count;

    while (high - low > 1) {
        size_t middle = partition(r, low, high);

        if (k < middle)
            high = middle;
        else
            low = middle;
    }
}

static struct rank *ranked(const struct conversation_table *t, size_t k)
{
    struct rank *r = malloc((t->count + 1) * sizeof *r);

    if (!r)
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        const struct conversation *c = &t->entries[i].now;

        r[i] = (struct rank){c->queries + c->responses + c->flows, c->last, (uint32_t)i};
    }
    if (k < t->count)
        select_first(r, t->count, k);
    return r;
}

bool *conversation_table_most_active(const struct conversation_table *t, size_t *kept)
{
    size_t k = t->count < t->limit ? t->count : t->limit;
    struct rank *r = ranked(t, k);
    bool *keep = r ? calloc(t->count + 1, sizeof *keep) : NULL;

    for (size_t i = 0; keep && i < k; i++)
        keep[r[i].place] = true;
    free(r);
    *kept = k;
    return keep;
}

static void reindex(struct conversation_table *t)
{
    memset(t->index, 0, (t->mask + 1) * sizeof *t->index);
    for (size_t i = 0; i < t->count; i++) {
        const struct conversation_key *key = &t->entries[i].now.key;
        uint64_t hash = conversation_table_hash(t, key);

        t->index[slot_of(t, key, hash)] = index_word(hash, i);
    }
}

size_t conversation_table_fold(struct conversation_table *t,
                               void (*folded)(void *context, const struct conversation_entry *e),
                               void *context)
{
    size_t kept = 0, before_fold = t->count, k;
    bool *keep = conversation_table_most_active(t, &k);

    for (size_t i = 0; i < before_fold; i++) {
        /* Without memory for ranks the youngest go: room must be made all the same. */
        if (keep ? keep[i] : i < t->limit)
            t->entries[kept++] = t->entries[i];
        else
            folded(context, &t->entries[i]);
    }
    free(keep);
    t->count = kept;
    reindex(t);
    return before_fold - kept;
}
