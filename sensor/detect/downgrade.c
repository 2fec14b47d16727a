/* A client tried encrypted DNS, failed, had no success with that resolver group in between, and
 * then asked in clear text something that is no bootstrap, DDR, probe, inside name or recursion and
 * that its habits do not explain. The first such query makes the finding.
 *
 * While a client tries or fails it is watched: its clear-text queries are held back a moment, until
 * it is known how the attempt ended (the end of a silent one is known after the query), whether a
 * sibling attempt won, and whether the answer was the address of the resolver it contacts next.
 *
 * Worst case in bytes: 65,536 habits of about 350, 32,768 pairs of about 330, 65,536 stations of
 * 120, 2,048 watches of about 2,600, 4,096 fallbacks of about 1,300. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "detect/detect.h"
#include "detect/draft.h"
#include "detect/fallback.h"
#include "detect/habit.h"
#include "detect/known_names.h"
#include "detect/resolved.h"
#include "detect/sealed.h"
#include "detect/stations.h"

#define RULE         "downgrade"
#define CLIENTS      65536
#define PAIRS        32768
#define WATCHES      2048
#define FALLBACKS    4096
#define HELD         8
#define GROUPS       4
#define ANSWER_WAIT  NSEC_S          /* for the answer of a held query */
#define CONTACT_WAIT (250 * NSEC_MS) /* after it, for an attempt at the answered address */
#define LOOK         (100 * NSEC_MS)
#define TELL_INTERVAL                                                                              \
    (60 * NSEC_S) /* doubles up to TELL_INTERVAL_MAX: who stays in clear text stays one */
#define TELL_INTERVAL_MAX (3600 * NSEC_S)
#define PROVEN_SPAN       (3600 * NSEC_S) /* after the last failure, where encryption had worked */
#define GRAVER            10              /* percent of confidence */

struct held {
    struct clear_query query;
    nsec_t answered; /* 0: not yet */
    bool inside;     /* the server is inside, so may its name be */
};

struct watch {
    struct addr client;      /* the key */
    TAILQ_ENTRY(watch) link; /* while something is held */
    nsec_t look;
    uint64_t station;
    uint64_t group[GROUPS];
    uint32_t excluded;
    uint8_t next_group, held_count;
    bool busy;
    struct held held[HELD];
};

TAILQ_HEAD(busy_list, watch);
TAILQ_HEAD(due_list, fallback);

struct downgrade {
    const struct policy *policy;
    struct known_names *names;
    uint64_t *groups; /* of the policy's resolvers */
    size_t group_count;
    struct finding_sink sink;
    struct stats *stats;
    struct fallback_scale scale;
    struct sealed_times times;
    uint32_t habit_names;
    struct table *habits, *pairs, *watches, *fallbacks;
    struct stations *stations;
    struct resolved *resolved;
    nsec_t swept;
    struct busy_list busy;
    struct due_list due;
};

/* --- groups ---------------------------------------------------------------------------------- */

/* The same for one resolver in every policy that names it. */
static uint64_t group_of(const struct downgrade *d, int16_t resolver, const struct addr *server)
{
    if (resolver >= 0 && (size_t)resolver < d->group_count)
        return d->groups[resolver];
    return hash_bytes(server->b, sizeof server->b, 1);
}

static struct sealed *pair_of(const struct downgrade *d, const struct addr *client, uint64_t group)
{
    struct sealed_key key = {*client, group};

    return table_find(d->pairs, &key);
}

static bool is_attempt(const struct downgrade *d, const struct observation *o)
{
    bool shared;

    if (transport_is_sealed(o->transport))
        return true;
    if (transport_is_clear(o->transport))
        return false;
    if (o->server_port == 853)
        return true;
    return o->server_port == 443 && policy_resolver_at(d->policy, &o->server, &shared) >= 0 &&
           !shared;
}

