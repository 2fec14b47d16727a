#include "observe/transactions.h"

#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/pages.h"
#include "base/ways.h"

enum { WAYS = WAYS_EIGHT };
enum transaction_state { DONE, PENDING };

#define LETTERS_VARY UINT32_MAX /* asked again, and written another way */

struct transaction {
    uint64_t who;
    uint64_t question;
    nsec_t asked;
    uint32_t digest; /* DONE: of the first answer, as ttl; PENDING: the question's letters */
    uint8_t state, ttl;
    uint8_t queries, answers; /* how often each was seen */
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
    t->buckets = pages_zeroed(size / 4 * sizeof *t->buckets);
    if (!t->ring || !t->buckets) {
        transactions_destroy(t);
        return NULL;
    }
    pages_enlarge(t->ring, size * sizeof *t->ring);
    pages_enlarge(t->buckets, size / 4 * sizeof *t->buckets);
    t->mask = (uint32_t)size - 1;
    t->bucket_mask = (uint32_t)(size / 4) - 1;
    return t;
}

void transactions_destroy(struct transactions *t)
{
    if (!t)
        return;
    free(t->ring);
    pages_free(t->buckets);
    free(t);
}

static struct bucket *bucket_of(struct transactions *t, uint64_t who, uint32_t *tag)
{
    *tag = (uint32_t)(who >> 32) | 1;
    return &t->buckets[(uint32_t)who & t->bucket_mask];
}

void transactions_prefetch(const struct transactions *t, uint64_t who)
{
    fetch(&t->buckets[(uint32_t)who & t->bucket_mask]);
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

    for (unsigned ways = ways_of_word(b->tag, tag, 0); ways; ways &= ways - 1) {
        uint32_t place = b->place[ways_first(ways)];
        struct transaction *e = &t->ring[place & t->mask];

        if (!stale(t, place) && e->who == who && e->state == state &&
            (loose || e->question == question))
            return e;
    }
    return NULL;
}

/* What has left the ring is known until its place in it goes to another. */
static bool was_here(struct transactions *t, uint64_t who, uint64_t question)
{
    uint32_t tag;
    struct bucket *b = bucket_of(t, who, &tag);

    for (unsigned ways = ways_of_word(b->tag, tag, 0); ways; ways &= ways - 1) {
        uint32_t place = b->place[ways_first(ways)];
        const struct transaction *e = &t->ring[place & t->mask];

        if (stale(t, place) && e->who == who && (question == 0 || e->question == question))
            return true;
    }
    return false;
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

bool transaction_ask(struct transactions *t, uint64_t who, struct transaction_question question,
                     nsec_t now, struct stats *stats)
{
    uint32_t tag;
    struct transaction *e = find(t, who, question.hash, false, PENDING);
    struct bucket *b;
    int way;

    if (e) {
        e->queries += e->queries < UINT8_MAX;
        e->digest = e->digest == question.letters ? e->digest : LETTERS_VARY;
        return true;
    }
    if (t->head - t->tail > t->mask)
        forget_oldest(t, expired(t, now) ? &stats->dns_unanswered : &stats->state_evicted);
    b = bucket_of(t, who, &tag);
    way = make_room(t, b, stats);
    b->tag[way] = tag;
    b->place[way] = t->head;
    t->ring[t->head++ & t->mask] = (struct transaction){.who = who,
                                                        .question = question.hash,
                                                        .asked = now,
                                                        .digest = question.letters,
                                                        .state = PENDING,
                                                        .queries = 1};
    return false;
}

/* Who asks twice gets two answers, which a server that rotates its records may word differently. */
static struct transaction_answer answer_again(struct transaction *e,
                                              struct transaction_response said)
{
    struct transaction_answer a = {.again = true,
                                   .surplus = e->answers >= e->queries,
                                   .differs = e->digest != said.digest,
                                   .first_ttl = e->ttl,
                                   .asked = e->asked};

    e->answers += e->answers < UINT8_MAX;
    return a;
}

struct transaction_answer transaction_answer(struct transactions *t, uint64_t who,
                                             uint64_t question, struct transaction_response said)
{
    struct transaction *e = find(t, who, question, question == 0, PENDING);
    struct transaction_answer a;

    if (!e) {
        if ((e = find(t, who, question, question == 0, DONE)))
            return answer_again(e, said);
        if (find(t, who, question, true, PENDING))
            return (struct transaction_answer){.other = true};
        return (struct transaction_answer){.late = was_here(t, who, question)};
    }
    a = (struct transaction_answer){
        .matched = true, .question_ok = e->question == question, .asked = e->asked};
    a.mixed_case = a.question_ok && e->digest && e->digest != LETTERS_VARY;
    a.case_differs = a.mixed_case && e->digest != said.letters;
    e->state = DONE;
    e->answers = 1;
    e->digest = said.digest;
    e->ttl = said.ttl;
    return a;
}

void transactions_expire(struct transactions *t, nsec_t now, unsigned work, struct stats *stats)
{
    while (t->tail != t->head && work-- > 0) {
        if (!expired(t, now))
            return;
        forget_oldest(t, &stats->dns_unanswered);
    }
}
