#include "base/hash.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

/* The key of a flow. A length that the compiler knows saves a third of the time. */
enum { FLOW = 48 };

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    if (length == FLOW)
        return XXH3_64bits_withSeed(bytes, FLOW, seed);
    return XXH3_64bits_withSeed(bytes, length, seed);
}
