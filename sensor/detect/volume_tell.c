/* What is told when a step has been judged for all: each client that is odd; or, where many are,
 * the zone or the resolver instead of them; and a zone or resolver that rises by itself, unless one
 * client is most of the rise: then that client. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "detect/draft.h"
#include "detect/volume.h"

static const char *const stage_names[] = {"none", "page", "run", "cusum", "silence", "burst"};
static const char *const source_names[] = {"none", "own-recent", "role", "own-hour-of-day",
                                           "own-hour-of-week"};

const char *volume_role_name(uint8_t roles)
{
    if (roles & ROLE_RECURSIVE)
        return "recursive resolver";
    if (roles & ROLE_FORWARDER)
        return "forwarder";
    if (roles & ROLE_GATEWAY)
        return "gateway";
    return roles & ROLE_SEVERAL ? "several clients" : "client";
}

/* What a finding is about. */
struct about {
    struct sighting seen;
    const struct subject *subject; /* NULL: a client without one */
    uint64_t key;
    uint32_t queries, sealed;
    const char *because; /* of whose rise it is most, or NULL */
    uint32_t clients;    /* odd ones that this stands for, 0: it is about itself */
    uint8_t family;
};

static void say_amounts(struct evidence *e, const struct about *b, const struct alarm *a)
{
    enum series series = (enum series)a->series;
    double scale = series == SERIES_CLEAR ? 100 : series == SERIES_BYTES ? 64 : 1;

    evidence_string(e, "series", series_name(series));
    evidence_string(e, "direction", a->fall ? "fall" : "rise");
    evidence_integer(e, "queries", b->queries);
    evidence_integer(e, "queries_encrypted", b->sealed);
    if (series == SERIES_CLEAR)
        evidence_integer(e, "percent", (int64_t)(a->value * 100 + 0.5));
    else if (series != SERIES_ALL)
        evidence_integer(e, "count", (int64_t)(a->value * scale + 0.5));
    evidence_integer(e, "window_s", WINDOW_STEPS * WINDOW_STEP / NSEC_S);
    evidence_integer(e, "expected", (int64_t)(a->expected * scale + 0.5));
    evidence_real(e, "z", a->z);
    evidence_string(e, "stage", stage_names[a->stage]);
    evidence_string(e, "baseline", source_names[a->source]);
    evidence_integer(e, "learned_h", a->age_h);
}

static void say_votes(struct evidence *e, const struct subject *s)
{
    if (s && s->votes > 1 && s->domain_text[0])
        evidence_string(e, "domain", s->domain_text);
    if (s && s->type_votes > 1)
        evidence_integer(e, "qtype", s->type);
}

static uint8_t confidence_of(const struct alarm *a)
{
    double base = a->stage == STAGE_CUSUM ? 60 : 60 + (a->z - 4) * 4.75;

    if (a->fall)
        return 90;
    return (uint8_t)(base > 98 ? 98 : base < 50 ? 50 : base);
}

static void tell(struct volume *v, const struct about *b, const struct alarm *a)
{
    struct finding f;

    draft(&f, v->policy, VOLUME_RULE, KIND_VOLUME_ANOMALY, &b->seen, SEVERITY_LOW);
    if ((a->stage == STAGE_PAGE || (a->fall && addr_is_zero(&f.client))) &&
        v->t.severity_page < f.severity)
        f.severity = v->t.severity_page;
    f.confidence = confidence_of(a);
    f.excepted = !addr_is_zero(&f.client) &&
                 policy_exception_for(v->policy, &f.client, f.station, -1, f.time) != NULL;
    f.first = a->since;
    f.key = hash_mix(b->key, (uint64_t)b->family << 1 | a->fall);
    say_amounts(&f.evidence, b, a);
    if (b->clients)
        evidence_integer(&f.evidence, "clients", b->clients);
    if (b->because)
        evidence_string(&f.evidence, "explains", b->because);
    say_votes(&f.evidence, b->subject);
    if (!addr_is_zero(&f.client) && b->seen.roles)
        evidence_string(&f.evidence, "client_is", volume_role_name(b->seen.roles));
    v->sink.put(v->sink.context, &f);
}

