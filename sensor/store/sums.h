/* Sums of the open batch, before they are rows. Ten thousand events fall on a handful of days and
 * kinds, ten thousand conversations on a handful of servers: a row touched for each takes as long
 * as the event. What finds its place taken writes out who is there, so it is bounded. Internal to
 * store/. */
#ifndef SEALDNS_STORE_SUMS_H
#define SEALDNS_STORE_SUMS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "model/record.h"

#define SUM_PLACES 64 /* of each kind */

struct event_sum {
    nsec_t day;
    char zone[64], verdict[16];
    const char *kind; /* of kind_name(); NULL: the place is free */
    int severity;
    int64_t events, count;
};

struct resolver_sum {
    bool used;
    struct conversation_key key; /* of its server; no client */
    char resolver[64], name[128];
    nsec_t first, last;
    uint64_t queries, responses, flows, flows_failed;
};

struct sums {
    sqlite3_stmt *add_event, *add_resolver; /* sums_event_text, sums_resolver_text; the caller's */
    struct event_sum events[SUM_PLACES];
    struct resolver_sum resolvers[SUM_PLACES];
};

extern const char sums_event_text[], sums_resolver_text[];

/* In a transaction. SD_EIO: nothing of it was noted. */
int sums_event(struct sums *s, const struct event_sum *one);
int sums_resolver(struct sums *s, const struct record *conversation);
/* In the same transaction: all of them become rows. SD_EIO: those that did not are kept. */
int sums_flush(struct sums *s);
/* The transaction is gone. */
void sums_forget(struct sums *s);

#endif
