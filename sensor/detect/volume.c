/* Far more queries than this client's own baseline: log(1 + queries of the last hour), looked at
 * each five minutes, against the robust median of the same hour of the day. Queries inside
 * encrypted transports count as observe/ estimates them. Time is the packets'.
 *
 * Worst case in bytes: 65,536 clients of about 150, and `exact_clients` (5,000) profiles of 2,800
 * for those that ever asked a third of the floor in an hour; the rest are known to have asked less.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "detect/detect.h"
#include "detect/draft.h"
#include "detect/profile.h"

#define RULE        "volume-anomaly"
#define CLIENTS     65536
#define STEP        (300 * NSEC_S)
#define STEPS       12   /* of the window: an hour */
#define SAMPLE_EACH 3    /* steps */
#define CATCH_UP    2016 /* steps of silence that are learned as such: a week */
#define CALM        3.0  /* z below which an alarm is over */

struct client {
    struct addr addr; /* the key */
    nsec_t first;
    int64_t step;                                     /* that `now` counts */
    uint32_t past[STEPS - 1], past_sealed[STEPS - 1]; /* closed steps, by step % (STEPS - 1) */
    uint32_t now, now_sealed;
    uint32_t profile; /* 1 + index, 0: none */
    int16_t zone;
    uint16_t vlan, iface;
    uint8_t roles, run;
    nsec_t alarm; /* since, 0: none */
    nsec_t seen;
};

struct volume {
    const struct policy *policy;
    struct finding_sink sink;
    struct stats *stats;
    struct table *clients;
    struct profile *profiles;
    uint32_t *free_profiles;
    uint32_t free_count, profile_count;
    int64_t step;
    uint32_t floor, cold_floor;
    unsigned consecutive, learn_steps;
    double z_alarm, z_young, z_page, scale_floor, winsor;
    nsec_t learn, learn_full;
    uint8_t severity_page;
};

static uint32_t sum_of(const uint32_t *past, uint32_t now)
{
    for (int i = 0; i < STEPS - 1; i++)
        now += past[i];
    return now;
}

static uint32_t threshold(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, RULE, name, otherwise);

    return (uint32_t)(value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : value);
}

static void volume_use_policy(void *state, const struct policy *p)
{
    struct volume *v = state;

    v->policy = p;
    v->floor = threshold(p, "floor_queries", 150);
    v->cold_floor = threshold(p, "cold_floor_queries", 1000);
    v->consecutive = threshold(p, "consecutive", 2);
    v->learn_steps = threshold(p, "learn_steps", 24);
    v->learn = (nsec_t)threshold(p, "learn_s", 86400) * NSEC_S;
    v->learn_full = (nsec_t)threshold(p, "learn_full_s", 604800) * NSEC_S;
    v->z_alarm = threshold(p, "z_alarm_milli", 4000) / 1000.0;
    v->z_young = threshold(p, "z_young_milli", 5000) / 1000.0;
    v->z_page = threshold(p, "z_page_milli", 8000) / 1000.0;
    v->scale_floor = threshold(p, "scale_floor_milli", 250) / 1000.0;
    v->winsor = threshold(p, "winsor_z_milli", 4000) / 1000.0;
    v->severity_page = (uint8_t)draft_severity(p, RULE, "severity_page", SEVERITY_MEDIUM);
}

static void client_evicted(void *context, void *entry)
{
    struct volume *v = context;
    struct client *c = entry;

    if (c->profile)
        v->free_profiles[v->free_count++] = c->profile - 1;
    if (v->stats)
        v->stats->state_evicted++;
}

static void volume_destroy(void *state)
{
    struct volume *v = state;

    table_destroy(v->clients);
    free(v->profiles);
    free(v->free_profiles);
    free(v);
}