static void count_queries(const struct volume *v, struct about *b)
{
    struct reading r;

    if (!b->subject)
        return;
    window_read(&b->subject->window, v->step - 1, &r);
    b->queries = (uint32_t)r.value[SERIES_ALL];
    b->sealed = (uint32_t)r.value[SERIES_SEALED];
}

static struct about about_place(const struct volume *v, struct place *p, unsigned family,
                                nsec_t now)
{
    struct about b = {.seen = {.client = p->addr,
                               .time = now,
                               .zone = p->zone,
                               .vlan = p->vlan,
                               .iface = p->iface,
                               .resolver = -1,
                               .roles = p->roles},
                      .subject = volume_subject_of(v, p),
                      .key = hash_bytes(p->addr.b, sizeof p->addr.b, 0),
                      .queries = (uint32_t)p->hour,
                      .family = (uint8_t)family};

    count_queries(v, &b);
    return b;
}

static struct about about_group(const struct volume *v, const struct subject *s, unsigned family,
                                nsec_t now)
{
    struct about b = {.seen = {.time = now, .zone = ZONE_DEFAULT, .resolver = -1},
                      .subject = s,
                      .family = (uint8_t)family};

    if (s->kind == SUBJECT_ZONE && s->index >= 0)
        b.seen.zone = s->index;
    if (s->kind == SUBJECT_RESOLVER) {
        b.seen.resolver = s->index;
        b.seen.server = s->addr;
    }
    b.key = s->name[0] ? hash_bytes(s->name, strlen(s->name), s->kind)
                       : hash_bytes(s->addr.b, sizeof s->addr.b, s->kind);
    count_queries(v, &b);
    return b;
}

/* --- the many and the one --------------------------------------------------------------------- */

static bool are_many(const struct volume *v, const struct group *g, unsigned family)
{
    uint32_t odd = g->alarmed[family];

    return odd >= v->t.many && odd >= v->t.many_share * g->active;
}

static double rise_of(const struct alarm *a, const struct group *g)
{
    double queries = g->closed.count[SERIES_ALL];

    return a->series == SERIES_CLEAR ? (a->value - a->expected) * queries : a->value - a->expected;
}

static void describe(const struct subject *s, char *out, size_t size)
{
    char text[ADDR_TEXT];

    snprintf(out, size, "%s %s", s->kind == SUBJECT_ZONE ? "zone" : "resolver",
             s->name[0] ? s->name : addr_text(&s->addr, text));
}

/* The client that is most of a rise, told of in the group's place; it may be told already. */
static bool blame_one(struct volume *v, struct group *g, struct subject *s, unsigned family,
                      nsec_t now)
{
    struct alarm a = s->alarm[family];
    uint32_t whose = g->whose[a.series];
    size_t position = whose;
    struct subject *own;
    struct reading r;
    char because[96];
    struct place *p;
    struct about b;

    if (a.fall || g->most[a.series] < v->t.explains * rise_of(&a, g))
        return false;
    p = slots_next(v->places, &position);
    if (!p || position != whose + 1U)
        return false;
    if (p->told & 1U << family)
        return true;
    p->told |= (uint8_t)(1U << family);
    own = volume_subject_of(v, p);
    describe(s, because, sizeof because);
    b = about_place(v, p, family, now);
    b.because = because;
    if (own && a.series != SERIES_CLEAR) {
        window_read(&own->window, v->step - 1, &r);
        a.value = (float)r.value[a.series];
        a.expected = (float)fmax(0, r.value[a.series] - g->most[a.series]);
    }
    tell(v, &b, own && own->alarm[family].now ? &own->alarm[family] : &a);
    return true;
}

