/* What one client does in clear text by habit, so that a fallback can be told from it: the names it
 * asked, how many new ones an hour, and the names that belong to the resolvers it contacts. Plain
 * values of fixed size, no tables of their own. Names are hashes of their wire form. */
#ifndef SEALDNS_DETECT_HABIT_H
#define SEALDNS_DETECT_HABIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/fetch.h"
#include "base/time.h"
#include "base/ways.h"

enum { HABIT_LINES = 3, HABIT_LINE = 16, HABIT_OWN = 8, HABIT_CONTACTS = 4 };

/* In lines of the cache: a query touches the first, and that of its name. */
struct habit {
    struct addr client; /* the key */
    uint64_t station;
    bool watched; /* downgrade.c: this client tries encrypted DNS just now */
    uint8_t next_name[HABIT_LINES];
    uint8_t next_own, own_count, next_contact;
    uint32_t fresh, fresh_before;     /* ordinary names not asked before, in: */
    nsec_t since, before;             /* this hour and the one before */
    uint32_t own[HABIT_OWN];          /* names of resolvers: SNI sent, or resolved to a contact */
    uint64_t contact[HABIT_CONTACTS]; /* addresses tried with encrypted DNS, as hashes */
    /* Asked in clear text; of a line the newest overwrite the oldest. */
    uint32_t name[HABIT_LINES][HABIT_LINE] __attribute__((aligned(64)));
};

/* Of the hash of a name's wire form (dns_observation.qname_hash); never 0. */
static inline uint32_t habit_name(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

/* Where habit_asked() will look; h may be somebody else's, it is not read. */
static inline void habit_prefetch(const struct habit *h, uint32_t name)
{
    fetch(h->name[name % HABIT_LINES]);
}

static inline bool habit_asked(const struct habit *h, uint32_t name)
{
    return ways_hold_word(h->name[name % HABIT_LINES], name);
}

/* A name that was not asked before. ordinary: no bootstrap or the like; only such make a habit. */
void habit_learn(struct habit *h, uint32_t name, bool ordinary, nsec_t now);
/* New names in the last one to two hours, and how many are to be expected in a span. */
uint32_t habit_count(const struct habit *h, nsec_t now);
double habit_expects(const struct habit *h, nsec_t now, nsec_t span);

bool habit_owns(const struct habit *h, uint32_t name);
void habit_own(struct habit *h, uint32_t name);
/* An encrypted attempt goes to this address. */
void habit_contact(struct habit *h, const struct addr *server);
/* It is one of those that the client tried last. */
bool habit_contacted(const struct habit *h, const struct addr *server);

#endif
