#include "engine/merge.h"

/* What is not later than this will not be preceded by anything of that source. */
static nsec_t limit(struct merge_source *s, nsec_t now)
{
    nsec_t behind = atomic_load_explicit(&s->behind, memory_order_acquire), old;
    const struct observation *o = ring_peek(s->ring); /* after: what it says was pushed before */

    if (o)
        return o->time;
    old = now - (behind ? MERGE_HOLD_BEHIND : MERGE_HOLD);
    return behind > old ? behind : old;
}

static const struct observation *oldest(struct merge *m)
{
    const struct observation *least = NULL;

    for (size_t i = 0; i < m->count; i++) {
        const struct observation *o = ring_peek(m->source[i].ring);

        if (!o || (least && o->time >= least->time))
            continue;
        least = o;
        m->at = i;
    }
    return least;
}

/* A clock that was set back, or a ring that fills, is no reason to wait. */
static bool must_go(const struct merge *m, const struct observation *o, nsec_t now)
{
    const struct ring *ring = m->source[m->at].ring;

    return o->time > now || ring_length(ring) > ring_capacity(ring) / 2;
}

const struct observation *merge_next(struct merge *m, nsec_t now)
{
    const struct observation *o = ring_peek(m->source[m->at].ring);

    if (o && o->time <= m->until)
        return o;
    o = oldest(m);
    m->until = INT64_MAX;
    for (size_t i = 0; i < m->count; i++) {
        nsec_t one = i == m->at ? INT64_MAX : limit(&m->source[i], now);

        if (one < m->until)
            m->until = one;
    }
    return o && (o->time <= m->until || must_go(m, o, now)) ? o : NULL;
}

void merge_take(struct merge *m)
{
    ring_pop(m->source[m->at].ring);
}

nsec_t merge_wait(struct merge *m, nsec_t now)
{
    const struct observation *o = oldest(m);
    nsec_t wait = o ? o->time + MERGE_HOLD - now : -1;

    if (o && wait < NSEC_MS) /* a thread that is behind goes on by itself */
        return NSEC_MS;
    return wait > MERGE_HOLD ? MERGE_HOLD : wait;
}