/* --- telling --------------------------------------------------------------------------------- */

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
    f.excepted = policy_exception_for(d->policy, &f.client, f.resolver, f.time) != NULL;
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

    if (graver || now >= b->next) {
        b->severity = severity;
        b->confidence = confidence > b->confidence ? confidence : b->confidence;
        b->interval = b->interval ? b->interval * 2 : TELL_INTERVAL;
        if (b->interval > TELL_INTERVAL_MAX)
            b->interval = TELL_INTERVAL_MAX;
        b->next = now + b->interval;
        tell(d, b);
    } else if (!b->listed) {
        b->listed = true;
        TAILQ_INSERT_TAIL(&d->due, b, link);
    }
}

static void fallback_evicted(void *context, void *entry)
{
    struct downgrade *d = context;
    struct fallback *b = entry;

    if (b->pending)
        tell(d, b);
    unlist(d, b);
    if (d->stats)
        d->stats->state_evicted++;
}

static void recovered(struct downgrade *d, const struct sealed *s)
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
static struct fallback *open_fallback(struct downgrade *d, const struct sealed *s, nsec_t now)
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

/* --- counting -------------------------------------------------------------------------------- */

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

/* In a network of ours: private, the gateway, on the client's link, or in a zone of the policy. */
static bool is_inside(const struct downgrade *d, const struct addr *client,
                      const struct addr *server)
{
    if (addr_is_private(server) || policy_is_gateway(d->policy, server))
        return true;
    if (!addr_is_v4(server) && server->w[0] == client->w[0])
        return true;
    return policy_zone_of(d->policy, server, "", 0) > ZONE_GATEWAY;
}

static bool is_permitted(const struct downgrade *d, const struct sighting *s)
{
    return is_inside(d, &s->client, &s->server) &&
           policy_cleartext(d->policy, s->zone, &s->client, &s->server, s->time) == ACTION_ALLOW;
}

static void count(struct downgrade *d, const struct watch *w, struct sealed *s, struct habit *h,
                  const struct clear_query *q, nsec_t now)
{
    struct fallback *b = table_find(d->fallbacks, &s->key);
    bool fresh, same_group;
    double expected;

    if (is_habit(d, s, h, q, &expected) && !b) {
        habit_learn(h, q->name, false, now);
        return;
    }
    if (!b) {
        b = table_insert(d->fallbacks, &s->key, &fresh);
        fallback_begin(b, s, q);
        b->permitted = is_permitted(d, &q->seen);
    }
    same_group = addr_equal(&q->seen.server, &s->server) ||
                 group_of(d, q->seen.resolver, &q->seen.server) == s->key.group;
    b->expected = expected;
    b->excluded = w->excluded;
    fallback_grow(b, s, q, same_group, &d->scale);
    tell_or_wait(d, b, now);
}

/* --- watching -------------------------------------------------------------------------------- */

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

static void watch_evicted(void *context, void *entry)
{
    struct downgrade *d = context;
    struct watch *w = entry;

    w->held_count = 0;
    set_busy(d, w);
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
    enum judgement result = DISMISSED;
    nsec_t t = q->seen.time;

    if (h && habit_owns(h, q->name))
        return EXCLUDED;
    if (!last && !is_ready(held, now))
        return WAIT;
    for (int i = 0; i < GROUPS; i++) {
        struct sealed *s = w->group[i] ? pair_of(d, &w->client, w->group[i]) : NULL;

        if (!s)
            continue;
        if (sealed_explains(s, t, &d->times) || open_fallback(d, s, t)) {
            if (!last && now < t + d->times.race && sealed_trying(s, now, d->times.race)) {
                result = result == COUNTED ? COUNTED : WAIT;
                continue;
            }
            count(d, w, s, h, q, now);
            result = COUNTED;
        } else if (!last && result != COUNTED && sealed_was_trying(s, t) &&
                   now < t + d->times.window_timeout) {
            result = WAIT;
        }
    }
    if (result == DISMISSED && h && !habit_asked(h, q->name))
        habit_learn(h, q->name, true, t);
    return result;
}

/* last: nothing more will come, judge by what is known. */
static void settle(struct downgrade *d, struct watch *w, nsec_t now, bool last)
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

