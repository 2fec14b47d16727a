#include "detect/novelty.h"

#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/hash.h"
#include "base/pages.h"
#include "base/ways.h"

#define LINE   16
#define SPARSE 64 /* one mark in so many: larger pages are worth it */

struct line {
    uint32_t mark[LINE]; /* the latest first; 0: free */
} __attribute__((aligned(64)));

struct novelty {
    uint64_t seed;
    size_t mask, sparse; /* marks to come until pages are enlarged */
    struct line *lines;
};

struct novelty *novelty_create(size_t capacity, uint64_t seed)
{
    struct novelty *n = calloc(1, sizeof *n);
    size_t lines = 1;

    if (!n)
        return NULL;
    while (lines * LINE < capacity)
        lines *= 2;
    n->seed = seed;
    n->mask = lines - 1;
    n->sparse = lines * LINE / SPARSE;
    n->lines = pages_zeroed(lines * sizeof *n->lines);
    if (n->lines)
        return n;
    free(n);
    return NULL;
}

void novelty_destroy(struct novelty *n)
{
    if (n)
        pages_free(n->lines);
    free(n);
}

size_t novelty_bytes(const struct novelty *n)
{
    return sizeof *n + (n->mask + 1) * sizeof *n->lines;
}

void novelty_prefetch(const struct novelty *n, uint64_t hash)
{
    fetch(&n->lines[hash_mix(n->seed, hash) & n->mask]);
}

bool novelty_is_new(struct novelty *n, uint64_t hash)
{
    uint64_t place = hash_mix(n->seed, hash);
    struct line *line = &n->lines[place & n->mask];
    uint32_t mark = (uint32_t)(place >> 32) | 1;

    if (ways_hold_word(line->mark, mark))
        return false;
    memmove(line->mark + 1, line->mark, sizeof line->mark - sizeof mark);
    line->mark[0] = mark;
    if (n->sparse && --n->sparse == 0)
        pages_enlarge(n->lines, (n->mask + 1) * sizeof *n->lines);
    return true;
}

bool novelty_knows(const struct novelty *n, uint64_t hash)
{
    uint64_t place = hash_mix(n->seed, hash);

    return ways_hold_word(n->lines[place & n->mask].mark, (uint32_t)(place >> 32) | 1);
}

void novelty_clear(struct novelty *n)
{
    memset(n->lines, 0, (n->mask + 1) * sizeof *n->lines);
}
