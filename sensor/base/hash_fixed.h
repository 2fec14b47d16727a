/* hash_bytes() of lengths that the compiler knows, laid out in place: half of the time. */
#ifndef SEALDNS_BASE_HASH_FIXED_H
#define SEALDNS_BASE_HASH_FIXED_H

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

/* An address. */
static inline uint64_t hash_16(const void *bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, 16, seed);
}

/* Two addresses and eight octets more. */
static inline uint64_t hash_40(const void *bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, 40, seed);
}

/* A flow's five-tuple and VLAN. */
static inline uint64_t hash_48(const void *bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, 48, seed);
}

#endif
