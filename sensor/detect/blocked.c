/* Encrypted DNS to a resolver group that worked fails for clients at large: one incident, however
 * many clients there are. Only clients count for which it worked before, so that nobody makes an
 * incident by knocking at a dead port from many addresses; and only those whose failure has lasted
 * longer than a race between families and transports takes.
 *
 * Worst case in bytes: 65,536 pairs of about 90, 1,024 groups of about 260. */
#include "detect/blocked.h"

#include <stdlib.h>

#define RULE "encrypted-dns-blocked"
#define LOOK NSEC_S
#define HOUR (3600 * NSEC_S)
#define GROW (60 * NSEC_S)
enum { PAIRS = 65536, STATES = 1024 };

/* --- tables ---------------------------------------------------------------------------------- */

static void unlist(struct blocked *b, struct group *g)
{
    if (g->listed)
        TAILQ_REMOVE(&b->troubled, g, link);
    g->listed = false;
}

static void works(struct blocked *b, struct group *g, struct pair *p)
{
    if (!p->failed)
        return;
    p->failed = 0;
    p->in_clear = false;
    p->question = 0;
    TAILQ_REMOVE(&g->failing, p, link);
    if (--g->failing_count == 0 && !g->incident.open)
        unlist(b, g);
}

static void pair_evicted(void *context, void *entry)
{
    struct blocked *b = context;
    struct pair *p = entry;
    struct group *g = p->failed ? table_find(b->states, &p->key.group) : NULL;

    if (g)
        works(b, g, p);
    if (b->stats)
        b->stats->state_evicted++;
}

static void group_evicted(void *context, void *entry)
{
    struct blocked *b = context;
    struct group *g = entry;
    struct pair *p;

    TAILQ_FOREACH(p, &g->failing, link)
    p->failed = 0;
    b->incidents -= g->incident.open;
    unlist(b, g);
    if (b->stats)
        b->stats->state_evicted++;
}

static struct group *group_at(struct blocked *b, uint64_t key)
{
    bool fresh;
    struct group *g = table_insert(b->states, &key, &fresh);

    if (fresh)
        TAILQ_INIT(&g->failing);
    return g;
}

/* --- successes and failures ------------------------------------------------------------------- */

static uint32_t hour_of(nsec_t t)
{
    return (uint32_t)(t / HOUR) + 1;
}

static void turn(struct group *g, uint32_t hour)
{
    if (g->hour == hour)
        return;
    g->active[1] = g->hour + 1 == hour ? g->active[0] : 0;
    g->active[0] = 0;
    g->hour = hour;
}

uint32_t blocked_active(const struct group *g, nsec_t now)
{
    struct group turned = {.hour = g->hour, .active = {g->active[0], g->active[1]}};

    turn(&turned, hour_of(now));
    return turned.active[0] > turned.active[1] ? turned.active[0] : turned.active[1];
}

static void see_success(struct blocked *b, struct pair *p, const struct observation *o)
{
    struct group *g = group_at(b, p->key.group);
    uint32_t hour = hour_of(o->time);

    turn(g, hour);
    g->active[0] += p->hour != hour;
    p->hour = hour;
    p->ttl = o->flow.ttl_server ? o->flow.ttl_server : p->ttl;
    g->last_ok = b->last_ok = o->time;
    g->incident.recovered += p->failed && g->incident.open;
    works(b, g, p);
}

static struct blame blame_of(const struct blocked *b, const struct pair *p,
                             const struct observation *o)
{
    struct origin_known known = {.ttl = p->ttl};
    struct blame blame;
    bool certain, own = own_cuts_explain(b->cuts, b->policy, o, &certain);

    origin_begin(&blame, o, own);
    origin_judge(&blame, &known);
    return blame;
}

static void see_failure(struct blocked *b, struct pair *p, const struct observation *o)
{
    struct group *g;
    struct blame blame;

    if (!p->hour || o->flow.cause == CAUSE_NONE || is_change_of_mind(o))
        return;
    g = group_at(b, p->key.group);
    blame = blame_of(b, p, o);
    p->cause = blame.cause;
    p->origin = blame.origin;
    p->failed_last = o->time;
    g->seen = sighting_of(o);
    if (p->failed)
        return;
    p->failed = o->time;
    TAILQ_INSERT_TAIL(&g->failing, p, link);
    g->failing_count++;
    if (!g->listed)
        TAILQ_INSERT_TAIL(&b->troubled, g, link);
    g->listed = true;
}

