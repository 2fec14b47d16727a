/* The evidence chain held against the rows it is of. */
#ifndef SEALDNS_STORE_VERIFY_H
#define SEALDNS_STORE_VERIFY_H

#include <stdio.h>

#include "base/signing.h"
#include "store/store.h"
#include "store/witness.h"

/* word, and what it says of rows `row` to `last` */
#define CHAIN_FAULTS(X)                                                                            \
    X(CHAIN_CHANGED, "changed")     /* is not what was written */                                  \
    X(CHAIN_MOVED, "moved")         /* stands where it was not written: `other` is its place */    \
    X(CHAIN_REMOVED, "removed")     /* is gone, and no note says so */                             \
    X(CHAIN_INSERTED, "inserted")   /* was not written by the sensor */                            \
    X(CHAIN_BROKEN, "broken")       /* does not follow from the row before it, `other` */          \
    X(CHAIN_REWRITTEN, "rewritten") /* the chain was made anew, as checkpoint `other` says */      \
    X(CHAIN_TRUNCATED, "truncated") /* was there when checkpoint `other` was made, and is gone */  \
    X(CHAIN_FORGED, "forged")       /* the checkpoint `other` is not signed by the key */          \
    X(CHAIN_LOST, "lost")           /* the checkpoint `other` is gone */                           \
    X(CHAIN_UNSIGNED, "unsigned")   /* no checkpoint of the key covers it */                       \
    X(CHAIN_FOREIGN, "foreign")     /* somebody without the key was there: a note says so */       \
    X(CHAIN_NOTE_CHANGED, "note")   /* a note, or its list of rows, is not what was written */

enum chain_fault {
#define X(word, name) word,
    CHAIN_FAULTS(X)
#undef X
};

const char *chain_fault_name(enum chain_fault fault);

struct chain_finding {
    enum chain_fault fault;
    int64_t row, last; /* the same where it is one */
    int64_t other;     /* 0: none */
    const char *id;    /* "": not known any more */
    uint32_t revision;
};

struct chain_told { /* a note */
    int64_t row, first, last, rows;
    nsec_t time;
    const char *why; /* one of chain.h; a word of a stranger's where the note was changed */
};

enum { VERIFY_KEYS = 8 };

struct verification {
    const unsigned char (*keys)[SIGNING_KEY]; /* any of them may have signed */
    size_t key_count; /* 0: whoever signed is believed, and the sum says who */
    void (*finding)(void *context, const struct chain_finding *f);
    void (*note)(void *context, const struct chain_told *n);
    void *context;
    /* Checkpoints that were kept elsewhere (store_checkpoint()): a log, line by line; NULL: none.
     */
    FILE *elsewhere;
};

struct verified {
    uint64_t rows, erased, notes, checkpoints, findings, elsewhere;
    int64_t first, last;                /* rows of the chain; 0: there is none */
    struct store_checkpoint checkpoint; /* the last good one */
    bool is_signed;
    unsigned char key[SIGNING_KEY]; /* of the last checkpoint */
};

/* All of it as of one moment, also beside a sensor that writes. Reads every row. SD_EIO; SD_EMEM;
 * SD_ESTATE: a store from before there was a chain. */
int store_verify(struct store_reader *r, const struct verification *v, struct verified *out);

#endif
