#include "random.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31);
}

void random_seed(struct random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        r->state[i] = random_mix(seed += 0x9e3779b97f4a7c15U);
    }
}

static uint64_t rotate(uint64_t word, int by)
{
    return (word << by) | (word >> (64 - by));
}

/* xoshiro256** */
uint64_t random_next(struct random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t random_below(struct random *r, uint32_t bound)
{
    return (uint32_t)(((random_next(r) >> 32) * bound) >> 32);
}

double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

double random_exponential(struct random *r, double mean)
{
    return -mean * log(1.0 - random_unit(r));
}

uint32_t random_heavy(struct random *r, uint32_t least, uint32_t most)
{
    double size = least * pow(1.0 - random_unit(r), -1.0 / 1.2);
    return size < most ? (uint32_t)size : most;
}

void random_bytes(struct random *r, uint8_t *out, size_t length)
{
    while (length >= 8) {
        uint64_t word = random_next(r);
        memcpy(out, &word, 8);
        out += 8;
        length -= 8;
    }
    uint64_t word = random_next(r);
    memcpy(out, &word, length);
}

void zipf_create(struct zipf *z, uint32_t count, double exponent)
{
    z->count = count;
    z->cumulative = malloc(count * sizeof *z->cumulative);
    if (z->cumulative == NULL) {
        err(1, "out of memory");
    }
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += pow(i + 1.0, -exponent);
        z->cumulative[i] = sum;
    }
}

void zipf_destroy(struct zipf *z)
{
    free(z->cumulative);
    z->cumulative = NULL;
}

uint32_t zipf_draw(const struct zipf *z, struct random *r)
{
    double wanted = random_unit(r) * z->cumulative[z->count - 1];
    uint32_t low = 0, high = z->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (z->cumulative[middle] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
