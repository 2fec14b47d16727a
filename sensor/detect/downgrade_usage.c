#include "base/apart.h"
#include "detect/downgrade.h"

enum { PIECES = 4096 }; /* remembered at once, at most */

struct recalled {
    struct addr client; /* the key */
    struct usage_counts n;
};

bool downgrade_usage_create(struct downgrade *d, uint64_t seed)
{
    struct slots_shape slots = {.entry_size = sizeof(struct usage), .hot = 64};
    struct table_shape recalled = {.entry_size = sizeof(struct recalled),
                                   .key_size = sizeof(struct addr),
                                   .capacity = CLIENTS_MOST,
                                   .seed = seed};

    d->usages = slots_create(&slots, NULL);
    d->recalled = table_create(&recalled);
    return d->usages && d->recalled;
}

static APART void join_recalled(struct downgrade *d, struct usage *u, const struct addr *client)
{
    struct recalled *r = table_find(d->recalled, client);

    if (!r)
        return;
    usage_join(u, client, &r->n);
    table_remove(d->recalled, r);
}

struct usage *downgrade_usage(struct downgrade *d, const struct observation *o)
{
    bool fresh;
    struct usage *u = slots_at(d->usages, &o->note, &fresh);

    if ((fresh || usage_moves(u, &o->client)) && table_count(d->recalled) > 0)
        join_recalled(d, u, &o->client);
    usage_seen(u, &o->client, o->time, fresh, &d->limits);
    return u;
}

struct usage *downgrade_usage_of(struct downgrade *d, uint32_t who, uint32_t tenure)
{
    return slots_find(d->usages, who, tenure);
}

/* First of all: what lies under an address that it has left may be overwritten by whoever has that
 * address now. */
static bool forget_old_places(struct downgrade *d, struct memory_sink sink)
{
    size_t position = 0;
    struct memory m;
    struct usage *u;

    while ((u = slots_next(d->usages, &position)) != NULL) {
        if (!usage_is_misplaced(u))
            continue;
        usage_forget(u, &m);
        if (sink.put(sink.context, &m) < 0)
            return false;
        u->kept = (struct addr){.w = {0, 0}};
        u->changed = true;
        u->told = USAGE_UNKNOWN;
    }
    return true;
}

/* What nobody would miss is not written: a client of whom nothing can be said yet. */
static bool is_news(const struct usage *u, enum usage_profile profile)
{
    return profile != u->told || (u->changed && (profile || u->n.successes || u->n.failures));
}

void downgrade_remember(void *state, struct memory_sink sink, nsec_t now)
{
    struct downgrade *d = state;
    struct memory m;
    struct usage *u;

    if (!forget_old_places(d, sink))
        return;
    for (int pieces = 0; pieces < PIECES;) {
        enum usage_profile profile;

        u = slots_next(d->usages, &d->remembered);
        if (!u) {
            d->remembered = 0;
            return; /* the rest the next time, from the beginning */
        }
        profile = usage_profile(u, now, &d->limits);
        if (!is_news(u, profile))
            continue;
        usage_remember(u, now, &d->limits, &m);
        if (sink.put(sink.context, &m) < 0) {
            d->remembered--;
            return;
        }
        u->told = (uint8_t)profile;
        u->kept = u->address;
        u->changed = false;
        pieces++;
    }
}

void downgrade_recall(void *state, const struct memory *m)
{
    struct downgrade *d = state;
    struct usage_counts n;
    struct recalled *r;
    struct addr client;
    bool fresh;

    if (!usage_recall(m, &client, &n))
        return;
    if (m->tenure) {
        struct observation_note note = {.who = m->who, .tenure = m->tenure};

        usage_place(slots_at(d->usages, &note, NULL), &client, &n);
        return;
    }
    r = table_insert(d->recalled, &client, &fresh);
    r->n = n;
}