static struct watch *watch_client(struct downgrade *d, const struct observation *o, struct habit *h,
                                  uint64_t group)
{
    struct addr sibling[STATION_ADDRESSES];
    size_t siblings = stations_siblings(d->stations, o->station, &o->client, sibling);
    bool fresh;
    struct watch *w = table_insert(d->watches, &o->client, &fresh);

    h->watched = true;
    w->station = o->station;
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
        struct sealed *s = w->group[i] ? pair_of(d, &w->client, w->group[i]) : NULL;

        if (!s)
            continue;
        if (sealed_trying(s, now, d->times.window_timeout) || sealed_explains(s, now, &d->times) ||
            open_fallback(d, s, now))
            return true;
    }
    return false;
}

/* The watch on this client, or on another address of it; NULL, and it is watched no more. */
static struct watch *watch_of(struct downgrade *d, const struct observation *o, struct habit *h)
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

/* --- clear text ------------------------------------------------------------------------------ */

static struct habit *habit_of(struct downgrade *d, const struct observation *o)
{
    bool fresh;
    struct habit *h = table_insert(d->habits, &o->client, &fresh);

    if (fresh || (h->station != o->station && o->station)) {
        h->station = o->station;
        h->watched |= o->station != 0; /* perhaps by another address of it: the next query asks */
        stations_add(d->stations, o->station, &o->client);
    }
    return h;
}

/* Innocent by its name or its nature. */
static bool is_innocent(const struct downgrade *d, const struct habit *h, uint32_t name,
                        const struct dns_message *m)
{
    enum name_class class;

    if (!dns_recursion_desired(m))
        return true;
    class = known_names_class(d->names, m->qname, m->qname_length, NULL);
    if (class == NAME_RESOLVER)
        return m->qtype == DNS_TYPE_A || m->qtype == DNS_TYPE_AAAA || m->qtype == DNS_TYPE_HTTPS ||
               m->qtype == DNS_TYPE_SVCB;
    return class != NAME_ORDINARY || habit_owns(h, name);
}

static void hold(struct downgrade *d, struct watch *w, const struct observation *o, uint32_t name)
{
    struct held *held;

    if (w->held_count == HELD)
        settle(d, w, o->time, false);
    if (w->held_count == HELD)
        return; /* the first ones tell enough */
    held = &w->held[w->held_count++];
    memset(held, 0, sizeof *held);
    held->query.seen = sighting_of(o);
    held->query.name = name;
    held->query.qtype = o->dns.message.qtype;
    held->inside = o->note.approved || is_inside(d, &o->client, &o->server);
    draft_name(&o->dns.message, held->query.text, sizeof held->query.text);
    set_busy(d, w);
    settle(d, w, o->time, false);
}

static void see_query(struct downgrade *d, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t name = habit_hash(m->qname, m->qname_length);
    struct habit *h = habit_of(d, o);
    struct watch *w = h->watched ? watch_of(d, o, h) : NULL;

    if (habit_asked(h, name))
        return; /* explained by what was asked before */
    if (is_innocent(d, h, name, m)) {
        if (w)
            w->excluded++;
        return;
    }
    if (w)
        hold(d, w, o, name);
    else
        habit_learn(h, name, true, o->time);
}

static void drop_held(struct watch *w, uint32_t name)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < w->held_count; i++) {
        if (w->held[i].query.name == name && w->held[i].inside) {
            w->excluded++;
            continue;
        }
        if (kept != i)
            w->held[kept] = w->held[i];
        kept++;
    }
    w->held_count = kept;
}

static void see_held_answer(struct downgrade *d, struct watch *w, const struct observation *o,
                            uint32_t name)
{
    const struct dns_message *m = &o->dns.message;
    bool private = m->address_count > 0;

    for (int i = 0; i < m->address_count; i++)
    private = private && addr_is_private(m->address + i);
    if (private)
        drop_held(w, name); /* split horizon: a name that only the inside resolver knows so */
    for (uint8_t i = 0; i < w->held_count; i++)
        if (w->held[i].query.name == name && !w->held[i].answered)
            w->held[i].answered = o->time;
    set_busy(d, w);
    settle(d, w, o->time, false);
}

