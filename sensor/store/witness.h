/* What the writer of the evidence chain (chain.h) tells others of it. */
#ifndef SEALDNS_STORE_WITNESS_H
#define SEALDNS_STORE_WITNESS_H

#include "store/store.h"

/* Up to a row the chain (chain.h) is as its hash says, signed. text is that, for who keeps it
 * elsewhere. */
enum { STORE_CHECKPOINT = 448 };
struct store_checkpoint {
    int64_t number, row; /* 0: there is none */
    nsec_t time;         /* of the latest event in it */
    unsigned char hash[32], signature[64];
};
/* The last that was committed. text: SIGNED:SIGNATURE, or "". */
void store_checkpoint(const struct store *s, struct store_checkpoint *out,
                      char text[STORE_CHECKPOINT]);

/* Rows that somebody without the key added or took away, as this process noticed; count grows with
 * each time. */
struct store_trespass {
    uint64_t count;
    int64_t first, last; /* the latest */
};
struct store_trespass store_trespass(const struct store *s);

#endif
