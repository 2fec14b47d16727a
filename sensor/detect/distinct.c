#include "detect/distinct.h"

#include <math.h>

void distinct_merge(struct distinct *d, const struct distinct *more)
{
    for (unsigned i = 0; i < DISTINCT_REGISTERS / 2; i++) {
        uint8_t a = d->pair[i], b = more->pair[i];
        unsigned low = (a & 15U) > (b & 15U) ? a & 15U : b & 15U;
        unsigned high = (a & 0xf0U) > (b & 0xf0U) ? a & 0xf0U : b & 0xf0U;

        d->pair[i] = (uint8_t)(high | low);
    }
}

double distinct_count(const struct distinct *d)
{
    const double registers = DISTINCT_REGISTERS;
    double sum = 0, estimate;
    unsigned empty = 0;

    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++) {
        unsigned rank = d->pair[i / 2] >> (i & 1) * 4 & 15U;

        sum += ldexp(1, -(int)rank);
        empty += rank == 0;
    }
    estimate = 0.709 * registers * registers / sum;
    return estimate <= 2.5 * registers && empty ? registers * log(registers / empty) : estimate;
}
