/* The SQLite store: one writer, batched, WAL; readers apart that never block it. */
#ifndef SEALDNS_STORE_STORE_H
#define SEALDNS_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/history.h"
#include "model/record.h"

#define STORE_ERROR 256

struct store;
struct signing_key;

struct store_options {
    const char *path;
    uint64_t max_size;       /* bytes, 0: unbounded; the oldest go first */
    nsec_t max_age;          /* 0: unbounded */
    const char *host;        /* sensor.name, written with every event */
    struct signing_key *key; /* borrowed: signs checkpoints of the chain; NULL: none are made */
    nsec_t now;              /* when rows of an older store are chained; 0: not known */
    size_t cache;            /* bytes of SQLite's; 0: 16 MiB, for a report twice that */
    bool report; /* nobody reads along, and a run that was cut short is run again: a new file
                    is written once, without a log and without waiting for the disk */
};

/* Creates or migrates. SD_EVERSION: from a newer program; SD_EIO, SD_EPERM, SD_EFORMAT (no SQLite
 * database): error says which and what to do. */
int store_open(const struct store_options *options, struct store **out, char error[STORE_ERROR]);
/* Commits what is pending. */
void store_close(struct store *s);

/* Adds to the open batch. json: the EVE line of an event record, kept as it is; NULL otherwise. */
int store_write(struct store *s, const struct record *r, const char *json);
/* Ends the batch: durable after it returned SD_OK (synchronous FULL for batches with events). */
int store_commit(struct store *s);
/* Applies max_size and max_age; bounded work; call about once a minute. */
int store_retain(struct store *s, nsec_t now);

/* Readers */
struct store_reader;
int store_reader_open(const char *path, struct store_reader **out, char error[STORE_ERROR]);
void store_reader_close(struct store_reader *r);

struct event_filter {
    nsec_t since, until;       /* 0: open */
    int kind;                  /* -1: any */
    int severity;              /* at least as grave as; 0: any */
    const struct addr *client; /* NULL: any */
    int64_t after_row;         /* --follow: rows beyond this one */
    bool all_revisions;        /* else the last of each event */
};
struct event_row {
    int64_t row;
    const char *id;
    uint32_t revision;
    nsec_t time;
    const char *json; /* the EVE line */
};
/* In the order they were written. fn returns non-zero to stop. SD_EIO. */
int store_events(struct store_reader *r, const struct event_filter *filter,
                 int (*fn)(void *context, const struct event_row *row), void *context);

/* What was learned: all of a topic, or of every topic (NULL), or of one key (else NULL). text is
 * JSON, for people. A store from before there was a memory has none. */
struct memory_row {
    const char *topic, *key, *text;
    nsec_t time;
    const void *body;
    size_t size;
};
int store_memory(struct store_reader *r, const char *topic, const char *key,
                 int (*fn)(void *context, const struct memory_row *row), void *context);

/* For explain and status: hourly conversation rows of one address, newest first, at most limit. */
struct conversation_row {
    nsec_t hour;
    struct conversation conversation;
    const char *zone, *resolver;
};
int store_conversations(struct store_reader *r, const struct addr *either, nsec_t since, int limit,
                        int (*fn)(void *context, const struct conversation_row *row),
                        void *context);

/* Every recorded hour of every conversation from the hour of `since` on, by hour, client and
 * server; millions a second. What the sensor folded together has no client and no server (""). What
 * take() returned if that was not SD_OK; SD_EIO. */
int store_history(struct store_reader *r, nsec_t since, const struct history_sink *sink);

/* Who was kept from which server by rules, as the events since then tell: clear text (else as an
 * unapproved resolver). fn as above. SD_EIO. */
struct blocked_row {
    const char *client, *server;
    bool cleartext;
};
int store_blocked(struct store_reader *r, nsec_t since,
                  int (*fn)(void *context, const struct blocked_row *row), void *context);

#endif
