/* A client tried encrypted DNS, failed, had no success with that resolver group in between, and
 * then asked in clear text something that is no bootstrap, DDR, probe, inside name or recursion and
 * that its habits do not explain. The first such query makes the finding.
 *
 * While a client tries or fails it is watched: its clear-text queries are held back a moment, until
 * it is known how the attempt ended (the end of a silent one is known after the query), whether a
 * sibling attempt won, and whether the answer was the address of the resolver it contacts next.
 *
 * Worst case in bytes: 65,536 habits of about 350, 32,768 pairs of about 330, 65,536 stations of
 * 120, 1 MiB of answers, 2,048 watches of about 2,600, 4,096 fallbacks of about 1,300, 65,536 usage
 * profiles of 192 and as many of 104 that a former run remembered. */
#include "detect/downgrade.h"

#include <stdlib.h>
#include <string.h>

#include "base/apart.h"
#include "base/hash.h"

#define RULE      "downgrade"
#define CLIENTS   65536
#define PAIRS     32768
#define WATCHES   2048
#define FALLBACKS 4096

struct sealed *downgrade_pair(const struct downgrade *d, const struct addr *client, uint64_t group)
{
    struct sealed_key key = {*client, group};

    return table_find(d->pairs, &key);
}

bool downgrade_inside(const struct downgrade *d, const struct addr *client,
                      const struct addr *server)
{
    return (policy_inside(d->policy, client, server) & INSIDE_SERVER) != 0;
}

/* --- clear text ------------------------------------------------------------------------------ */

/* u: of the client, NULL where there is none yet. */
static struct habit *habit_of(struct downgrade *d, const struct observation *o, struct usage *u)
{
    bool fresh;
    struct habit *h = u ? table_insert_at(d->habits, &u->habit, &o->client, &fresh)
                        : table_insert(d->habits, &o->client, &fresh);

    if (fresh || (h->station != o->station && o->station)) {
        h->station = o->station;
        h->watched |= o->station && table_count(d->watches); /* perhaps by a sibling address */
        stations_add(d->stations, o->station, &o->client);
    }
    return h;
}

/* Innocent by its name or its nature. */
static bool is_innocent(const struct habit *h, uint32_t name, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    if (!dns_recursion_desired(m))
        return true;
    if (o->note.name_class == NAME_RESOLVER)
        return m->qtype == DNS_TYPE_A || m->qtype == DNS_TYPE_AAAA || m->qtype == DNS_TYPE_HTTPS ||
               m->qtype == DNS_TYPE_SVCB;
    return o->note.name_class != NAME_ORDINARY || habit_owns(h, name);
}

static void see_query(struct downgrade *d, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t name = habit_name(o->dns.qname_hash);
    struct usage *u;
    struct habit *h;
    struct watch *w;

    if (o->note.newcomer && !table_count(d->watches))
        return; /* one of a flood has no habits */
    u = downgrade_usage(d, o);
    h = habit_of(d, o, u);
    w = h->watched ? watch_of(d, o, h) : NULL;
    if (habit_asked(h, name)) { /* explained by what was asked before */
        if (habit_owns(h, name))
            usage_bootstrapped(u);
        else
            usage_asked_clear(u);
        return;
    }
    if (is_innocent(h, name, o)) {
        if (dns_recursion_desired(m))
            usage_bootstrapped(u);
        else
            usage_recursed(u, w != NULL);
        if (w)
            w->excluded++;
        return;
    }
    if (w) {
        watch_hold(d, w, o, name);
        return;
    }
    usage_asked_clear(u);
    habit_learn(h, name, true, o->time);
}

/* The server answers in clear text: its packets look like this. */
static void hear_server(struct downgrade *d, const struct watch *w, const struct observation *o)
{
    for (int i = 0; i < GROUPS; i++) {
        struct sealed *s = w->group[i] ? downgrade_pair(d, &w->client, w->group[i]) : NULL;

        if (s)
            blame_heard(d, s, &o->server, o->ttl, o->time);
    }
}

static APART void see_answer_while_watched(struct downgrade *d, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t name = habit_name(o->dns.qname_hash);
    struct habit *h = table_find(d->habits, &o->client);
    struct watch *w;

    if (!h || !h->watched)
        return;
    for (int i = 0; i < m->address_count && i < DNS_ADDRESSES; i++)
        if (habit_contacted(h, m->address + i))
            habit_own(h, name); /* bootstrap, though after the attempt */
    w = watch_of(d, o, h);
    if (!w)
        return;
    hear_server(d, w, o);
    if (w->held_count)
        watch_answer(d, w, o, name);
}

