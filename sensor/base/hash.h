/* Seeded hashing: a stranger who does not know the seed cannot choose where his key lands. */
#ifndef SEALDNS_BASE_HASH_H
#define SEALDNS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3 64. */
uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);

/* Mixes two words; for keys that are already hashes. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    a ^= b + UINT64_C(0x9e3779b97f4a7c15) + (a << 6) + (a >> 2);
    a ^= a >> 32;
    a *= UINT64_C(0xd6e8feb86659fd93);
    return a ^ (a >> 32);
}

#endif
