/* The evidence chain: every row of events, in the order written, has a link: a digest of its
 * contents and a hash over the link before and that digest. Who changes, takes out, adds or moves a
 * row breaks it, and who makes all of it anew meets the checkpoints, which the installation's key
 * has signed. What retention and forget take out leaves its link, and a note that is a link itself.
 * Internal to store/, but for store_checkpoint(). */
#ifndef SEALDNS_STORE_CHAIN_H
#define SEALDNS_STORE_CHAIN_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/signing.h"
#include "base/time.h"
#include "store/digest.h"
#include "store/store.h"
#include "store/witness.h"

/* All that is told of an event, in the order of its digest. */
#define CHAIN_EVENT                                                                                \
    "id, revision, state, kind, rule, severity, verdict, time, first, last, count, client, "       \
    "server,"                                                                                      \
    " zone, resolver, host, json"
#define CHAIN_NOTE "time, why, first, last, rows, base_row, base_hash, list"
enum { CHAIN_EVENT_COLUMNS = 17, CHAIN_NOTE_COLUMNS = 8 };

/* Why there is a note. */
#define WHY_MIGRATED  "migrated" /* rows that were there before there was a chain */
#define WHY_UNSIGNED  "unsigned" /* rows that were chained before there was a key */
#define WHY_KEY       "key" /* rows that another key signed, which was the installation's, or was not */
#define WHY_FOREIGN   "foreign"   /* rows that somebody without the key added or took away */
#define WHY_AGE       "age"       /* taken out: older than store.max_age or the kind's own time */
#define WHY_SIZE      "size"      /* taken out: the store was full */
#define WHY_FORGOTTEN "forgotten" /* contents erased on request */

struct chain_place {
    int64_t row; /* of the last link; 0: there is none */
    unsigned char hash[DIGEST];
    nsec_t time; /* of the latest row */
    struct store_checkpoint checkpoint;
    int64_t slot_row; /* where the checkpoint's number began: it moves along until it is full */
    nsec_t slot_time;
};

struct chain {
    sqlite3 *db;
    struct signing_key *key; /* borrowed; NULL: no checkpoint is made */
    struct digester *digester;
    sqlite3_stmt *head, *newest, *add;
    struct chain_place now, settled; /* in the open transaction; as committed */
    int64_t next;                    /* the row that comes */
    int64_t began;                   /* the last link when the transaction began */
    bool known;                      /* settled is */
    nsec_t opened;                   /* 0: not known */
    struct store_trespass trespass;
};

/* db: migrated. Rows without a chain are chained, and a note says so. SD_EMEM, SD_EIO. */
int chain_open(sqlite3 *db, struct signing_key *key, nsec_t now, struct chain **out);
void chain_close(struct chain *c);

/* In a transaction, first of all: where the chain ends. What others wrote is noted. SD_EIO. */
int chain_begin(struct chain *c);
/* The row c->next, whose digest is ready in c->digester. SD_EIO: roll back. */
int chain_add(struct chain *c, const unsigned char *salt, nsec_t time);
/* In the transaction, last of all: a checkpoint, where there is a key and something was added. */
int chain_seal(struct chain *c);
/* The transaction was committed. */
void chain_settle(struct chain *c);

/* What is signed of a checkpoint; key: public half. */
#define CHECKPOINT_WORD "sealdns-checkpoint/1:"
enum { CHECKPOINT_SIGNED = 256 };
int checkpoint_text(const struct store_checkpoint *p, const unsigned char *key,
                    char out[CHECKPOINT_SIGNED]);

/* segment.c: a note of what the statements of this transaction took out of events, or changed
 * there; the front of the chain is cut where nothing stands on it any more. SD_EIO, SD_EMEM. */
int chain_close_segment(struct chain *c, const char *why, nsec_t now);
struct chain_note {
    const char *why;
    nsec_t time;
    int64_t first, last, rows;
    int64_t base_row; /* 0: nothing is cut */
    const unsigned char *base_hash, *list;
};
int chain_note(struct chain *c, const struct chain_note *note);
/* Before any statement is prepared: what is taken out of events is noted in temp.gone. */
int chain_watch(sqlite3 *db);

#endif