static void *volume_create(const struct detector_setup *setup)
{
    struct volume *v = calloc(1, sizeof *v);
    struct table_shape shape = {sizeof(struct client), sizeof(struct addr), CLIENTS,
                                setup->seed,           client_evicted,      v};

    if (!v)
        return NULL;
    v->sink = setup->sink;
    v->stats = setup->stats;
    volume_use_policy(v, setup->policy);
    v->profile_count = threshold(setup->policy, "exact_clients", 5000);
    if (v->profile_count > CLIENTS)
        v->profile_count = CLIENTS;
    v->clients = table_create(&shape);
    v->profiles = calloc(v->profile_count + 1, sizeof *v->profiles);
    v->free_profiles = calloc(v->profile_count + 1, sizeof *v->free_profiles);
    if (!v->clients || !v->profiles || !v->free_profiles) {
        volume_destroy(v);
        return NULL;
    }
    for (uint32_t i = v->profile_count; i-- > 0;)
        v->free_profiles[v->free_count++] = i;
    return v;
}

/* --- judging ---------------------------------------------------------------------------------- */

struct reading {
    uint32_t queries;
    double expected, z;
};

static void tell(struct volume *v, const struct client *c, const struct profile *p,
                 const struct reading *r, nsec_t now)
{
    struct sighting s = {.client = c->addr,
                         .time = now,
                         .zone = c->zone,
                         .vlan = c->vlan,
                         .iface = c->iface,
                         .resolver = -1,
                         .roles = c->roles};
    struct finding f;

    draft(&f, v->policy, RULE, KIND_VOLUME_ANOMALY, &s, SEVERITY_LOW);
    if (r->z > v->z_page && v->severity_page < f.severity)
        f.severity = v->severity_page;
    f.confidence = (uint8_t)(r->z > 12 ? 98 : 60 + (r->z - 4) * 4.75);
    f.excepted = policy_exception_for(v->policy, &c->addr, -1, now) != NULL;
    f.first = c->alarm;
    f.key = hash_bytes(c->addr.b, sizeof c->addr.b, 0);
    evidence_integer(&f.evidence, "queries", r->queries);
    evidence_integer(&f.evidence, "queries_encrypted", sum_of(c->past_sealed, c->now_sealed));
    evidence_integer(&f.evidence, "window_s", STEPS * STEP / NSEC_S);
    evidence_integer(&f.evidence, "expected", (int64_t)(r->expected + 0.5));
    evidence_real(&f.evidence, "z", r->z);
    evidence_integer(&f.evidence, "learned_h", (now - p->first) / (3600 * NSEC_S));
    if (c->roles & (ROLE_RECURSIVE | ROLE_FORWARDER))
        evidence_string(&f.evidence, "client_is",
                        c->roles & ROLE_RECURSIVE ? "recursive resolver" : "forwarder");
    v->sink.put(v->sink.context, &f);
}

/* The profile of a client that asks enough to need one. Until now it is known to have asked less.
 */
static struct profile *profile_of(struct volume *v, struct client *c, uint32_t queries, nsec_t now)
{
    if (c->profile)
        return v->profiles + c->profile - 1;
    if (queries < v->floor / 3 || v->free_count == 0)
        return NULL;
    c->profile = v->free_profiles[--v->free_count] + 1;
    profile_begin(v->profiles + c->profile - 1, c->first, now - STEP, v->floor / 3);
    return v->profiles + c->profile - 1;
}

/* True while it is an anomaly: nothing is learned from it. */
static bool is_anomaly(struct volume *v, struct client *c, const struct profile *p,
                       uint32_t queries, nsec_t now)
{
    struct profile_level level = profile_at(p, now);
    double scale = level.spread > v->scale_floor ? level.spread : v->scale_floor;
    double z = (log1p(queries) - level.median) / scale;
    bool own = level.own && now - p->first >= v->learn;
    double alarm = now - p->first >= v->learn_full ? v->z_alarm : v->z_young;
    uint32_t floor = own ? v->floor : v->cold_floor;

    if (!level.own && level.samples * SAMPLE_EACH < v->learn_steps)
        return false;
    c->run = z > alarm && queries >= floor ? (uint8_t)(c->run < 255 ? c->run + 1 : 255) : 0;
    if (c->alarm && z < CALM)
        c->alarm = 0;
    if (c->run < v->consecutive && !(z > v->z_page && queries >= floor))
        return c->run > 0 || c->alarm;
    if (!c->alarm)
        c->alarm = now - (nsec_t)c->run * STEP;
    tell(v, c, p, &(struct reading){queries, expm1(level.median), z}, now);
    return true;
}

