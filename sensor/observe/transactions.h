/* DNS queries that wait for their response: a ring in the order of their time, so that expiry reads
 * memory in a row, and an index of fixed buckets into it. An entry of the index is stale when its
 * place has left the ring; nothing is ever moved.
 * Worst case in bytes: capacity * (32 + 16), capacity rounded up to a power of two. When more are
 * pending than that, the oldest is forgotten and counted in state_evicted. */
#ifndef SEALDNS_OBSERVE_TRANSACTIONS_H
#define SEALDNS_OBSERVE_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "model/stats.h"

struct transactions;

#define TRANSACTION_LIFETIME (5 * NSEC_S) /* then a query is unanswered */

struct transaction_answer {
    bool matched;
    bool again;        /* not matched: that query had its answer, not long ago */
    bool late;         /* not matched: that query is no longer waited for */
    bool other;        /* not matched: a query of that id waits, about something else */
    bool question_ok;  /* the response repeated the question */
    bool surplus;      /* again: more answers than the query was sent */
    bool differs;      /* again: another digest than the first answer's */
    bool mixed_case;   /* matched: the question had upper case letters, the same each time */
    bool case_differs; /* ... and the response has others */
    uint8_t first_ttl; /* again: of the first answer */
    nsec_t asked;      /* matched or again */
};

/* A response, as far as a second one to the same query is held against it. */
struct transaction_response {
    uint32_t digest;  /* of what it says */
    uint32_t letters; /* of the question it repeats, as in struct dns_message */
    uint8_t ttl;      /* of its packet */
};

/* NULL: out of memory. */
struct transactions *transactions_create(size_t capacity);
void transactions_destroy(struct transactions *t);

/* Asks the memory for what the next two will read. */
void transactions_prefetch(const struct transactions *t, uint64_t who);

struct transaction_question {
    uint64_t hash;    /* of name and type, 0: none */
    uint32_t letters; /* as in struct dns_message */
};

/* who: hash of five-tuple and id.
 * True: the same was asked within its lifetime and is not answered yet. */
bool transaction_ask(struct transactions *t, uint64_t who, struct transaction_question question,
                     nsec_t now, struct stats *stats);
/* question: its hash. */
struct transaction_answer transaction_answer(struct transactions *t, uint64_t who,
                                             uint64_t question, struct transaction_response said);
/* Forgets what is older than its lifetime, at most `work` entries. */
void transactions_expire(struct transactions *t, nsec_t now, unsigned work, struct stats *stats);

#endif
