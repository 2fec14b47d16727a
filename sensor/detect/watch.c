#include <string.h>

#include "detect/downgrade.h"

#define ANSWER_WAIT  NSEC_S          /* for the answer of a held query */
#define CONTACT_WAIT (250 * NSEC_MS) /* after it, for an attempt at the answered address */
#define LOOK         (100 * NSEC_MS)

static void set_busy(struct downgrade *d, struct watch *w)
{
    if (w->busy == (w->held_count > 0))
        return;
    w->busy = !w->busy;
    if (w->busy)
        TAILQ_INSERT_TAIL(&d->busy, w, link);
    else
        TAILQ_REMOVE(&d->busy, w, link);
}

void watch_evicted(void *context, void *entry)
{
    struct downgrade *d = context;
    struct watch *w = entry;

    watch_settle(d, w, w->look, true); /* what strangers push out is judged, not lost */
    if (d->stats)
        d->stats->state_evicted++;
}

enum judgement { WAIT, COUNTED, DISMISSED, EXCLUDED };

static bool is_ready(const struct held *held, nsec_t now)
{
    uint16_t type = held->query.qtype;

    if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA && type != DNS_TYPE_HTTPS &&
        type != DNS_TYPE_SVCB)
        return true;
    if (held->answered && now >= held->answered + CONTACT_WAIT)
        return true;
    return now >= held->query.seen.time + ANSWER_WAIT;
}

static enum judgement judge(struct downgrade *d, struct watch *w, struct held *held, nsec_t now,
                            bool last)
{
    const struct clear_query *q = &held->query;
    struct habit *h = table_find(d->habits, &q->seen.client);
    struct usage *u = downgrade_usage_of(d, held->who, held->tenure);
    enum judgement result = DISMISSED;
    nsec_t t = q->seen.time;

    if (h && habit_owns(h, q->name)) {
        if (u)
            usage_bootstrapped(u);
        return EXCLUDED;
    }
    if (!last && !is_ready(held, now))
        return WAIT;
    for (int i = 0; i < GROUPS; i++) {
        struct sealed *s = w->group[i] ? downgrade_pair(d, &w->client, w->group[i]) : NULL;

        if (!s)
            continue;
        if (sealed_explains(s, t, &d->times) || downgrade_fallback(d, s, t)) {
            if (!last && now < t + d->times.race && sealed_trying(s, now, d->times.race)) {
                result = result == COUNTED ? COUNTED : WAIT;
                continue;
            }
            downgrade_count(d, w, s, h, held, now);
            result = COUNTED;
        } else if (!last && result != COUNTED && sealed_was_trying(s, t) &&
                   now < t + d->times.window_timeout) {
            result = WAIT;
        }
    }
    if (result == DISMISSED && u)
        usage_asked_clear(u);
    if (result == DISMISSED && h && !habit_asked(h, q->name))
        habit_learn(h, q->name, true, t);
    return result;
}

/* last: nothing more will come, judge by what is known. */
void watch_settle(struct downgrade *d, struct watch *w, nsec_t now, bool last)
{
    uint8_t kept = 0;

    w->look = now + LOOK;
    for (uint8_t i = 0; i < w->held_count; i++) {
        enum judgement j = judge(d, w, w->held + i, now, last);

        w->excluded += j == EXCLUDED;
        if (j != WAIT)
            continue;
        if (kept != i)
            w->held[kept] = w->held[i];
        kept++;
    }
    w->held_count = kept;
    set_busy(d, w);
}

struct watch *watch_client(struct downgrade *d, const struct observation *o, struct habit *h,
                           uint64_t group)
{
    struct addr sibling[STATION_ADDRESSES];
    size_t siblings = stations_siblings(d->stations, o->station, &o->client, sibling);
    bool fresh;
    struct watch *w = table_insert(d->watches, &o->client, &fresh);

    reader_adds(d->reader, READ_RESPONSES);
    h->watched = true;
    w->station = o->station;
    w->who = o->note.who;
    w->tenure = o->note.tenure;
    for (size_t i = 0; i < siblings; i++) {
        struct habit *other = table_find(d->habits, sibling + i);

        if (other)
            other->watched = true;
    }
    for (int i = 0; i < GROUPS; i++)
        if (w->group[i] == group)
            return w;
    w->group[w->next_group] = group;
    w->next_group = (uint8_t)((w->next_group + 1) % GROUPS);
    return w;
}

