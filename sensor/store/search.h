/* What a person looks for: events page by page, clients, resolvers. Newest first. Texts are valid
 * during the call; fn returns non-zero to stop; all return SD_OK or SD_EIO, which may mean that the
 * budget was spent (store_reader_budget). */
#ifndef SEALDNS_STORE_SEARCH_H
#define SEALDNS_STORE_SEARCH_H

#include "store/store.h"

enum { SEARCH_WINDOW = 100000 }; /* rows that one search for a text looks through */

/* Steps of SQLite's machine that this reader may take from here on, all questions together; a
 * million takes some ten milliseconds. */
void store_reader_budget(struct store_reader *r, int64_t steps);

struct event_search {
    nsec_t since, until;                /* 0: open */
    int kind;                           /* -1: any */
    int severity;                       /* at least as grave as; 0: any */
    const char *zone, *client, *server; /* NULL: any */
    const char *text;                   /* anywhere in its line, whatever case; NULL: any */
    int64_t before;                     /* only rows before this one; 0: from the newest */
    int limit;
};
/* Each event as it stands now. *next: `before` of the next page, 0: there is none. */
int store_search(struct store_reader *r, const struct event_search *s, int64_t *next,
                 int (*fn)(void *context, const struct event_row *row), void *context);
/* All revisions of one event, in the order they were written. */
int store_event(struct store_reader *r, const char *id,
                int (*fn)(void *context, const struct event_row *row), void *context);
/* The row that was written last; 0: none. */
int64_t store_last_row(struct store_reader *r);

struct client_search {
    const char *text, *zone, *client; /* a part of its address; NULL: any. client: that one alone */
    nsec_t before;                    /* seen last before then; 0: from the newest */
    int limit;
};
struct client_seen {
    const char *client, *zone, *profile; /* profile: JSON, "" where none was learned */
    nsec_t first, last;
    uint64_t queries_clear, queries_sealed, flows_failed;
};
int store_clients(struct store_reader *r, const struct client_search *s,
                  int (*fn)(void *context, const struct client_seen *seen), void *context);

struct resolver_seen {
    const char *server, *resolver, *name;
    uint16_t server_port;
    enum transport transport;
    nsec_t first, last;
    uint64_t queries, responses, flows, flows_failed;
    uint64_t clients; /* since `since` */
    bool approved;
};
/* server: of that one alone; NULL: the most asked. */
int store_resolvers(struct store_reader *r, const char *server, nsec_t since, int limit,
                    int (*fn)(void *context, const struct resolver_seen *seen), void *context);

struct resolver_user {
    const char *client, *zone;
    enum transport transport;
    uint64_t queries;
    nsec_t last;
};
int store_users(struct store_reader *r, const char *server, nsec_t since, int limit,
                int (*fn)(void *context, const struct resolver_user *user), void *context);

#endif
