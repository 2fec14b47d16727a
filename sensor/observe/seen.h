/* Which five-tuples carried a DNS datagram lately, as fingerprints: one cache line a lookup.
 * Worst case in bytes: 8 * capacity. A five-tuple pushed out by others counts as new when it comes
 * again; two that share a fingerprint (one in 2^32 for each of eight neighbours) count as one. */
#ifndef SEALDNS_OBSERVE_SEEN_H
#define SEALDNS_OBSERVE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen;

enum { SEEN_LIFETIME = 120 }; /* seconds of silence after which a five-tuple is a new flow */

/* NULL: out of memory. */
struct seen *seen_create(size_t capacity);
void seen_destroy(struct seen *s);
/* Asks the memory for what seen_message() will read. */
void seen_prefetch(const struct seen *s, uint64_t hash);
struct seen_before {
    bool first; /* nothing of this five-tuple within its lifetime */
    bool asked; /* a query was, this one included */
};

/* second: of the packet's time. */
struct seen_before seen_message(struct seen *s, uint64_t hash, uint32_t second, bool query);

#endif