static bool is_alive(struct downgrade *d, const struct watch *w, nsec_t now)
{
    for (int i = 0; i < GROUPS; i++) {
        struct sealed *s = w->group[i] ? downgrade_pair(d, &w->client, w->group[i]) : NULL;

        if (!s)
            continue;
        if (sealed_trying(s, now, d->times.window_timeout) || sealed_explains(s, now, &d->times) ||
            downgrade_fallback(d, s, now))
            return true;
    }
    return false;
}

/* The watch on this client, or on another address of it; NULL, and it is watched no more. */
struct watch *watch_of(struct downgrade *d, const struct observation *o, struct habit *h)
{
    struct addr sibling[STATION_ADDRESSES];
    size_t siblings = stations_siblings(d->stations, o->station, &o->client, sibling);
    struct watch *w = table_find(d->watches, &o->client);

    if (w && (is_alive(d, w, o->time) || w->held_count))
        return w;
    for (size_t i = 0; i < siblings; i++) {
        struct watch *other = table_find(d->watches, sibling + i);

        if (other && is_alive(d, other, o->time))
            return other;
    }
    if (w)
        table_remove(d->watches, w);
    h->watched = false;
    return NULL;
}

void watch_hold(struct downgrade *d, struct watch *w, const struct observation *o, uint32_t name)
{
    struct held *held;

    if (w->held_count == HELD)
        watch_settle(d, w, o->time, false);
    if (w->held_count == HELD)
        return; /* the first ones tell enough */
    held = &w->held[w->held_count++];
    memset(held, 0, sizeof *held);
    held->query.seen = sighting_of(o);
    held->query.name = name;
    held->who = o->note.who;
    held->tenure = o->note.tenure;
    held->query.qtype = o->dns.message.qtype;
    held->inside = o->note.approved || downgrade_inside(d, &o->client, &o->server);
    draft_name(&o->dns.message, held->query.text, sizeof held->query.text);
    set_busy(d, w);
    watch_settle(d, w, o->time, false);
}

/* True: the inside resolver was asked for it. */
static bool drop_held(struct watch *w, uint32_t name)
{
    bool dropped = false;
    uint8_t kept = 0;

    for (uint8_t i = 0; i < w->held_count; i++) {
        if (w->held[i].query.name == name && w->held[i].inside) {
            w->excluded++;
            dropped = true;
            continue;
        }
        if (kept != i)
            w->held[kept] = w->held[i];
        kept++;
    }
    w->held_count = kept;
    return dropped;
}

/* Split horizon: a name that only the inside resolver knows so. Its other types, which have no
 * address to show it by, are explained from then on. */
static void learn_inside(struct downgrade *d, struct watch *w, const struct observation *o,
                         uint32_t name)
{
    struct habit *h = drop_held(w, name) ? table_find(d->habits, &o->client) : NULL;

    if (h && !habit_asked(h, name))
        habit_learn(h, name, false, o->time);
}

void watch_answer(struct downgrade *d, struct watch *w, const struct observation *o, uint32_t name)
{
    const struct dns_message *m = &o->dns.message;
    bool private = m->address_count > 0;

    for (int i = 0; i < m->address_count; i++)
    private = private && addr_is_private(m->address + i);
    if (private)
        learn_inside(d, w, o, name);
    for (uint8_t i = 0; i < w->held_count; i++)
        if (w->held[i].query.name == name && !w->held[i].answered)
            w->held[i].answered = o->time;
    set_busy(d, w);
    watch_settle(d, w, o->time, false);
}

/* Without a watch answers cost next to nothing. */
static void sweep_watches(struct downgrade *d, nsec_t now)
{
    struct watch *w;
    size_t position = 0;

    d->swept = now;
    while (table_count(d->watches) > 0 && (w = table_next(d->watches, &position)))
        if (w->held_count == 0 && !is_alive(d, w, now))
            table_remove(d->watches, w);
    if (table_count(d->watches) == 0)
        reader_drops(d->reader, READ_RESPONSES);
}

void watch_tick(struct downgrade *d, nsec_t now)
{
    struct watch *w, *next;

    for (w = TAILQ_FIRST(&d->busy); w; w = next) {
        next = TAILQ_NEXT(w, link);
        if (time_passed(w->look, 0, now))
            watch_settle(d, w, now, false);
    }
    if (time_passed(d->swept, NSEC_S, now))
        sweep_watches(d, now);
}

void watch_flush(struct downgrade *d, nsec_t now)
{
    struct watch *w;

    while ((w = TAILQ_FIRST(&d->busy)))
        watch_settle(d, w, now, true);
}
