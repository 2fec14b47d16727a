#include "observe/wheel.h"

#include "observe/flow.h"

#define IS_SLOT (UINT32_C(1) << 31)

static struct flow *flow_of(const struct wheel *w, uint32_t name)
{
    return &w->flows[name - 1];
}

uint64_t wheel_tick(const struct wheel *w, nsec_t time)
{
    nsec_t ticks = (time - w->origin) / WHEEL_TICK;

    return ticks < 0 ? 0 : (uint64_t)ticks;
}

static void link_into(struct wheel *w, uint32_t slot, struct flow *f)
{
    uint32_t name = (uint32_t)(f - w->flows) + 1;

    f->timer_next = w->slot[slot];
    f->timer_previous = IS_SLOT | slot;
    if (f->timer_next)
        flow_of(w, f->timer_next)->timer_previous = name;
    w->slot[slot] = name;
}

int32_t wheel_ahead(uint64_t tick, const struct flow *f)
{
    return (int32_t)(f->due - (uint32_t)tick);
}

bool wheel_is_armed(const struct flow *f)
{
    return f->timer_previous != 0;
}

void wheel_disarm(struct wheel *w, struct flow *f)
{
    if (!wheel_is_armed(f))
        return;
    if (f->timer_previous & IS_SLOT)
        w->slot[f->timer_previous & ~IS_SLOT] = f->timer_next;
    else
        flow_of(w, f->timer_previous)->timer_next = f->timer_next;
    if (f->timer_next)
        flow_of(w, f->timer_next)->timer_previous = f->timer_previous;
    f->timer_previous = 0;
}

/* A deadline beyond the wheel's span waits in the last slot and moves on from there. */
static void place(struct wheel *w, struct flow *f)
{
    int32_t ahead = wheel_ahead(w->at, f);

    if (ahead < 0)
        ahead = 0;
    if (ahead >= WHEEL_SLOTS)
        ahead = WHEEL_SLOTS - 1;
    link_into(w, (uint32_t)((w->at + (uint64_t)ahead) % WHEEL_SLOTS), f);
}

void wheel_arm(struct wheel *w, struct flow *f, nsec_t deadline)
{
    wheel_disarm(w, f);
    f->due = (uint32_t)wheel_tick(w, deadline) + 1; /* rounded up: never early */
    place(w, f);
}

/* Empty slots behind a long silence are passed without looking at each more than once. */
static void step(struct wheel *w, uint64_t now)
{
    w->at++;
    if (now - w->at > 2 * WHEEL_SLOTS)
        w->at = now - 2 * WHEEL_SLOTS;
}

struct flow *wheel_next(struct wheel *w, nsec_t now, unsigned *work)
{
    uint64_t until = wheel_tick(w, now);

    while (w->at <= until && *work > 0) {
        uint32_t name = w->slot[w->at % WHEEL_SLOTS];
        struct flow *f;

        if (!name) {
            if (w->at == until)
                return NULL;
            step(w, until);
            continue;
        }
        (*work)--;
        f = flow_of(w, name);
        wheel_disarm(w, f);
        if (wheel_ahead(w->at, f) <= 0)
            return f;
        place(w, f); /* due lies ahead: another slot */
    }
    return NULL;
}
