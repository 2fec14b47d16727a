/* What has outlived its time, kind by kind, in steps. */
#ifndef SEALDNS_STORE_EXPIRE_H
#define SEALDNS_STORE_EXPIRE_H

#include <sqlite3.h>

#include "store/forget.h"

struct expiry {
    struct store_retention wish;
    unsigned kind;    /* whose turn it is */
    uint64_t expired; /* rows */
};

/* One step, of EXPIRE_ROWS rows of each table at most: lines of the query log, hours of
 * conversations that are summed up with their clients' sums, and the events of one kind. most:
 * octets of the store, of which the query log has a quarter; 0: any. SD_EIO. */
enum { EXPIRE_ROWS = 20000 };
int expire_step(sqlite3 *db, struct expiry *e, nsec_t now, uint64_t most);

/* Conversations that are summed up, and sums of clients, before ?1, at most ?2. */
extern const char expire_hours[], expire_days[], expire_months[];

/* Events that began before this are older than `most`. It moves on by a thousandth of that: each
 * time events go the chain has a note of it, and so there are a thousand at most. */
nsec_t expire_before(nsec_t now, nsec_t most);

#endif
