#include "detect/detect.h"

#include <stdlib.h>

enum { BATCH = 32, DETECTORS_MAX = 32, KEPT = 16 };

/* A function of a detector that an observation goes to. */
struct call {
    union {
        void (*observe)(void *state, const struct observation *o);
        void (*prefetch)(const void *state, const struct observation *o);
    };
    void *state;
};

/* Whom observations of one reading go to, in the detectors' order; each list ends with NULL. Few
 * readings occur, so what they come to is kept. */
struct calls {
    unsigned reads;
    uint32_t changes; /* of the readers, when it was made */
    struct call observe[DETECTORS_MAX + 1];
    struct call prefetch[DETECTORS_MAX + 1], prefetch_entry[DETECTORS_MAX + 1];
};

struct detection {
    struct finding_sink sink;
    struct stats *stats;
    struct own_cuts *cuts;
    struct readers readers;
    struct slots_record record;
    void *state[DETECTORS_MAX];
    struct calls calls[KEPT];
};

static void count_and_pass(void *context, struct finding *f)
{
    struct detection *d = context;

    if (d->stats)
        d->stats->findings++;
    d->sink.put(d->sink.context, f);
}

static void list_calls(struct detection *d, struct calls *c, unsigned reads)
{
    struct call *observe = c->observe, *prefetch = c->prefetch, *entry = c->prefetch_entry;

    c->reads = reads;
    c->changes = d->readers.changes;
    for (uint64_t left = readers_of(&d->readers, reads); left; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        const struct detector *detector = detectors[i];

        *observe++ = (struct call){.observe = detector->observe, .state = d->state[i]};
        if (detector->prefetch)
            *prefetch++ = (struct call){.prefetch = detector->prefetch, .state = d->state[i]};
        if (detector->prefetch_entry)
            *entry++ = (struct call){.prefetch = detector->prefetch_entry, .state = d->state[i]};
    }
    observe->observe = NULL;
    prefetch->prefetch = entry->prefetch = NULL;
}

static inline const struct calls *calls_of(struct detection *d, unsigned reads)
{
    struct calls *c = &d->calls[(reads ^ reads >> 6) % KEPT];

    if (c->reads != reads || c->changes != d->readers.changes)
        list_calls(d, c, reads);
    return c;
}

static bool create_all(struct detection *d, struct detector_setup setup)
{
    for (size_t i = 0; detectors[i] && i < DETECTORS_MAX; i++) {
        unsigned reads = detectors[i]->reads ? detectors[i]->reads & ~READ_RARE : READ_ALL;

        setup.reader = (struct reader){&d->readers, UINT64_C(1) << i};
        d->state[i] = detectors[i]->create(&setup);
        if (!d->state[i])
            return false;
        reader_adds(setup.reader, reads);
    }
    return true;
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
    own.record = &d->record;
    own.cuts = d->cuts = own_cuts_create(setup->seed);
    if (d->cuts && create_all(d, own) && slots_record_open(&d->record))
        return d;
    detection_destroy(d);
    return NULL;
}

void detection_destroy(struct detection *d)
{
    if (!d)
        return;
    for (size_t i = 0; detectors[i] && i < DETECTORS_MAX; i++)
        if (d->state[i])
            detectors[i]->destroy(d->state[i]);
    slots_record_close(&d->record);
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

static inline void prefetch(const struct call *c, const struct observation *o)
{
    for (; c->prefetch; c++)
        c->prefetch(c->state, o);
}

static void observe(struct detection *d, const struct observation *o, unsigned reads)
{
    const struct call *c;

    if (o->kind >= OBSERVE_PROBE) {
        if (o->kind == OBSERVE_MET)
            own_cuts_note(d->cuts, o);
        observe_rare(d, o);
        return;
    }
    for (c = calls_of(d, reads)->observe; c->observe; c++)
        c->observe(c->state, o);
}

static void observe_batch(struct detection *d, const struct observation *o, size_t count)
{
    unsigned reads[BATCH];

    for (size_t i = 0; i < count; i++) {
        reads[i] = o[i].kind < OBSERVE_PROBE ? reading_of(&o[i]) : 0;
        slots_record_prefetch(&d->record, o[i].note.who);
        prefetch(calls_of(d, reads[i])->prefetch, &o[i]);
    }
    for (size_t i = 0; i < count; i++)
        prefetch(calls_of(d, reads[i])->prefetch_entry, &o[i]);
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
    size_t sum = sizeof *d + own_cuts_bytes() + CLIENTS_MOST * d->record.padding;

    for (size_t i = 0; detectors[i]; i++)
        sum += detectors[i]->bytes(d->state[i]);
    return sum;
}
