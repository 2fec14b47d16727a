#include "detect/reading.h"

#include <string.h>

uint64_t readers_add_up(struct readers *r, unsigned reads)
{
    unsigned at = (reads ^ reads >> 6) % (sizeof r->known / sizeof *r->known);
    uint64_t all = 0;

    for (unsigned left = reads; left; left &= left - 1)
        all |= r->of[__builtin_ctz(left)];
    r->known[at].reads = reads;
    r->known[at].all = all;
    return all;
}

void reader_adds(struct reader r, unsigned reads)
{
    for (; r.readers && reads; reads &= reads - 1) {
        uint64_t *of = &r.readers->of[__builtin_ctz(reads)];

        if (*of & r.bit)
            continue;
        *of |= r.bit;
        memset(r.readers->known, 0, sizeof r.readers->known);
    }
}

void reader_drops(struct reader r, unsigned reads)
{
    for (; r.readers && reads; reads &= reads - 1) {
        uint64_t *of = &r.readers->of[__builtin_ctz(reads)];

        if (!(*of & r.bit))
            continue;
        *of &= ~r.bit;
        memset(r.readers->known, 0, sizeof r.readers->known);
    }
}