static size_t address_count(const struct dns_message *m)
{
    return m->address_count < DNS_ADDRESSES ? m->address_count : DNS_ADDRESSES;
}

static void see_answer(struct downgrade *d, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    resolved_put(d->resolved, &o->client, m->address, address_count(m),
                 habit_name(o->dns.qname_hash), o->time);
    if (table_count(d->watches) > 0)
        see_answer_while_watched(d, o);
}

/* --- encrypted attempts ---------------------------------------------------------------------- */

static void learn_server_name(const struct downgrade *d, struct habit *h, const char *sni)
{
    uint8_t wire[DNS_NAME_WIRE];
    size_t length = sni[0] ? name_to_wire(sni, wire) : 0;

    if (length)
        habit_own(h, habit_name(hash_bytes(wire, length, d->seed)));
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

    if (o->flow.phase == FLOW_ESTABLISHED) {
        servers_learn(d->servers, &o->server, o->flow.ttl_server, o->flow.rtt_us);
        blame_heard(d, s, &o->server, o->flow.ttl_server, o->time);
    }
    if (!sealed_worked(s, o) && o->flow.phase != FLOW_ESTABLISHED)
        return;
    usage_worked(downgrade_usage(d, o), o->flow.tls.sni[0] != '\0');
    downgrade_recovered(d, s);
    siblings = stations_siblings(d->stations, o->station, &o->client, sibling);
    for (size_t i = 0; i < siblings; i++) {
        struct sealed *other = downgrade_pair(d, sibling + i, s->key.group);

        if (!other || other->last_ok >= s->last_ok)
            continue;
        sealed_sibling_worked(other, s->last_ok);
        downgrade_recovered(d, other);
    }
}

/* False: it is no failure of encrypted DNS. */
static bool fail(struct downgrade *d, struct sealed *s, const struct observation *o,
                 const struct blame *blame)
{
    if (!sealed_failed(s, o, blame, &d->times))
        return false;
    usage_failed(downgrade_usage(d, o), blame, o->time, sealed_window(s, &d->times));
    return true;
}

/* What our own rule cuts has failed with its first packet: the answer the kernel gives does not
 * pass every place a sensor may look at (on a bridge it goes to the port itself). */
static void see_attempt(struct downgrade *d, struct sealed *s, struct habit *h,
                        const struct observation *o)
{
    struct blame blame;
    struct watch *w;
    bool certain;

    if (!sealed_opened(s, o))
        return;
    see_contact(d, h, o);
    w = watch_client(d, o, h, s->key.group);
    if (o->flow.phase != FLOW_OPENED || !own_cuts_explain(d->cuts, d->policy, o, &certain))
        return;
    origin_begin(&blame, o, true);
    blame.certain = certain;
    if (fail(d, s, o, &blame))
        watch_settle(d, w, o->time, false);
}

static void see_failure(struct downgrade *d, struct sealed *s, struct habit *h,
                        const struct observation *o)
{
    struct blame blame = blame_of(d, s, o);

    if (blame.cause == CAUSE_OWN_RULE && s->blame.cause == blame.cause && s->failed &&
        s->blame.flow_id == o->flow_id)
        return; /* counted with its first packet */
    if (fail(d, s, o, &blame))
        watch_settle(d, watch_client(d, o, h, s->key.group), o->time, false);
}

static APART void see_flow(struct downgrade *d, const struct observation *o)
{
    uint64_t group = groups_at(&d->groups, o->note.resolver, &o->server);
    uint64_t by_address =
        groups_at(&d->groups, policy_resolver_at(d->policy, &o->server, NULL), &o->server);
    struct sealed_key key = {o->client, group};
    struct habit *h = habit_of(d, o, downgrade_usage_of(d, o->note.who, o->note.tenure));
    struct sealed *s;
    bool fresh;

    if (group != by_address && (s = downgrade_pair(d, &o->client, by_address)))
        sealed_forget(s, o->flow_id);
    s = table_insert(d->pairs, &key, &fresh);
    learn_server_name(d, h, o->flow.tls.sni);
    switch (o->flow.phase) {
    case FLOW_OPENED:
    case FLOW_WAITING:    /* a query over a connection that has worked */
    case FLOW_IDENTIFIED: /* by its name: nobody knew that the SYN was an attempt */
        see_attempt(d, s, h, o);
        break;
    case FLOW_ESTABLISHED:
    case FLOW_PROGRESS:
    case FLOW_RESUMED:
        see_success(d, s, o);
        break;
    case FLOW_FAILED:
    case FLOW_STALLED:
        see_failure(d, s, h, o);
        break;
    case FLOW_CLOSED:
        sealed_forget(s, o->flow_id);
        break;
    case FLOW_AFTERMATH:
        blame_after(d, s, o);
        break;
    default:
        break;
    }
}