/* A resolver whose rise a zone that is told of explains, or whose silence is the zones' own. */
static bool is_zones(const struct volume *v, const struct subject *s, const struct group *g,
                     unsigned family)
{
    for (size_t i = VOLUME_RESOLVERS; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++) {
        const struct group *zone = &v->groups[i];
        const struct subject *z = volume_subject(v, zone->subject);

        if (z && zone->told[family] && z->alarm[family].fall == s->alarm[family].fall &&
            (s->alarm[family].fall ||
             rise_of(&z->alarm[family], zone) >= v->t.explains * rise_of(&s->alarm[family], g)))
            return true;
    }
    return false;
}

static void tell_group(struct volume *v, size_t i, unsigned family, nsec_t now)
{
    struct group *g = &v->groups[i];
    struct subject *s = volume_subject(v, g->subject);
    struct about b;

    if (!s || !s->alarm[family].now)
        return;
    if (s->kind == SUBJECT_RESOLVER && is_zones(v, s, g, family))
        return;
    if (!are_many(v, g, family) && blame_one(v, g, s, family, now))
        return;
    b = about_group(v, s, family, now);
    b.clients = g->alarmed[family];
    g->told[family] = true;
    tell(v, &b, &s->alarm[family]);
}

/* More odd clients than are told one by one, in a zone that does not look odd as a whole. */
static void tell_many(struct volume *v, struct group *g, unsigned family, nsec_t now)
{
    struct subject *s = volume_subject(v, g->subject);
    struct alarm a = {.since = now, .stage = STAGE_RUN, .series = SERIES_ALL};
    static const uint8_t of[FAMILIES] = {SERIES_ALL, SERIES_NXDOMAIN, SERIES_SERVFAIL, SERIES_RARE,
                                         SERIES_CLEAR};
    struct about b;

    a.series = of[family];
    if (!s)
        return;
    b = about_group(v, s, family, now);
    b.clients = g->alarmed[family];
    a.value = (float)b.queries;
    g->told[family] = true;
    tell(v, &b, &a);
}

/* --- all of a step ---------------------------------------------------------------------------- */

static void tell_clients(struct volume *v, nsec_t now)
{
    unsigned told[VOLUME_RESOLVERS + VOLUME_ZONES][FAMILIES] = {{0}};

    for (uint32_t i = 0; i < v->pending_count; i++) {
        size_t position = v->pending[i].who;
        struct place *p = slots_next(v->places, &position);
        unsigned family = v->pending[i].family;
        struct group *zone;
        struct subject *s;
        struct alarm cold;
        struct about b;

        if (!p || position != v->pending[i].who + 1U || p->slot.tenure != v->pending[i].tenure)
            continue;
        zone = volume_zone(v, p->zone);
        if (zone->told[family] || (p->server && v->groups[p->server - 1].told[family]))
            continue; /* as one of many */
        if (p->told & 1U << family)
            continue;
        s = volume_subject_of(v, p);
        if (told[zone - v->groups][family]++ >= v->t.most_told)
            continue;
        b = about_place(v, p, family, now);
        cold = (struct alarm){.since = p->cold_since,
                              .series = SERIES_ALL,
                              .stage = p->cold,
                              .source = LEVEL_ROLE,
                              .value = p->hour,
                              .expected = p->cold_expected,
                              .z = p->cold_z};
        tell(v, &b, s ? &s->alarm[family] : &cold);
    }
}

void volume_tell_step(struct volume *v, nsec_t now)
{
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (!(v->odd >> f & 1U))
            continue;
        for (size_t i = VOLUME_RESOLVERS; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++) {
            struct group *g = &v->groups[i];

            tell_group(v, i, f, now);
            if (!g->told[f] && (are_many(v, g, f) || g->alarmed[f] > v->t.most_told))
                tell_many(v, g, f, now);
        }
        for (size_t i = 0; i < VOLUME_RESOLVERS; i++)
            tell_group(v, i, f, now);
    }
    tell_clients(v, now);
}
