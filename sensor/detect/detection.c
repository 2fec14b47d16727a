#include "detect/detect.h"

#include <stdlib.h>

#define BATCH 32

enum { DETECTORS_MAX = 64 }; /* bits of a word */

/* What an observation calls of a detector. */
struct calls {
    void (*observe)(void *state, const struct observation *o);
    void (*prefetch)(const void *state, const struct observation *o);
    void (*prefetch_entry)(const void *state, const struct observation *o);
    void *state;
};

struct detection {
    struct finding_sink sink;
    struct stats *stats;
    struct own_cuts *cuts;
    struct readers readers;
    uint64_t prefetches, prefetches_entry; /* detectors that do, bits */
    void *state[DETECTORS_MAX];
    struct calls calls[DETECTORS_MAX];
};

static void count_and_pass(void *context, struct finding *f)
{
    struct detection *d = context;

    if (d->stats)
        d->stats->findings++;
    d->sink.put(d->sink.context, f);
}

static void list_calls(struct detection *d, const struct detector *detector, size_t i)
{
    struct reader reader = {&d->readers, UINT64_C(1) << i};

    d->calls[i] = (struct calls){detector->observe, detector->prefetch, detector->prefetch_entry,
                                 d->state[i]};
    d->prefetches |= detector->prefetch ? reader.bit : 0;
    d->prefetches_entry |= detector->prefetch_entry ? reader.bit : 0;
    reader_adds(reader, detector->reads ? detector->reads & ~READ_RARE : READ_ALL);
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
        own.reader = (struct reader){&d->readers, UINT64_C(1) << i};
        d->state[i] = detectors[i]->create(&own);
        if (!d->state[i]) {
            detection_destroy(d);
            return NULL;
        }
        list_calls(d, detectors[i], i);
    }
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

static void observe(struct detection *d, const struct observation *o, unsigned reads)
{
    uint64_t left = readers_of(&d->readers, reads);

    for (; left; left &= left - 1) {
        const struct calls *c = &d->calls[__builtin_ctzll(left)];

        c->observe(c->state, o);
    }
    if (o->kind < OBSERVE_PROBE)
        return;
    if (o->kind == OBSERVE_MET)
        own_cuts_note(d->cuts, o);
    observe_rare(d, o);
}

static void prefetch(struct detection *d, const struct observation *o, unsigned reads)
{
    uint64_t left = readers_of(&d->readers, reads) & d->prefetches;

    for (; left; left &= left - 1) {
        const struct calls *c = &d->calls[__builtin_ctzll(left)];

        c->prefetch(c->state, o);
    }
}

static void prefetch_entry(struct detection *d, const struct observation *o, unsigned reads)
{
    uint64_t left = readers_of(&d->readers, reads) & d->prefetches_entry;

    for (; left; left &= left - 1) {
        const struct calls *c = &d->calls[__builtin_ctzll(left)];

        c->prefetch_entry(c->state, o);
    }
}

static void observe_batch(struct detection *d, const struct observation *o, size_t count)
{
    unsigned reads[BATCH];

    for (size_t i = 0; i < count; i++) {
        reads[i] = o[i].kind < OBSERVE_PROBE ? reading_of(&o[i]) : 0;
        prefetch(d, &o[i], reads[i]);
    }
    for (size_t i = 0; i < count; i++)
        prefetch_entry(d, &o[i], reads[i]);
    for (size_t i = 0; i < count; i++)
        observe(d, &o[i], reads[i]);
}

void detection_observe(struct detection *d, const struct observation *o, size_t count)
{
    for (; count > BATCH; count -= BATCH, o += BATCH)
        observe_batch(d, o, BATCH);
    observe_batch(d, o, count);
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
