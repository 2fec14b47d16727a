#include "observe/transactions.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

enum { WAYS = 8 };
enum transaction_state { DONE, PENDING };

struct transaction {
    uint64_t who;
    uint64_t question;
    nsec_t asked;
    uint64_t state;
};

struct bucket { /* one cache line */
    uint32_t tag[WAYS];
    uint32_t place[WAYS];
};

struct transactions {
    struct transaction *ring;
    struct bucket *buckets;
    uint32_t mask, bucket_mask;
    uint32_t head, tail; /* places ever given out, and given back: they wrap */
};

struct transactions *transactions_create(size_t capacity)
{
    struct transactions *t = calloc(1, sizeof *t);
    size_t size = 64;

    if (!t)
        return NULL;
    while (size < capacity && size < (size_t)1 << 28)
        size *= 2;
    t->ring = calloc(size, sizeof *t->ring);
    t->buckets = aligned_alloc(sizeof *t->buckets, size / 4 * sizeof *t->buckets);
    if (!t->ring || !t->buckets) {
        transactions_destroy(t);
        return NULL;
    }
    pages_enlarge(t->ring, size * sizeof *t->ring);
    pages_enlarge(t->buckets, size / 4 * sizeof *t->buckets);
    memset(t->buckets, 0, size / 4 * sizeof *t->buckets);
    t->mask = (uint32_t)size - 1;
    t->bucket_mask = (uint32_t)(size / 4) - 1;
    return t;
}

void transactions_destroy(struct transactions *t)
{
    if (!t)
        return;
    free(t->ring);
    free(t->buckets);
    free(t);
}

static struct bucket *bucket_of(struct transactions *t, uint64_t who, uint32_t *tag)
{
    *tag = (uint32_t)(who >> 32) | 1;
    return &t->buckets[(uint32_t)who & t->bucket_mask];
}

void transactions_prefetch(const struct transactions *t, uint64_t who)
{
    __builtin_prefetch(&t->buckets[(uint32_t)who & t->bucket_mask], 1);
}

static bool stale(const struct transactions *t, uint32_t place)
{
    return place - t->tail >= t->head - t->tail;
}

/* The transaction of this question in this state; with `loose` that of any question. */
static struct transaction *find(struct transactions *t, uint64_t who, uint64_t question, bool loose,
                                enum transaction_state state)
{
    uint32_t tag;
    struct bucket *b = bucket_of(t, who, &tag);

    for (int way = 0; way < WAYS; way++) {
        struct transaction *e = &t->ring[b->place[way] & t->mask];

        if (b->tag[way] == tag && !stale(t, b->place[way]) && e->who == who && e->state == state &&
            (loose || e->question == question))
            return e;
    }
    return NULL;
}

static bool expired(const struct transactions *t, nsec_t now)
{
    return now - t->ring[t->tail & t->mask].asked >= TRANSACTION_LIFETIME;
}

static void forget_oldest(struct transactions *t, uint64_t *counter)
{
    *counter += t->ring[t->tail & t->mask].state == PENDING;
    t->tail++;
}

/* A way for a new entry: stale, done, or the oldest of all, which is then forgotten. */
static int make_room(struct transactions *t, struct bucket *b, struct stats *stats)
{
    int oldest = 0;

    for (int way = 0; way < WAYS; way++) {
        if (!b->tag[way] || stale(t, b->place[way]))
            return way;
        if (b->place[way] - t->tail < b->place[oldest] - t->tail)
            oldest = way;
    }
    stats->state_evicted += t->ring[b->place[oldest] & t->mask].state == PENDING;
    t->ring[b->place[oldest] & t->mask].state = DONE;
    return oldest;
}

bool transaction_ask(struct transactions *t, uint64_t who, uint64_t question, nsec_t now,
                     struct stats *stats)
{
    uint32_t tag;
    struct bucket *b;
    int way;

    if (find(t, who, question, false, PENDING))
        return true;
    if (t->head - t->tail > t->mask)
        forget_oldest(t, expired(t, now) ? &stats->dns_unanswered : &stats->state_evicted);
    b = bucket_of(t, who, &tag);
    way = make_room(t, b, stats);
    b->tag[way] = tag;
    b->place[way] = t->head;
    t->ring[t->head++ & t->mask] =
        (struct transaction){.who = who, .question = question, .asked = now, .state = PENDING};
    return false;
}

struct transaction_answer transaction_answer(struct transactions *t, uint64_t who,
                                             uint64_t question)
{
    struct transaction *e = find(t, who, question, question == 0, PENDING);

    if (!e)
        return (struct transaction_answer){.again = find(t, who, question, question == 0, DONE),
                                           .other = find(t, who, question, true, PENDING)};
    e->state = DONE;
    return (struct transaction_answer){
        .matched = true, .question_ok = e->question == question, .asked = e->asked};
}

void transactions_expire(struct transactions *t, nsec_t now, unsigned work, struct stats *stats)
{
    while (t->tail != t->head && work-- > 0) {
        if (!expired(t, now))
            return;
        forget_oldest(t, &stats->dns_unanswered);
    }
}