static void see_flow(struct blocked *b, const struct observation *o)
{
    struct pair_key key = {o->client, groups_at(&b->groups, o->note.resolver, &o->server)};
    struct pair *p;
    bool fresh;

    switch (o->flow.phase) {
    case FLOW_ESTABLISHED:
        see_success(b, table_insert(b->pairs, &key, &fresh), o);
        break;
    case FLOW_PROGRESS: /* of another flow than that which failed, perhaps from before */
        p = o->flow.responses ? table_find(b->pairs, &key) : NULL;
        if (p && (!p->failed || o->flow.last > p->failed_last + NSEC_S))
            see_success(b, p, o);
        break;
    case FLOW_FAILED:
        p = table_find(b->pairs, &key);
        if (p)
            see_failure(b, p, o);
        break;
    default:
        break;
    }
}

/* While an incident is open: who of them goes on in clear text. One question may be bootstrap. */
static void see_query(struct blocked *b, const struct observation *o)
{
    uint32_t question = (uint32_t)o->dns.qname_hash | 1;
    struct group *g;

    TAILQ_FOREACH(g, &b->troubled, link)
    {
        struct pair_key key = {o->client, g->key};
        struct pair *p = g->incident.open ? table_find(b->pairs, &key) : NULL;

        if (!p || !p->failed)
            continue;
        if (!p->in_clear && p->question && p->question != question) {
            p->in_clear = true;
            g->incident.in_clear++;
        }
        p->question = question;
    }
}

static void blocked_observe(void *state, const struct observation *o)
{
    struct blocked *b = state;

    if (o->kind == OBSERVE_DNS) {
        if (b->incidents && dns_recursion_desired(&o->dns.message))
            see_query(b, o);
        return;
    }
    if (groups_attempt(b->policy, o))
        see_flow(b, o);
}

/* The sensor asked the resolver itself. */
static void blocked_probed(void *state, const struct observation *o)
{
    struct blocked *b = state;
    int16_t resolver = policy_resolver_at(b->policy, &o->server, NULL);
    uint64_t key = groups_at(&b->groups, resolver, &o->server);
    struct group *g = transport_is_sealed(o->transport) ? table_find(b->states, &key) : NULL;

    if (!g)
        return; /* nobody uses it */
    g->probed = o->time;
    g->probe_faults = o->probe.faults;
    g->probe_works = o->probe.encrypted && !(o->probe.faults & ~(uint32_t)FAULTS_TO_REMARK);
    if (g->incident.open)
        g->incident.next = 0;
}

/* --- incidents ------------------------------------------------------------------------------- */

/* Those whose failure outlasted a race. */
static uint32_t count_ripe(const struct blocked *b, const struct group *g, nsec_t now)
{
    const struct pair *p;
    uint32_t ripe = 0;

    TAILQ_FOREACH(p, &g->failing, link)
    {
        if (now - p->failed < b->race)
            break; /* and all after it are younger */
        ripe++;
    }
    return ripe;
}

static bool is_large(const struct blocked *b, uint32_t clients, uint32_t active)
{
    return clients >= b->clients_least &&
           (uint64_t)clients * 100 >= (uint64_t)active * b->share_percent;
}

/* Without an incident an old failure is nobody's part of one; in one it lasts until it works. */
static void expire(struct blocked *b, struct group *g, nsec_t now)
{
    struct pair *p, *next;

    if (g->incident.open)
        return;
    for (p = TAILQ_FIRST(&g->failing); p; p = next) {
        next = TAILQ_NEXT(p, link);
        if (now - p->failed_last > b->within)
            works(b, g, p);
    }
}

static void end_incident(struct blocked *b, struct group *g, nsec_t now)
{
    blocked_tell(b, g, now, true);
    b->incidents--;
    g->incident = (struct incident){0};
    if (g->failing_count == 0)
        unlist(b, g);
}

static void follow(struct blocked *b, struct group *g, nsec_t now)
{
    struct incident *i = &g->incident;
    uint32_t clients = g->failing_count, active = blocked_active(g, now);
    bool graver = b->severity[blocked_reading(b, g, now)] < i->severity;
    bool more = clients >= 2 * i->told || i->in_clear > 2 * i->in_clear_told;

    i->most = clients > i->most ? clients : i->most;
    if (i->recovered && !is_large(b, clients, active)) {
        end_incident(b, g, now);
    } else if (graver || more || now >= i->next) {
        if (graver || clients != i->told || i->in_clear != i->in_clear_told || i->next == 0)
            blocked_tell(b, g, now, false);
        i->next = now + GROW;
    }
}