static void see_answer(struct downgrade *d, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    bool watching = table_count(d->watches) > 0;
    struct habit *h;
    struct watch *w;
    uint32_t name;

    if (m->address_count == 0 && !watching)
        return;
    name = habit_hash(m->qname, m->qname_length);
    for (int i = 0; i < m->address_count && i < DNS_ADDRESSES; i++)
        resolved_put(d->resolved, &o->client, m->address + i, name, o->time);
    if (!watching || !(h = table_find(d->habits, &o->client)) || !h->watched)
        return;
    for (int i = 0; i < m->address_count && i < DNS_ADDRESSES; i++)
        if (habit_contacted(h, m->address + i))
            habit_own(h, name); /* bootstrap, though after the attempt */
    w = watch_of(d, o, h);
    if (w && w->held_count)
        see_held_answer(d, w, o, name);
}

/* --- encrypted attempts ---------------------------------------------------------------------- */

static void learn_server_name(struct habit *h, const char *sni)
{
    uint8_t wire[DNS_NAME_WIRE];
    size_t length = sni[0] ? name_to_wire(sni, wire) : 0;

    if (length)
        habit_own(h, habit_hash(wire, length));
}

static bool own_rule_cuts(const struct downgrade *d, const struct observation *o)
{
    enum action a;

    if (d->policy->mode != MODE_ENFORCE)
        return false;
    if (o->flow.cause != CAUSE_RESET && o->flow.cause != CAUSE_TIMEOUT &&
        o->flow.cause != CAUSE_ICMP)
        return false;
    a = policy_kernel(d->policy, o->note.zone, &o->client, &o->server, o->server_port, o->time);
    return a == ACTION_REJECT || a == ACTION_DROP;
}

/* Against the server's usual TTL, of this flow or of one that worked: three hops more or less are
 * another sender, none is the server; in between nobody can tell, for routes change. */
static enum origin origin_of_reset(const struct sealed *s, const struct observation *o)
{
    const struct flow_observation *flow = &o->flow;
    int usual = flow->ttl_server, hops;

    if (!usual && addr_equal(&s->ok_server, &o->server))
        usual = s->ok_ttl;
    if (!usual || !flow->ttl_fault)
        return ORIGIN_UNKNOWN;
    hops = (int)flow->ttl_fault - usual;
    if (hops >= 3 || hops <= -3)
        return ORIGIN_PATH;
    return hops == 0 || flow->ttl_server ? ORIGIN_SERVER : ORIGIN_UNKNOWN;
}

static enum origin origin_of_icmp(const struct downgrade *d, const struct observation *o)
{
    const struct addr *source = &o->flow.icmp_source;

    if (addr_is_zero(source))
        return ORIGIN_UNKNOWN;
    if (policy_is_gateway(d->policy, source))
        return ORIGIN_GATEWAY;
    return addr_equal(source, &o->server) ? ORIGIN_SERVER : ORIGIN_PATH;
}

/* Who made it fail: our own rules before anybody else. */
static enum cause judge_cause(const struct downgrade *d, const struct sealed *s,
                              const struct observation *o, enum origin *origin)
{
    const struct flow_observation *flow = &o->flow;

    *origin = flow->origin;
    if (own_rule_cuts(d, o)) {
        *origin = ORIGIN_GATEWAY;
        return CAUSE_OWN_RULE;
    }
    if (*origin != ORIGIN_UNKNOWN)
        return flow->cause;
    if (flow->cause == CAUSE_CERTIFICATE)
        *origin = ORIGIN_CLIENT;
    else if (flow->cause == CAUSE_ICMP)
        *origin = origin_of_icmp(d, o);
    else if (flow->cause == CAUSE_RESET && !flow->from_client)
        *origin = origin_of_reset(s, o);
    return flow->cause;
}

static void see_contact(struct downgrade *d, struct habit *h, const struct observation *o)
{
    uint32_t name = resolved_name(d->resolved, &o->client, &o->server, o->time);

    if (name)
        habit_own(h, name);
    habit_contact(h, &o->server);
}