/* Its server is asked for in clear text, as a resolver is; what else was, just before, may be the
 * same start. */
static void downgrade_vpn_began(void *state, const struct observation *o)
{
    struct downgrade *d = state;
    struct usage *u = downgrade_usage(d, o);
    struct watch *w;

    if (!usage_began_vpn(u, (enum vpn)o->vpn, o->time))
        return;
    see_contact(d, habit_of(d, o, u), o);
    w = table_find(d->watches, &o->client);
    for (int i = 0; w && i < GROUPS; i++) {
        struct sealed *s = w->group[i] ? downgrade_pair(d, &o->client, w->group[i]) : NULL;

        if (s)
            downgrade_moved(d, s, (enum vpn)o->vpn, o->time);
    }
}

static void downgrade_met(void *state, const struct observation *o)
{
    struct downgrade *d = state;
    uint64_t group = groups_at(&d->groups, o->note.resolver, &o->server);
    struct sealed *s = o->met.acted ? downgrade_pair(d, &o->client, group) : NULL;

    if (s)
        blame_cut(d, s, o);
}

/* --- the detector ---------------------------------------------------------------------------- */

/* The place of the client's habit, as far as it is known; 0: not. */
static uint32_t place_of_habit(const struct downgrade *d, const struct observation *o)
{
    const struct usage *u = slots_find(d->usages, o->note.who, o->note.tenure);

    return u ? u->habit : 0;
}

static APART void prefetch_flow(const struct downgrade *d, const struct observation *o)
{
    struct sealed_key key = {o->client, groups_at(&d->groups, o->note.resolver, &o->server)};

    if (!groups_attempt(d->policy, o))
        return;
    table_prefetch_bucket(d->pairs, &key);
    slots_prefetch(d->usages, o);
}

static void downgrade_prefetch(const void *state, const struct observation *o)
{
    const struct downgrade *d = state;
    const struct dns_message *m = &o->dns.message;

    if (o->kind == OBSERVE_FLOW)
        prefetch_flow(d, o);
    else if (dns_is_response(m))
        resolved_prefetch(d->resolved, &o->client, m->address, address_count(m));
    else
        slots_prefetch(d->usages, o);
}

static APART void prefetch_flow_entry(const struct downgrade *d, const struct observation *o)
{
    struct sealed_key key = {o->client, groups_at(&d->groups, o->note.resolver, &o->server)};
    uint32_t place = place_of_habit(d, o);

    if (!groups_attempt(d->policy, o))
        return;
    table_prefetch_entry(d->pairs, &key);
    if (!table_prefetch_at(d->habits, place))
        table_prefetch_bucket(d->habits, &o->client);
}

static void downgrade_prefetch_entry(const void *state, const struct observation *o)
{
    const struct downgrade *d = state;
    const struct habit *h;

    if (o->kind == OBSERVE_FLOW) {
        prefetch_flow_entry(d, o);
        return;
    }
    if (dns_is_response(&o->dns.message))
        return;
    h = table_prefetch_at(d->habits, place_of_habit(d, o));
    if (h)
        habit_prefetch(h, habit_name(o->dns.qname_hash));
    else
        table_prefetch_bucket(d->habits, &o->client);
}

