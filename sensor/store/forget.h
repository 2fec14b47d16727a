/* What leaves the store before the rest: by kind and time, and one client's on request. */
#ifndef SEALDNS_STORE_FORGET_H
#define SEALDNS_STORE_FORGET_H

#include "base/addr.h"
#include "model/names.h"
#include "store/store.h"

/* How long a kind of row stays; 0: as store_options.max_age says. */
struct store_retention {
    nsec_t kinds[KIND_COUNT];      /* events */
    nsec_t conversations, queries; /* with the clients' sums; the query log */
};

/* From the next store_retain() on. */
void store_use_retention(struct store *s, const struct store_retention *wish);
/* Rows that store_retain() took out for their age by kind. */
uint64_t store_expired(const struct store *s);

struct forgetting {
    const struct addr *addresses; /* of the client, its pseudonyms too */
    size_t count;
    bool dry_run; /* only counted */
    nsec_t now;
    /* Each capture that an event of the client names. */
    void (*capture)(void *context, const char *name);
    void *context;
};

enum { FORGET_TABLES = 9 };

struct forgotten {
    struct forgotten_rows {
        const char *what; /* "events", "mentions in events of others", ... */
        uint64_t rows;
    } tables[FORGET_TABLES];
    bool log_stays; /* somebody else is in it: old octets are there until it is run again */
};

/* Contents of its events are erased; id, revision, kind, times and counts stay, so that sums and
 * what refers to them stay whole; the evidence chain has a note of it. Where others' events name it
 * a "-" stands then. The rest goes. The file is written anew, as SQLite leaves old octets in its
 * pages: a second for 100 MB or so. SD_EIO: nothing changed; SD_EMEM. */
int store_forget(struct store *s, const struct forgetting *f, struct forgotten *out);

#endif