static void see_success(struct downgrade *d, struct sealed *s, const struct observation *o)
{
    struct addr sibling[STATION_ADDRESSES];
    size_t siblings;

    if (!sealed_worked(s, o) && o->flow.phase != FLOW_ESTABLISHED)
        return;
    recovered(d, s);
    siblings = stations_siblings(d->stations, o->station, &o->client, sibling);
    for (size_t i = 0; i < siblings; i++) {
        struct sealed *other = pair_of(d, sibling + i, s->key.group);

        if (!other || other->last_ok >= s->last_ok)
            continue;
        sealed_sibling_worked(other, s->last_ok);
        recovered(d, other);
    }
}

static void see_flow(struct downgrade *d, const struct observation *o)
{
    uint64_t group = group_of(d, o->note.resolver, &o->server);
    uint64_t by_address = group_of(d, policy_resolver_at(d->policy, &o->server, NULL), &o->server);
    struct sealed_key key = {o->client, group};
    struct habit *h = habit_of(d, o);
    struct sealed *s;
    struct watch *w;
    enum origin origin;
    bool fresh;

    if (group != by_address && (s = pair_of(d, &o->client, by_address)))
        sealed_forget(s, o->flow_id);
    s = table_insert(d->pairs, &key, &fresh);
    learn_server_name(h, o->flow.tls.sni);
    switch (o->flow.phase) {
    case FLOW_OPENED:
    case FLOW_IDENTIFIED: /* by its name: nobody knew that the SYN was an attempt */
        if (sealed_opened(s, o)) {
            see_contact(d, h, o);
            watch_client(d, o, h, group);
        }
        break;
    case FLOW_ESTABLISHED:
    case FLOW_PROGRESS:
        see_success(d, s, o);
        break;
    case FLOW_FAILED: {
        enum cause cause = judge_cause(d, s, o, &origin);

        if (!sealed_failed(s, o, cause, origin, &d->times))
            break;
        w = watch_client(d, o, h, group);
        settle(d, w, o->time, false);
        break;
    }
    case FLOW_CLOSED:
        sealed_forget(s, o->flow_id);
        break;
    default:
        break;
    }
}

/* --- the detector ---------------------------------------------------------------------------- */

static void downgrade_prefetch(const void *state, const struct observation *o, bool entry)
{
    const struct downgrade *d = state;

    if (o->kind == OBSERVE_DNS &&
        (!dns_is_response(&o->dns.message) || table_count(d->watches) > 0))
        (entry ? table_prefetch_entry : table_prefetch_bucket)(d->habits, &o->client);
}

static void downgrade_observe(void *state, const struct observation *o)
{
    struct downgrade *d = state;

    if (o->kind == OBSERVE_FLOW) {
        if (is_attempt(d, o))
            see_flow(d, o);
        return;
    }
    if (o->kind != OBSERVE_DNS || dns_opcode(&o->dns.message) != 0 || !o->dns.message.has_question)
        return;
    if (dns_is_response(&o->dns.message))
        see_answer(d, o);
    else
        see_query(d, o);
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
}

static void downgrade_tick(void *state, nsec_t now)
{
    struct downgrade *d = state;
    struct fallback *b;
    struct watch *w, *next;

    for (w = TAILQ_FIRST(&d->busy); w; w = next) {
        next = TAILQ_NEXT(w, link);
        if (now >= w->look)
            settle(d, w, now, false);
    }
    while ((b = TAILQ_FIRST(&d->due)) && b->next <= now)
        tell_or_wait(d, b, now);
    if (now - d->swept >= NSEC_S)
        sweep_watches(d, now);
}

static void downgrade_flush(void *state, nsec_t now)
{
    struct downgrade *d = state;
    struct fallback *b;
    struct watch *w;

    while ((w = TAILQ_FIRST(&d->busy)))
        settle(d, w, now, true);
    while ((b = TAILQ_FIRST(&d->due)))
        tell(d, b);
}

