#include "observe/wheel.h"

#include "observe/flow.h"

static struct flow **slot_of(struct wheel *w, uint64_t tick)
{
    return &w->slot[tick % WHEEL_SLOTS];
}

uint64_t wheel_tick(const struct wheel *w, nsec_t time)
{
    nsec_t ticks = (time - w->origin) / WHEEL_TICK;

    return ticks < 0 ? 0 : (uint64_t)ticks;
}

static void link_into(struct flow **slot, struct flow *f)
{
    f->timer_next = *slot;
    f->timer_link = slot;
    if (*slot)
        (*slot)->timer_link = &f->timer_next;
    *slot = f;
}

int32_t wheel_ahead(uint64_t tick, const struct flow *f)
{
    return (int32_t)(f->due - (uint32_t)tick);
}

void wheel_disarm(struct flow *f)
{
    if (!f->timer_link)
        return;
    *f->timer_link = f->timer_next;
    if (f->timer_next)
        f->timer_next->timer_link = f->timer_link;
    f->timer_link = NULL;
}

/* A deadline beyond the wheel's span waits in the last slot and moves on from there. */
static void place(struct wheel *w, struct flow *f)
{
    int32_t ahead = wheel_ahead(w->at, f);

    if (ahead < 0)
        ahead = 0;
    if (ahead >= WHEEL_SLOTS)
        ahead = WHEEL_SLOTS - 1;
    link_into(slot_of(w, w->at + (uint64_t)ahead), f);
}

void wheel_arm(struct wheel *w, struct flow *f, nsec_t deadline)
{
    wheel_disarm(f);
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
        struct flow *f = *slot_of(w, w->at);

        if (!f) {
            if (w->at == until)
                return NULL;
            step(w, until);
            continue;
        }
        (*work)--;
        wheel_disarm(f);
        if (wheel_ahead(w->at, f) <= 0)
            return f;
        place(w, f); /* due lies ahead: another slot */
    }
    return NULL;
}
