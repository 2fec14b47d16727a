#include "detect/detect.h"

#include <stdlib.h>

#define DETECTORS_MAX 64
#define READINGS      3 /* bits of enum detector_reads */

/* A detector that gets observations of one reading. */
struct reader {
    void (*observe)(void *state, const struct observation *o);
    void *state;
};

struct prefetcher {
    void (*prefetch)(const void *state, const struct observation *o, bool entry);
    const void *state;
};

/* Side by side, in the detectors' order: every observation goes through one of these lists, and
 * what a detector does not look at costs nothing. */
struct readers {
    struct reader reader[DETECTORS_MAX + 1]; /* both lists end with NULL */
    struct prefetcher prefetcher[DETECTORS_MAX + 1];
};

struct detection {
    struct finding_sink sink;
    struct stats *stats;
    struct own_cuts *cuts;
    void *state[DETECTORS_MAX];
    struct readers readers[READINGS];
};

static void count_and_pass(void *context, struct finding *f)
{
    struct detection *d = context;

    if (d->stats)
        d->stats->findings++;
    d->sink.put(d->sink.context, f);
}

static void list_readers(struct detection *d, unsigned reading)
{
    struct reader *r = d->readers[reading].reader;
    struct prefetcher *p = d->readers[reading].prefetcher;

    for (size_t i = 0; detectors[i]; i++) {
        if (detectors[i]->reads && !(detectors[i]->reads & 1U << reading))
            continue;
        *r++ = (struct reader){detectors[i]->observe, d->state[i]};
        if (detectors[i]->prefetch)
            *p++ = (struct prefetcher){detectors[i]->prefetch, d->state[i]};
    }
}

struct detection *detection_create(const struct detector_setup *setup)
{
    struct detection *d = calloc(1, sizeof *d);
    struct detector_setup own = *setup;

    if (!d)
        return NULL;
    d->sink = setup->sink;
    d->stats = setup->stats;
    own.sink = (struct finding_sink){count_and_pass, d};
    own.cuts = d->cuts = own_cuts_create(setup->seed);
    if (!d->cuts) {
        free(d);
        return NULL;
    }
    for (size_t i = 0; detectors[i] && i < DETECTORS_MAX; i++) {
        d->state[i] = detectors[i]->create(&own);
        if (!d->state[i]) {
            detection_destroy(d);
            return NULL;
        }
    }
    for (unsigned reading = 0; reading < READINGS; reading++)
        list_readers(d, reading);
    return d;
}

void detection_destroy(struct detection *d)
{
    if (!d)
        return;
    for (size_t i = 0; detectors[i] && i < DETECTORS_MAX; i++)
        if (d->state[i])
            detectors[i]->destroy(d->state[i]);
    own_cuts_destroy(d->cuts);
    free(d);
}

void detection_use_policy(struct detection *d, const struct policy *policy, nsec_t now)
{
    detection_flush(d, now);
    for (size_t i = 0; detectors[i]; i++)
        detectors[i]->use_policy(d->state[i], policy);
}

/* What no conversation is of, and few detectors ask for. */
static void observe_rare(struct detection *d, const struct observation *o)
{
    for (size_t i = 0; detectors[i]; i++) {
        void (*hook)(void *, const struct observation *) =
            o->kind == OBSERVE_PROBE   ? detectors[i]->probed
            : o->kind == OBSERVE_LEASE ? detectors[i]->leased
            : o->kind == OBSERVE_STRAY ? detectors[i]->strayed
            : o->kind == OBSERVE_CUT   ? detectors[i]->cut
            : o->kind == OBSERVE_MET   ? detectors[i]->met
                                       : detectors[i]->vpn_began;

        if (hook)
            hook(d->state[i], o);
    }
}

void detection_observe(struct detection *d, const struct observation *o)
{
    const struct reader *r;

    if (o->kind == OBSERVE_MET)
        own_cuts_note(d->cuts, o);
    if (o->kind >= OBSERVE_PROBE) {
        observe_rare(d, o);
        return;
    }
    for (r = d->readers[detector_reading(o)].reader; r->observe; r++)
        r->observe(r->state, o);
}

void detection_prefetch(const struct detection *d, const struct observation *o, bool entry)
{
    const struct prefetcher *p;

    if (o->kind >= OBSERVE_PROBE)
        return;
    for (p = d->readers[detector_reading(o)].prefetcher; p->prefetch; p++)
        p->prefetch(p->state, o, entry);
}

void detection_tick(struct detection *d, nsec_t now)
{
    for (size_t i = 0; detectors[i]; i++)
        if (detectors[i]->tick)
            detectors[i]->tick(d->state[i], now);
}

void detection_flush(struct detection *d, nsec_t now)
{
    for (size_t i = 0; detectors[i]; i++)
        if (detectors[i]->flush)
            detectors[i]->flush(d->state[i], now);
}

void detection_remember(struct detection *d, struct memory_sink sink, nsec_t now)
{
    for (size_t i = 0; detectors[i]; i++)
        if (detectors[i]->remember)
            detectors[i]->remember(d->state[i], sink, now);
}

void detection_recall(struct detection *d, const struct memory *m)
{
    for (size_t i = 0; detectors[i]; i++)
        if (detectors[i]->recall)
            detectors[i]->recall(d->state[i], m);
}

size_t detection_bytes(const struct detection *d)
{
    size_t sum = sizeof *d + own_cuts_bytes();

    for (size_t i = 0; detectors[i]; i++)
        sum += detectors[i]->bytes(d->state[i]);
    return sum;
}
