#include "detect/downgrade.h"

#define TELL_INTERVAL (60 * NSEC_S) /* doubles: who stays in clear text stays one event */
#define TELL_MOST     (3600 * NSEC_S)
#define PROVEN_SPAN   (3600 * NSEC_S) /* after the last failure, where encryption had worked */
#define GRAVER        10              /* percent of confidence */

static void unlist(struct downgrade *d, struct fallback *b)
{
    if (b->listed)
        TAILQ_REMOVE(&d->due, b, link);
    b->listed = false;
}

static void tell(struct downgrade *d, struct fallback *b)
{
    struct finding f;

    unlist(d, b);
    fallback_draft(b, d->policy, &f);
    f.excepted = policy_exception_for(d->policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.cut = (uint8_t)policy_kernel(d->policy, b->latest.seen.zone, &b->latest.seen.client,
                                   &b->latest.seen.server, b->latest.seen.server_port,
                                   b->latest.seen.time);
    if (f.cut == ACTION_ALLOW)
        f.cut = ACTION_ALERT;
    d->sink.put(d->sink.context, &f);
    b->told = true;
    b->pending = 0;
}

/* At once when it is graver than told, else after a minute, two, four. */
static void tell_or_wait(struct downgrade *d, struct fallback *b, nsec_t now)
{
    uint8_t severity = (uint8_t)fallback_severity(b, &d->scale);
    uint8_t confidence = (uint8_t)fallback_confidence(b, &d->scale);
    bool graver = !b->told || severity < b->severity || confidence >= b->confidence + GRAVER;

    if (graver || now >= b->next || time_is_ahead(b->next - TELL_MOST, now)) {
        b->severity = severity;
        b->confidence = confidence > b->confidence ? confidence : b->confidence;
        b->interval = b->interval ? b->interval * 2 : TELL_INTERVAL;
        if (b->interval > TELL_MOST)
            b->interval = TELL_MOST;
        b->next = now + b->interval;
        tell(d, b);
    } else if (!b->listed) {
        b->listed = true;
        TAILQ_INSERT_TAIL(&d->due, b, link);
    }
}

void downgrade_fallback_evicted(void *context, void *entry)
{
    struct downgrade *d = context;
    struct fallback *b = entry;

    if (b->pending)
        tell(d, b);
    unlist(d, b);
    if (d->stats)
        d->stats->state_evicted++;
}

void downgrade_blamed(struct downgrade *d, const struct sealed *s, nsec_t now)
{
    struct fallback *b = table_find(d->fallbacks, &s->key);

    if (!b || !fallback_blame(b, s))
        return;
    b->next = now; /* at once, though nothing else is new */
    tell_or_wait(d, b, now);
}

void downgrade_moved(struct downgrade *d, const struct sealed *s, enum vpn vpn, nsec_t now)
{
    struct fallback *b = table_find(d->fallbacks, &s->key);

    if (!b || now - b->first > d->times.vpn)
        return;
    b->vpn = (uint8_t)vpn;
    b->next = now;
    tell_or_wait(d, b, now);
}

void downgrade_recovered(struct downgrade *d, const struct sealed *s)
{
    struct fallback *b = table_find(d->fallbacks, &s->key);

    if (!b)
        return;
    b->recovered = true;
    tell(d, b);
    table_remove(d->fallbacks, b);
}

/* The fallback that clear text at this time adds to. A client that never had encryption and has
 * stopped trying has settled in clear text: that is its habit from then on. */
struct fallback *downgrade_fallback(struct downgrade *d, const struct sealed *s, nsec_t now)
{
    struct fallback *b = s->failed ? table_find(d->fallbacks, &s->key) : NULL;
    nsec_t span = sealed_window(s, &d->times);

    if (!b)
        return NULL;
    if (b->proof && span < PROVEN_SPAN)
        span = PROVEN_SPAN;
    if (now <= s->failed_last + span)
        return b;
    if (b->pending)
        tell(d, b);
    unlist(d, b);
    table_remove(d->fallbacks, b);
    return NULL;
}

/* New names at the client's usual pace explain themselves. */
static bool is_habit(const struct downgrade *d, struct sealed *s, const struct habit *h,
                     const struct clear_query *q, double *expected)
{
    *expected = h ? habit_expects(h, q->seen.time, q->seen.time - s->began) : 0;
    if (s->fresh < UINT16_MAX)
        s->fresh++;
    if (!h || habit_count(h, q->seen.time) < d->habit_names)
        return false;
    return s->fresh <= d->scale.rate_over_base * (*expected < 1 ? 1 : *expected);
}

static bool is_permitted(const struct downgrade *d, const struct sighting *s)
{
    return downgrade_inside(d, &s->client, &s->server) &&
           policy_cleartext(d->policy, s->zone, &s->client, &s->server, s->time) == ACTION_ALLOW;
}

/* The client's profile, of both its addresses where it asked over another one. */
static void learn_fallback(struct downgrade *d, const struct watch *w, const struct held *held,
                           bool habit)
{
    struct usage *tried = downgrade_usage_of(d, w->who, w->tenure);
    struct usage *asked = downgrade_usage_of(d, held->who, held->tenure);

    if (habit) {
        if (asked)
            usage_asked_clear(asked);
        return;
    }
    if (tried)
        usage_fell_back(tried);
    if (asked && asked != tried)
        usage_fell_back(asked);
}

static enum usage_profile usage_of_watch(struct downgrade *d, const struct watch *w, nsec_t now)
{
    const struct usage *u = downgrade_usage_of(d, w->who, w->tenure);

    return u ? usage_profile(u, now, &d->limits) : USAGE_UNKNOWN;
}

/* It came back after an absence and nothing has worked since: a portal may hold it (RFC 8910). */
static bool is_attaching(struct downgrade *d, const struct watch *w, const struct sealed *s,
                         nsec_t now)
{
    const struct usage *u = downgrade_usage_of(d, w->who, w->tenure);

    return u && s->last_ok < u->attached && now - u->attached <= d->times.attach &&
           !time_is_ahead(u->attached, now);
}

/* A VPN of the client began just before. */
static enum vpn vpn_before(struct downgrade *d, const struct watch *w, nsec_t now)
{
    const struct usage *u = downgrade_usage_of(d, w->who, w->tenure);

    return u && u->vpn && now - u->vpn_began <= d->times.vpn ? (enum vpn)u->vpn : VPN_NONE;
}

void downgrade_count(struct downgrade *d, const struct watch *w, struct sealed *s, struct habit *h,
                     const struct held *held, nsec_t now)
{
    const struct clear_query *q = &held->query;
    struct fallback *b = table_find(d->fallbacks, &s->key);
    double expected;
    bool fresh, same_group, habit = is_habit(d, s, h, q, &expected) && !b;

    learn_fallback(d, w, held, habit);
    if (habit) {
        habit_learn(h, q->name, false, now);
        return;
    }
    if (!b) {
        b = table_insert(d->fallbacks, &s->key, &fresh);
        fallback_begin(b, s, q);
        b->permitted = is_permitted(d, &q->seen);
        b->attaching = true;
        b->vpn = (uint8_t)vpn_before(d, w, q->seen.time);
    } else if (b->vpn && q->seen.time - b->first > 2 * d->times.vpn) {
        b->vpn = VPN_NONE; /* it lasts longer than that explains */
    }
    b->attaching = b->attaching && is_attaching(d, w, s, q->seen.time);
    b->usage = (uint8_t)usage_of_watch(d, w, now);
    same_group = addr_equal(&q->seen.server, &s->server) ||
                 groups_at(&d->groups, q->seen.resolver, &q->seen.server) == s->key.group;
    b->expected = expected;
    b->excluded = w->excluded;
    fallback_grow(b, s, q, same_group, &d->scale);
    tell_or_wait(d, b, now);
}

void downgrade_tell_due(struct downgrade *d, nsec_t now)
{
    struct fallback *b;

    while ((b = TAILQ_FIRST(&d->due)) &&
           (b->next <= now || time_is_ahead(b->next - TELL_MOST, now)))
        tell_or_wait(d, b, now);
}

void downgrade_tell_all(struct downgrade *d)
{
    struct fallback *b;

    while ((b = TAILQ_FIRST(&d->due)))
        tell(d, b);
}
