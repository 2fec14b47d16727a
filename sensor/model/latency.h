/* How long something took, in buckets of a logarithmic scale with two to an octave: up to 128 us,
 * up to 192, 256, 384, ... and above four seconds the last. A plain value. */
#ifndef SEALDNS_MODEL_LATENCY_H
#define SEALDNS_MODEL_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 32, LATENCY_OCTAVE = 7 };

static inline unsigned latency_bucket(uint32_t us)
{
    unsigned octave, bucket;

    if (us < 1u << LATENCY_OCTAVE)
        return 0;
    octave = 31u - (unsigned)__builtin_clz(us);
    bucket = 1 + 2 * (octave - LATENCY_OCTAVE) + (us >> (octave - 1) & 1);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* What lies in a bucket took less than this, in microseconds; the last has no such bound, and the
 * one given is where it begins. */
static inline uint32_t latency_below(unsigned bucket)
{
    uint32_t octave = UINT32_C(1) << (LATENCY_OCTAVE + bucket / 2);

    if (bucket >= LATENCY_BUCKETS - 1)
        return UINT32_C(1) << (LATENCY_OCTAVE + LATENCY_BUCKETS / 2 - 1);
    return bucket % 2 ? octave / 2 * 3 : octave;
}

#endif
