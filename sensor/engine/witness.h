/* The last checkpoint of the evidence chain, told to whoever is not this machine: a line of the log
 * and an event to every output. What the store alone cannot show (that its end was taken off, that
 * all was made anew with the key) shows against these. */
#ifndef SEALDNS_ENGINE_WITNESS_H
#define SEALDNS_ENGINE_WITNESS_H

#include <jansson.h>

#include "base/signing.h"
#include "model/record.h"
#include "store/witness.h"

struct witness {
    struct signing_key *key; /* NULL: the store is chained and not signed */
    int64_t row;             /* what was told last */
    nsec_t told;
    uint64_t trespasses;
};

/* Reads or makes the key beside the store. Errors as of signing_open(). */
int witness_open(struct witness *w, const char *store_path, char error[SIGNING_ERROR]);
void witness_close(struct witness *w);
/* True: *out is an event to be told to store and outputs like any other, and the log has it; then
 * ask again. The checkpoint at most once an hour, and at the end (last), where rows were added
 * since; and that somebody without the key was in the store. */
bool witness_look(struct witness *w, const struct store *s, bool last, struct record *out);

/* {"signed": true, "row": N, "trespasses": 0}: the last row that a checkpoint of this run covers.
 */
json_t *witness_status(const struct witness *w, const struct store *s);

#endif