static void downgrade_observe(void *state, const struct observation *o)
{
    struct downgrade *d = state;

    if (o->kind == OBSERVE_FLOW) {
        if (groups_attempt(d->policy, o))
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

static void downgrade_tick(void *state, nsec_t now)
{
    watch_tick(state, now);
    downgrade_tell_due(state, now);
}

static void downgrade_flush(void *state, nsec_t now)
{
    watch_flush(state, now);
    downgrade_tell_all(state);
}

static void read_times(struct downgrade *d, const struct policy *p)
{
    d->times.race = policy_threshold(p, RULE, "race_window_s", 5) * NSEC_S;
    d->times.patience = policy_threshold(p, RULE, "patience_ms", 200) * NSEC_MS;
    d->times.window_reset = policy_threshold(p, RULE, "window_reset_s", 30) * NSEC_S;
    d->times.window_timeout = policy_threshold(p, RULE, "window_timeout_s", 130) * NSEC_S;
    d->times.window_icmp = policy_threshold(p, RULE, "window_icmp_s", 300) * NSEC_S;
    d->times.vpn = policy_threshold(p, RULE, "vpn_s", 30) * NSEC_S;
    d->times.attach = policy_threshold(p, RULE, "attach_s", 120) * NSEC_S;
    d->habit_names = (uint32_t)policy_threshold(p, RULE, "habit_names", 3);
}

/* Without memory resolvers are told apart by address. */
static bool read_policy(struct downgrade *d, const struct policy *p)
{
    bool groups = groups_read(&d->groups, p);

    d->policy = p;
    fallback_read_scale(&d->scale, p);
    usage_read_limits(&d->limits, p);
    read_times(d, p);
    return groups;
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
    servers_destroy(d->servers);
    slots_destroy(d->usages);
    table_destroy(d->recalled);
    groups_free(&d->groups);
    free(d);
}

static bool make_tables(struct downgrade *d, const struct detector_setup *setup)
{
    struct table_shape habits = {.entry_size = sizeof(struct habit),
                                 .key_size = sizeof(struct addr),
                                 .capacity = bounds_share(setup->bounds, CLIENTS),
                                 .seed = setup->seed,
                                 .context = d,
                                 .hot = offsetof(struct habit, own)};
    struct table_shape pairs = {.entry_size = sizeof(struct sealed),
                                .key_size = sizeof(struct sealed_key),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed,
                                .context = d};
    struct table_shape watches = habits, fallbacks = pairs;

    watches.entry_size = sizeof(struct watch);
    watches.capacity = bounds_share(setup->bounds, WATCHES);
    watches.evicted = watch_evicted;
    watches.hot = 0;
    fallbacks.entry_size = sizeof(struct fallback);
    fallbacks.capacity = bounds_share(setup->bounds, FALLBACKS);
    fallbacks.evicted = downgrade_fallback_evicted;
    d->habits = table_create(&habits);
    d->pairs = table_create(&pairs);
    d->watches = table_create(&watches);
    d->fallbacks = table_create(&fallbacks);
    return d->habits && d->pairs && d->watches && d->fallbacks;
}

static void *downgrade_create(const struct detector_setup *setup)
{
    struct downgrade *d = calloc(1, sizeof *d);
    uint64_t seed = setup->seed;

    if (!d)
        return NULL;
    d->sink = setup->sink;
    d->stats = setup->stats;
    d->cuts = setup->cuts;
    d->reader = setup->reader;
    d->seed = seed;
    TAILQ_INIT(&d->busy);
    TAILQ_INIT(&d->due);
    d->servers = servers_create(seed);
    d->stations = stations_create(bounds_share(setup->bounds, CLIENTS), seed);
    d->resolved = resolved_create(seed);
    if (make_tables(d, setup) && d->servers && d->stations && d->resolved &&
        downgrade_usage_create(d, seed) && read_policy(d, setup->policy))
        return d;
    downgrade_destroy(d);
    return NULL;
}

static size_t downgrade_bytes(const void *state)
{
    const struct downgrade *d = state;

    return sizeof *d + table_bytes(d->habits) + table_bytes(d->pairs) + table_bytes(d->watches) +
           table_bytes(d->fallbacks) + servers_bytes(d->servers) + slots_bytes(d->usages) +
           table_bytes(d->recalled) + stations_bytes(d->stations) + resolved_bytes();
}

const struct detector detector_downgrade = {.name = RULE,
                                            .reads = READ_QUERIES | READ_ADDRESSES | READ_FLOWS,
                                            .create = downgrade_create,
                                            .destroy = downgrade_destroy,
                                            .use_policy = downgrade_use_policy,
                                            .observe = downgrade_observe,
                                            .vpn_began = downgrade_vpn_began,
                                            .met = downgrade_met,
                                            .tick = downgrade_tick,
                                            .flush = downgrade_flush,
                                            .bytes = downgrade_bytes,
                                            .prefetch = downgrade_prefetch,
                                            .prefetch_entry = downgrade_prefetch_entry,
                                            .remember = downgrade_remember,
                                            .recall = downgrade_recall};
