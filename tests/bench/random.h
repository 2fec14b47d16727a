/* Random numbers that are the same on every machine for the same seed. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_next(struct random *r);
/* Uniform in [0, bound); bound is not 0. */
uint32_t random_below(struct random *r, uint32_t bound);
/* Uniform in [0, 1). */
double random_unit(struct random *r);
/* Exponential with this mean. */
double random_exponential(struct random *r, double mean);
/* Pareto with shape 1.2 from `least`, cut off at `most`: the sizes of transfers. */
uint32_t random_heavy(struct random *r, uint32_t least, uint32_t most);
void random_bytes(struct random *r, uint8_t *out, size_t length);
/* A fixed mixing of one word: distinct in, distinct out. */
uint64_t random_mix(uint64_t word);

/* Ranks 0..count-1, the first the most frequent. */
struct zipf {
    double *cumulative;
    uint32_t count;
};

void zipf_create(struct zipf *z, uint32_t count, double exponent);
void zipf_destroy(struct zipf *z);
uint32_t zipf_draw(const struct zipf *z, struct random *r);

#endif
