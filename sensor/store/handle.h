/* What the parts of the writer share. */
#ifndef SEALDNS_STORE_HANDLE_H
#define SEALDNS_STORE_HANDLE_H

#include <sqlite3.h>

#include "store/expire.h"
#include "store/store.h"
#include "store/sums.h"

struct chain;

enum statement {
    ADD_EVENT,
    ADD_CONVERSATION,
    ADD_LATE,
    PREVIOUS_EVENT,
    ADD_EVENT_DAY,
    ADD_CLIENT,
    ADD_RESOLVER,
    ADD_STATS,
    ADD_MEMORY,
    FORGET,
    ADD_QUERY,
    STATEMENTS
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct store_options options;
    char host[64];
    bool open_batch;
    bool once; /* a new file of one run */
    bool late; /* there is something in temp.late */
    struct expiry expiry;
    nsec_t rolled;  /* hours before this one are in the sums, as of the open batch */
    nsec_t thinned; /* hours of counters before this one were looked at */
    struct sums sums;
    struct chain *chain;
};

/* A batch, where none is open. SD_EIO; also as long as one that was rolled back is not yet told by
 * store_commit(). */
int store_begin(struct store *s);
/* Rolls the open batch back. */
void store_give_up(struct store *s);
/* The number a query answers; 0: none. */
int64_t store_number(struct store *s, const char *text);

#endif
