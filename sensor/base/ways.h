/* Which of the eight ways of a bucket hold a tag: all of them compared at once, in the compiler's
 * vectors. A loop over them is a third of the instructions of a look-up. */
#ifndef SEALDNS_BASE_WAYS_H
#define SEALDNS_BASE_WAYS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WAYS_EIGHT = 8 };

typedef uint16_t ways_short __attribute__((vector_size(16)));
typedef uint32_t ways_word __attribute__((vector_size(16)));

/* Bit n: tag[n] is wanted. */
static inline unsigned ways_of_short(const uint16_t tag[WAYS_EIGHT], uint16_t wanted)
{
    const ways_short bits = {1, 2, 4, 8, 16, 32, 64, 128};
    ways_short all, found;
    uint64_t half[2];

    memcpy(&all, tag, sizeof all);
    found = (ways_short)(all == wanted) & bits;
    memcpy(half, &found, sizeof half);
    half[0] |= half[1];
    half[0] |= half[0] >> 32;
    return (half[0] | half[0] >> 16) & 255;
}

/* The same of words; bits of `ignored` need not agree. */
static inline unsigned ways_of_word(const uint32_t tag[WAYS_EIGHT], uint32_t wanted,
                                    uint32_t ignored)
{
    const ways_word low = {1, 2, 4, 8}, high = {16, 32, 64, 128};
    ways_word first, second, found;
    uint64_t half[2];

    memcpy(&first, tag, sizeof first);
    memcpy(&second, tag + 4, sizeof second);
    found = ((ways_word)((first | ignored) == (wanted | ignored)) & low) |
            ((ways_word)((second | ignored) == (wanted | ignored)) & high);
    memcpy(half, &found, sizeof half);
    half[0] |= half[1];
    return (half[0] | half[0] >> 32) & 255;
}

/* Whether one of sixteen words is wanted: a line of the cache. */
static inline bool ways_hold_word(const uint32_t word[16], uint32_t wanted)
{
    ways_word four[4], found;
    uint64_t half[2];

    memcpy(four, word, sizeof four);
    found = (ways_word)(four[0] == wanted) | (ways_word)(four[1] == wanted) |
            (ways_word)(four[2] == wanted) | (ways_word)(four[3] == wanted);
    memcpy(half, &found, sizeof half);
    return (half[0] | half[1]) != 0;
}

/* The lowest of them. For a loop: for (; ways; ways &= ways - 1) */
static inline unsigned ways_first(unsigned ways)
{
    return (unsigned)__builtin_ctz(ways);
}

#endif
