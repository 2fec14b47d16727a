/* Where the registrable domain of a name begins, by the public suffix list: "www.example.co.uk" is
 * of "example.co.uk". What was looked up is kept by the name's hash, since the list walks text. */
#ifndef SEALDNS_ACCOUNT_SUFFIX_H
#define SEALDNS_ACCOUNT_SUFFIX_H

#include "model/observation.h"

struct suffix;

/* Reads the list that the library was built with, no file. NULL: no memory, or it has none. */
struct suffix *suffix_create(uint64_t seed);
void suffix_destroy(struct suffix *s);
void suffix_prefetch(const struct suffix *s, const struct observation *o);
/* Writes domain and domain_hash into the note of an OBSERVE_DNS; elsewhere 0. */
void suffix_note(struct suffix *s, struct observation *o);

#endif
