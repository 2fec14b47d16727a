#include "detect/reading.h"

uint64_t readers_of(const struct readers *r, unsigned reads)
{
    uint64_t all = 0;

    for (; reads; reads &= reads - 1)
        all |= r->of[__builtin_ctz(reads)];
    return all;
}

static void change(struct readers *r, uint64_t *of, uint64_t to)
{
    r->changes += *of != to;
    *of = to;
}

void reader_adds(struct reader r, unsigned reads)
{
    for (; r.readers && reads; reads &= reads - 1) {
        uint64_t *of = &r.readers->of[__builtin_ctz(reads)];

        change(r.readers, of, *of | r.bit);
    }
}

void reader_drops(struct reader r, unsigned reads)
{
    for (; r.readers && reads; reads &= reads - 1) {
        uint64_t *of = &r.readers->of[__builtin_ctz(reads)];

        change(r.readers, of, *of & ~r.bit);
    }
}