static void judge(struct volume *v, struct client *c, nsec_t now)
{
    uint32_t queries = sum_of(c->past, c->now);
    struct profile *p = profile_of(v, c, queries, now);
    double ceiling = INFINITY;

    if (!p)
        return;
    if (queries == 0)
        c->alarm = c->run = 0; /* silence needs no statistics: there may be a week of it */
    else if (is_anomaly(v, c, p, queries, now)) {
        if (c->alarm && now - c->alarm > v->learn) { /* that is how it is now */
            c->alarm = 0;
            c->run = 0;
            profile_begin(p, now, now, 0);
        }
        return;
    }
    if (c->step % SAMPLE_EACH != 0)
        return;
    if (queries && now - p->first >= v->learn) {
        struct profile_level level = profile_at(p, now);
        double scale = level.spread > v->scale_floor ? level.spread : v->scale_floor;

        if (level.own)
            ceiling = level.median + v->winsor * scale;
    }
    profile_learn(p, now, queries, ceiling);
}

/* Closes the steps of one client up to this one, which begins. */
static void advance(struct volume *v, struct client *c, int64_t step)
{
    int64_t limit = c->profile ? CATCH_UP : STEPS + 1;

    if (step - c->step > limit) { /* a long silence: only its end is gone through */
        memset(c->past, 0, sizeof c->past);
        memset(c->past_sealed, 0, sizeof c->past_sealed);
        c->now = c->now_sealed = 0;
        c->step = step - limit;
    }
    while (c->step < step) {
        judge(v, c, (c->step + 1) * STEP);
        c->past[c->step % (STEPS - 1)] = c->now;
        c->past_sealed[c->step % (STEPS - 1)] = c->now_sealed;
        c->now = c->now_sealed = 0;
        c->step++;
    }
}

static void turn_step(struct volume *v, nsec_t now)
{
    int64_t step = now / STEP;
    struct client *c;
    size_t position = 0;

    if (step <= v->step)
        return;
    v->step = step;
    while ((c = table_next(v->clients, &position)))
        advance(v, c, step);
}

/* --- the detector ----------------------------------------------------------------------------- */

static void count(struct volume *v, const struct observation *o, uint32_t queries, bool sealed)
{
    bool fresh;
    struct client *c = table_insert(v->clients, &o->client, &fresh);

    if (fresh) {
        c->first = o->time;
        c->step = v->step;
    }
    c->zone = o->note.zone;
    c->vlan = o->vlan;
    c->iface = o->iface;
    c->roles = o->note.roles;
    c->seen = o->time;
    c->now += queries;
    if (sealed)
        c->now_sealed += queries;
}

static void volume_prefetch(const void *state, const struct observation *o, bool entry)
{
    const struct volume *v = state;

    if (o->kind == OBSERVE_DNS && !dns_is_response(&o->dns.message))
        (entry ? table_prefetch_entry : table_prefetch_bucket)(v->clients, &o->client);
}

static void volume_observe(void *state, const struct observation *o)
{
    struct volume *v = state;

    turn_step(v, o->time);
    if (o->kind == OBSERVE_DNS && !dns_is_response(&o->dns.message))
        count(v, o, 1, false);
    else if (o->kind == OBSERVE_FLOW && o->flow.queries && transport_is_sealed(o->transport))
        count(v, o, o->flow.queries, true);
}

static void volume_tick(void *state, nsec_t now)
{
    turn_step(state, now);
}

static size_t volume_bytes(const void *state)
{
    const struct volume *v = state;

    return sizeof *v + table_bytes(v->clients) +
           (v->profile_count + 1) * (sizeof *v->profiles + sizeof *v->free_profiles);
}

const struct detector detector_volume = {.name = RULE,
                                         .create = volume_create,
                                         .destroy = volume_destroy,
                                         .use_policy = volume_use_policy,
                                         .observe = volume_observe,
                                         .tick = volume_tick,
                                         .bytes = volume_bytes,
                                         .prefetch = volume_prefetch};
