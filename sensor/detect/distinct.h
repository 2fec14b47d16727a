/* How many different things there were, from their hashes: HyperLogLog (Flajolet and others, AOFA
 * 2007) of 64 registers of four bits, so about 13 % off; small numbers by linear counting. 32
 * bytes, and two of them merge without loss. The hashes are to be seeded where strangers choose
 * what is hashed. A plain value. */
#ifndef SEALDNS_DETECT_DISTINCT_H
#define SEALDNS_DETECT_DISTINCT_H

#include <stdint.h>

enum { DISTINCT_REGISTERS = 64 };

struct distinct {
    uint8_t pair[DISTINCT_REGISTERS / 2]; /* two registers an octet */
};

static inline void distinct_add(struct distinct *d, uint64_t hash)
{
    unsigned at = (unsigned)(hash >> 58), shift = (at & 1) * 4;
    unsigned rank = 1 + (unsigned)__builtin_ctzll(hash | UINT64_C(1) << 14);
    uint8_t *pair = &d->pair[at / 2];

    if ((*pair >> shift & 15U) < rank)
        *pair = (uint8_t)((*pair & 0xf0U >> shift) | rank << shift);
}

void distinct_merge(struct distinct *d, const struct distinct *more);
double distinct_count(const struct distinct *d);

#endif
