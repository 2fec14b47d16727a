/* Was this seen before? A memory of the last million or so hashes in lines of a cache: sixteen to a
 * line, the oldest of a line goes first. What was forgotten counts as new once more; a hash that
 * meets its like (2^-28) as known. Seeded.
 * Worst case in bytes: capacity * 4, rounded up to a power of two. */
#ifndef SEALDNS_DETECT_NOVELTY_H
#define SEALDNS_DETECT_NOVELTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct novelty;

/* NULL: no memory. */
struct novelty *novelty_create(size_t capacity, uint64_t seed);
void novelty_destroy(struct novelty *n);
size_t novelty_bytes(const struct novelty *n);
void novelty_prefetch(const struct novelty *n, uint64_t hash);
/* True: it is new; from now on it is known. */
bool novelty_is_new(struct novelty *n, uint64_t hash);
bool novelty_knows(const struct novelty *n, uint64_t hash);
void novelty_clear(struct novelty *n);

#endif