static void read_times(struct downgrade *d, const struct policy *p)
{
    d->times.race = policy_threshold(p, RULE, "race_window_s", 5) * NSEC_S;
    d->times.patience = policy_threshold(p, RULE, "patience_ms", 200) * NSEC_MS;
    d->times.window_reset = policy_threshold(p, RULE, "window_reset_s", 30) * NSEC_S;
    d->times.window_timeout = policy_threshold(p, RULE, "window_timeout_s", 130) * NSEC_S;
    d->times.window_icmp = policy_threshold(p, RULE, "window_icmp_s", 300) * NSEC_S;
    d->habit_names = (uint32_t)policy_threshold(p, RULE, "habit_names", 3);
}

/* Without memory the old names serve on, and resolvers are told apart by address. */
static bool read_policy(struct downgrade *d, const struct policy *p)
{
    struct known_names *names = known_names_create(p);
    uint64_t *groups = calloc(p->resolver_count + 1, sizeof *groups);

    free(d->groups);
    d->groups = groups;
    d->group_count = groups ? p->resolver_count : 0;
    for (size_t i = 0; i < d->group_count; i++)
        groups[i] = hash_bytes(p->resolvers[i].id, strlen(p->resolvers[i].id), 0);
    if (names) {
        known_names_destroy(d->names);
        d->names = names;
    }
    d->policy = p;
    fallback_read_scale(&d->scale, p);
    read_times(d, p);
    return names && groups;
}

static void downgrade_use_policy(void *state, const struct policy *policy)
{
    read_policy(state, policy);
}

static void downgrade_destroy(void *state)
{
    struct downgrade *d = state;

    table_destroy(d->habits);
    table_destroy(d->pairs);
    table_destroy(d->watches);
    table_destroy(d->fallbacks);
    stations_destroy(d->stations);
    resolved_destroy(d->resolved);
    known_names_destroy(d->names);
    free(d->groups);
    free(d);
}

static struct table *make_table(struct downgrade *d, size_t entry, size_t key, size_t capacity,
                                void (*evicted)(void *, void *), uint64_t seed)
{
    struct table_shape shape = {entry, key, capacity, seed, evicted, d};

    return table_create(&shape);
}

static void *downgrade_create(const struct detector_setup *setup)
{
    struct downgrade *d = calloc(1, sizeof *d);
    uint64_t seed = setup->seed;

    if (!d)
        return NULL;
    d->sink = setup->sink;
    d->stats = setup->stats;
    TAILQ_INIT(&d->busy);
    TAILQ_INIT(&d->due);
    d->habits = make_table(d, sizeof(struct habit), sizeof(struct addr), CLIENTS, NULL, seed);
    d->pairs = make_table(d, sizeof(struct sealed), sizeof(struct sealed_key), PAIRS, NULL, seed);
    d->watches =
        make_table(d, sizeof(struct watch), sizeof(struct addr), WATCHES, watch_evicted, seed);
    d->fallbacks = make_table(d, sizeof(struct fallback), sizeof(struct sealed_key), FALLBACKS,
                              fallback_evicted, seed);
    d->stations = stations_create(CLIENTS, seed);
    d->resolved = resolved_create(seed);
    if (d->habits && d->pairs && d->watches && d->fallbacks && d->stations && d->resolved &&
        read_policy(d, setup->policy))
        return d;
    downgrade_destroy(d);
    return NULL;
}

static size_t downgrade_bytes(const void *state)
{
    const struct downgrade *d = state;

    return sizeof *d + table_bytes(d->habits) + table_bytes(d->pairs) + table_bytes(d->watches) +
           table_bytes(d->fallbacks) + stations_bytes(d->stations) + resolved_bytes() +
           known_names_bytes(d->names);
}

const struct detector detector_downgrade = {.name = RULE,
                                            .create = downgrade_create,
                                            .destroy = downgrade_destroy,
                                            .use_policy = downgrade_use_policy,
                                            .observe = downgrade_observe,
                                            .tick = downgrade_tick,
                                            .flush = downgrade_flush,
                                            .bytes = downgrade_bytes,
                                            .prefetch = downgrade_prefetch};
