#include "observe/flow_table.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/pages.h"

enum { TURN = 49, LOOKED_AT = 16, MANY = 8192 /* flows from which larger pages are worth it */ };

int flow_table_init(struct flow_table *t, size_t most, uint64_t seed)
{
    *t = (struct flow_table){.most = most, .slots = most + most / 3 + 8, .seed = seed};
    assert(t->slots < UINT32_MAX / 2);
    t->flows = pages_zeroed(most * sizeof *t->flows);
    t->index = pages_zeroed(t->slots * sizeof *t->index);
    if (t->flows && t->index)
        return SD_OK;
    t->slots = 0; /* nothing to walk over */
    return SD_EMEM;
}

void flow_table_finish(struct flow_table *t)
{
    pages_free(t->flows);
    pages_free(t->index);
}

/* The upper half of a hash in order is the index in order, so no word needs another's hash. */
static size_t home(const struct flow_table *t, uint64_t word)
{
    return (size_t)((word >> 32) * t->slots >> 32);
}

static size_t after(const struct flow_table *t, size_t slot)
{
    return slot + 1 == t->slots ? 0 : slot + 1;
}

/* Turned, so that the index is in the order of the lower bits. */
static uint64_t hash_of(const struct flow_table *t, const struct flow_key *key)
{
    uint64_t hash = hash_bytes(key, sizeof *key, t->seed);

    return hash << TURN | hash >> (64 - TURN);
}

static struct flow *flow_at(const struct flow_table *t, uint64_t word)
{
    return &t->flows[(uint32_t)word - 1];
}

/* The slot of this key, or the free one where it belongs. */
static size_t slot_of(const struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
    size_t slot = home(t, hash);

    for (uint64_t word; (word = t->index[slot]) != 0; slot = after(t, slot))
        if (word >> 32 == hash >> 32 && memcmp(flow_at(t, word), key, FLOW_KEY) == 0)
            break;
    return slot;
}

struct flow *flow_table_find(const struct flow_table *t, const struct flow_key *key)
{
    uint64_t word = t->index[slot_of(t, key, hash_of(t, key))];

    return word ? flow_at(t, word) : NULL;
}

static bool goes_before(const struct flow *a, const struct flow *b)
{
    bool one = a->stage == STAGE_TRYING, other = b->stage == STAGE_TRYING;

    return one != other ? one : (int32_t)(a->last - b->last) < 0;
}

static struct flow *one_to_give_way(struct flow_table *t)
{
    struct flow *found = &t->flows[t->hand];

    for (uint32_t i = 1; i < LOOKED_AT; i++) {
        struct flow *f = &t->flows[(t->hand + i) % t->most];

        if (goes_before(f, found))
            found = f;
    }
    t->hand = (uint32_t)((t->hand + LOOKED_AT) % t->most);
    return found;
}

/* Whose home lies behind the gap, or is it, moves into it. */
static void close_gap(struct flow_table *t, size_t gap)
{
    size_t slot = gap;

    for (;;) {
        size_t distance, from_gap;

        t->index[gap] = 0;
        do {
            slot = after(t, slot);
            if (!t->index[slot])
                return;
            distance = (slot + t->slots - home(t, t->index[slot])) % t->slots;
            from_gap = (slot + t->slots - gap) % t->slots;
        } while (distance < from_gap);
        t->index[gap] = t->index[slot];
        gap = slot;
    }
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
    struct flow_key key = flow_key_again(f);
    size_t slot = slot_of(t, &key, hash_of(t, &key));

    assert(t->index[slot]);
    close_gap(t, slot);
    f->timer_next = t->idle;
    t->idle = (uint32_t)(f - t->flows) + 1;
    t->count--;
}

/* In steps, so that what is never used is never touched. */
static void enlarge_pages(struct flow_table *t)
{
    size_t end = 2 * (size_t)t->used < t->most ? 2 * (size_t)t->used : t->most;

    if (!t->large)
        pages_enlarge(t->index, t->slots * sizeof *t->index);
    t->large = true;
    pages_enlarge(t->flows, end * sizeof *t->flows);
}

static struct flow *place_for_new(struct flow_table *t)
{
    struct flow *f;

    if (t->count == t->most) {
        f = one_to_give_way(t);
        t->evicted(t->context, f);
        flow_table_remove(t, f);
    }
    if (t->idle) {
        f = &t->flows[t->idle - 1];
        t->idle = f->timer_next;
        return f;
    }
    if (++t->used >= MANY && (t->used & (t->used - 1)) == 0)
        enlarge_pages(t);
    return &t->flows[t->used - 1];
}

struct flow *flow_table_insert(struct flow_table *t, const struct flow_key *key)
{
    struct flow *f = place_for_new(t);
    uint64_t hash = hash_of(t, key);
    size_t slot = slot_of(t, key, hash);

    assert(!t->index[slot] && key->proto);
    memset(f, 0, sizeof *f);
    memcpy(f, key, FLOW_KEY);
    t->index[slot] = (hash >> 32 << 32) | (uint32_t)(f - t->flows + 1);
    t->count++;
    return f;
}

void flow_table_clear(struct flow_table *t)
{
    memset(t->index, 0, t->slots * sizeof *t->index);
    t->count = 0;
    t->used = t->idle = t->hand = 0;
}

struct flow *flow_table_next(const struct flow_table *t, size_t *position)
{
    while (*position < t->slots) {
        uint64_t word = t->index[(*position)++];

        if (word)
            return flow_at(t, word);
    }
    return NULL;
}
