/* What an observation costs in the ring between a capture thread and the engine, which `analyze`
 * does not have: pushed and taken in bursts, on one core. Prints nanoseconds of CPU time for each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/ring.h"
#include "model/observation.h"

#define SLOTS 16384 /* of the sensor's own */
#define BURST 64

static uint64_t taken;

static int burst(struct ring *r, const struct observation *o)
{
    const struct observation *got;

    for (int i = 0; i < BURST; i++)
        if (ring_push(r, o, observation_size(o)) != SD_OK)
            return SD_ELIMIT;
    ring_wake(r);
    while ((got = ring_peek(r))) {
        taken += got->kind == o->kind;
        ring_pop(r);
    }
    return SD_OK;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) / BURST * BURST : 0;
    struct ring *r = ring_create("bench", sizeof(struct observation), SLOTS);
    struct observation o = {.kind = OBSERVE_DNS, .dns.message.qname_length = 24};
    struct timespec used;

    if (!r || !count) {
        fprintf(stderr, r ? "usage: bench_ring COUNT\n" : "no memory\n");
        return 2;
    }
    for (uint64_t done = 0; done < count; done += BURST)
        if (burst(r, &o) != SD_OK)
            return 1;
    ring_destroy(r);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    printf("%.1f %zu\n", ((double)used.tv_sec * 1e9 + (double)used.tv_nsec) / (double)count,
           observation_size(&o));
    return taken == count ? 0 : 1;
}