static void look(struct blocked *b, struct group *g, nsec_t now)
{
    uint32_t ripe;

    expire(b, g, now);
    if (g->incident.open) {
        follow(b, g, now);
        return;
    }
    if (g->failing_count < b->clients_least)
        return;
    ripe = count_ripe(b, g, now);
    if (!is_large(b, ripe, blocked_active(g, now)))
        return;
    g->incident = (struct incident){.open = true,
                                    .began = TAILQ_FIRST(&g->failing)->failed,
                                    .most = g->failing_count,
                                    .next = now + GROW};
    b->incidents++;
    reader_adds(b->reader, READ_QUERIES);
    blocked_tell(b, g, now, false);
}

static void blocked_tick(void *state, nsec_t now)
{
    struct blocked *b = state;
    struct group *g, *next;

    if (!time_passed(b->looked, LOOK, now))
        return;
    b->looked = now;
    if (!b->incidents)
        reader_drops(b->reader, READ_QUERIES);
    for (g = TAILQ_FIRST(&b->troubled); g; g = next) {
        next = TAILQ_NEXT(g, link);
        look(b, g, now);
    }
}

static void blocked_flush(void *state, nsec_t now)
{
    struct blocked *b = state;
    struct group *g;

    TAILQ_FOREACH(g, &b->troubled, link)
    if (g->incident.open && g->failing_count != g->incident.told)
        blocked_tell(b, g, now, false);
}

/* --- the detector ---------------------------------------------------------------------------- */

static void blocked_use_policy(void *state, const struct policy *p)
{
    static const struct {
        const char *name;
        enum severity otherwise;
    } severities[] = {{"severity_unclear", SEVERITY_MEDIUM},
                      {"severity_interference", SEVERITY_HIGH},
                      {"severity_server", SEVERITY_MEDIUM},
                      {"severity_outage", SEVERITY_MEDIUM},
                      {"severity_own_rule", SEVERITY_INFORMATIONAL}};
    struct blocked *b = state;

    b->policy = p;
    groups_read(&b->groups, p);
    b->clients_least = (uint32_t)policy_threshold(p, RULE, "clients_least", 3);
    b->share_percent = (uint32_t)policy_threshold(p, RULE, "share_percent", 20);
    b->within = policy_threshold(p, RULE, "within_s", 300) * NSEC_S;
    b->race = policy_threshold(p, RULE, "race_window_s", 5) * NSEC_S;
    b->probe_age = policy_threshold(p, RULE, "probe_age_s", 600) * NSEC_S;
    for (size_t i = 0; i < sizeof severities / sizeof *severities; i++)
        b->severity[i] =
            (uint8_t)draft_severity(p, RULE, severities[i].name, severities[i].otherwise);
}

static void blocked_destroy(void *state)
{
    struct blocked *b = state;

    table_destroy(b->pairs);
    table_destroy(b->states);
    groups_free(&b->groups);
    free(b);
}

static void *blocked_create(const struct detector_setup *setup)
{
    struct blocked *b = calloc(1, sizeof *b);
    struct table_shape pairs = {.entry_size = sizeof(struct pair),
                                .key_size = sizeof(struct pair_key),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed,
                                .evicted = pair_evicted,
                                .context = b};
    struct table_shape states = {.entry_size = sizeof(struct group),
                                 .key_size = sizeof(uint64_t),
                                 .capacity = STATES,
                                 .seed = setup->seed,
                                 .evicted = group_evicted,
                                 .context = b};

    if (!b)
        return NULL;
    b->sink = setup->sink;
    b->stats = setup->stats;
    b->cuts = setup->cuts;
    b->reader = setup->reader;
    TAILQ_INIT(&b->troubled);
    b->pairs = table_create(&pairs);
    b->states = table_create(&states);
    if (b->pairs && b->states) {
        blocked_use_policy(b, setup->policy);
        return b;
    }
    blocked_destroy(b);
    return NULL;
}

static size_t blocked_bytes(const void *state)
{
    const struct blocked *b = state;

    return sizeof *b + table_bytes(b->pairs) + table_bytes(b->states);
}

const struct detector detector_blocked = {.name = RULE,
                                          .reads = READ_FLOWS,
                                          .create = blocked_create,
                                          .destroy = blocked_destroy,
                                          .use_policy = blocked_use_policy,
                                          .observe = blocked_observe,
                                          .probed = blocked_probed,
                                          .tick = blocked_tick,
                                          .flush = blocked_flush,
                                          .bytes = blocked_bytes};
