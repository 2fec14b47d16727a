/* Where the registrable domain of a name begins, by the public suffix list: "www.example.co.uk" is
 * of "example.co.uk". */
#ifndef SEALDNS_ACCOUNT_SUFFIX_H
#define SEALDNS_ACCOUNT_SUFFIX_H

#include <stdint.h>

#include "model/dns.h"

struct suffix;

/* The list is the one that libpsl was built with; no file is read. NULL: no memory, or it has none.
 */
struct suffix *suffix_create(uint64_t seed);
void suffix_destroy(struct suffix *s);
/* The offset in the question; that of its last octet (the root) when it has none. */
unsigned suffix_of(struct suffix *s, const struct dns_message *m);

#endif
