#include "detect/tallied.h"

#include <stdlib.h>

#include "detect/draft.h"

void *tallied_create(const struct tallied_shape *shape, const struct detector_setup *setup)
{
    struct tallied *t = calloc(1, shape->state_size);
    struct tally_shape tally = {.item_size = shape->item_size,
                                .capacity = bounds_share(setup->bounds, shape->capacity),
                                .seed = setup->seed,
                                .idle = draft_idle(setup->policy, shape->rule),
                                .stats = setup->stats,
                                .tell = shape->tell,
                                .context = t};

    if (!t)
        return NULL;
    t->rule = shape->rule;
    t->policy = setup->policy;
    t->sink = setup->sink;
    t->stats = setup->stats;
    t->tally = tally_create(&tally);
    if (t->tally)
        return t;
    free(t);
    return NULL;
}

void tallied_destroy(void *state)
{
    struct tallied *t = state;

    tally_destroy(t->tally);
    free(t);
}

void tallied_use_policy(void *state, const struct policy *policy)
{
    struct tallied *t = state;

    t->policy = policy;
    tally_set_idle(t->tally, draft_idle(policy, t->rule));
}

void tallied_tick(void *state, nsec_t now)
{
    tally_tick(((struct tallied *)state)->tally, now);
}

void tallied_flush(void *state, nsec_t now)
{
    tally_flush(((struct tallied *)state)->tally, now);
}

size_t tallied_bytes(const void *state)
{
    return tally_bytes(((const struct tallied *)state)->tally);
}

void tallied_say(struct tallied *t, struct finding *f)
{
    t->sink.put(t->sink.context, f);
}
