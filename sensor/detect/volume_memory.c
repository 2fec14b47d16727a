/* Baselines across restarts. Of a client, resolver or zone six pieces: two halves of the week for
 * all queries, then two series each; of a prior one piece a series. What has changed is written in
 * turn, PIECES a minute: of 5,000 clients everything within an hour, of 500 within six minutes, so
 * that this is what a killed sensor forgets at most. */
#include <stdio.h>
#include <string.h>

#include "detect/volume.h"

#define TOPIC       "baseline"
#define VERSION     1
#define PIECES      500
#define LAST_PIECES 4096 /* at the end: half of what the ring to the recorder holds */
#define HALF        (PROFILE_MARKS / 2)
#define PARTS       6
#define EPOCH       (INT64_C(1) << 62) /* no time is beyond it */

/* As it lies in a body: host order, since a store is not carried between machines of another. */
struct part_all {
    uint8_t version, part, zero[6];
    nsec_t first;
    uint16_t residual[PROFILE_RESIDUALS];
    uint8_t fill[HALF], sample[HALF][PROFILE_WEEKS];
};

struct part_other {
    uint8_t version, part, zero[6];
    nsec_t first;
    struct {
        uint16_t residual[PROFILE_RESIDUALS];
        uint8_t fill[PROFILE_HOURS], sample[PROFILE_HOURS][PROFILE_DAYS];
    } of[2];
};

struct part_prior {
    uint8_t version, part, zero[6];
    uint8_t fill[PROFILE_HOURS], sample[PROFILE_HOURS][PRIOR_SAMPLES];
};

_Static_assert(sizeof(struct part_all) <= MEMORY_BODY, "a half week fits");
_Static_assert(sizeof(struct part_other) <= MEMORY_BODY, "two series fit");
_Static_assert(sizeof(struct part_prior) <= MEMORY_BODY, "a series of a prior fits");

/* --- writing ---------------------------------------------------------------------------------- */

static void write_all(const struct profile *p, unsigned part, struct memory *m)
{
    struct part_all a = {.version = VERSION, .part = (uint8_t)part, .first = p->first};

    memcpy(a.residual, p->residual[SERIES_ALL], sizeof a.residual);
    memcpy(a.fill, p->all_fill + part * HALF, sizeof a.fill);
    memcpy(a.sample, p->all[part * HALF], sizeof a.sample);
    memcpy(m->body, &a, sizeof a);
    m->size = sizeof a;
}

static void write_other(const struct profile *p, unsigned part, struct memory *m)
{
    struct part_other b = {.version = VERSION, .part = (uint8_t)part, .first = p->first};

    for (unsigned i = 0; i < 2; i++) {
        unsigned series = (part - 2) * 2 + i + 1;

        if (series >= SERIES_COUNT)
            break;
        memcpy(b.of[i].residual, p->residual[series], sizeof b.of[i].residual);
        memcpy(b.of[i].fill, p->fill[series - 1], sizeof b.of[i].fill);
        memcpy(b.of[i].sample, p->sample[series - 1], sizeof b.of[i].sample);
    }
    memcpy(m->body, &b, sizeof b);
    m->size = sizeof b;
}

/* For explain: what is usual now, and since when that is known. */
static void write_text(const struct subject *s, nsec_t now, struct evidence *e)
{
    struct level l = profile_at(&s->profile, SERIES_ALL, now);
    char text[ADDR_TEXT];

    evidence_clear(e);
    if (s->kind == SUBJECT_CLIENT)
        evidence_string(e, "client", addr_text(&s->addr, text));
    else if (s->name[0])
        evidence_string(e, s->kind == SUBJECT_ZONE ? "zone" : "resolver", s->name);
    else
        evidence_string(e, "resolver", addr_text(&s->addr, text));
    evidence_integer(e, "learned_h", (now - s->profile.first) / (3600 * NSEC_S));
    if (l.source == LEVEL_NONE)
        return;
    evidence_integer(e, "usual_queries_per_hour",
                     (int64_t)(series_value(SERIES_ALL, l.median) + 0.5));
    evidence_real(e, "spread", l.spread);
    evidence_integer(e, "samples", l.samples);
}

static void write_key(const struct subject *s, unsigned part, char key[MEMORY_KEY])
{
    static const char kinds[] = "?crz";
    char text[ADDR_TEXT];

    snprintf(key, MEMORY_KEY, "%c %s %u", kinds[s->kind],
             s->name[0] ? s->name : addr_text(&s->addr, text), part);
}

static bool put_subject(struct subject *s, struct memory_sink sink, nsec_t now, unsigned *budget)
{
    struct memory m = {.topic = TOPIC, .time = now};

    for (unsigned part = 0; part < PARTS && *budget; part++) {
        if (!(s->dirty >> part & 1U))
            continue;
        write_key(s, part, m.key);
        evidence_clear(&m.text);
        if (part < 2)
            write_all(&s->profile, part, &m);
        else
            write_other(&s->profile, part, &m);
        if (part == 0)
            write_text(s, now, &m.text);
        if (sink.put(sink.context, &m) < 0)
            return false;
        s->dirty &= (uint8_t) ~(1U << part);
        --*budget;
    }
    return true;
}

/* One prior a minute, in turn: it changes slowly. */
static void put_prior(struct volume *v, struct memory_sink sink, nsec_t now)
{
    unsigned place = (unsigned)(now / (60 * NSEC_S) % (VOLUME_ZONES * VOLUME_ROLES));
    const struct prior *p = v->priors + place;
    size_t zone = place / VOLUME_ROLES;
    struct memory m = {.topic = TOPIC, .time = now};
    static const uint8_t nobody[PROFILE_HOURS];

    evidence_clear(&m.text);
    for (unsigned s = 0; zone < v->policy->zone_count && s < SERIES_COUNT; s++) {
        struct part_prior a = {.version = VERSION, .part = (uint8_t)s};

        memcpy(a.fill, p->fill[s], sizeof a.fill);
        memcpy(a.sample, p->sample[s], sizeof a.sample);
        if (memcmp(a.fill, nobody, sizeof a.fill) == 0)
            continue;
        snprintf(m.key, sizeof m.key, "p %s %u %u", v->policy->zones[zone].id, place % VOLUME_ROLES,
                 s);
        memcpy(m.body, &a, sizeof a);
        m.size = sizeof a;
        if (sink.put(sink.context, &m) < 0)
            return;
    }
}

/* First: somebody else may be known by these addresses now. */
static bool forget_left(struct volume *v, struct memory_sink sink, nsec_t now)
{
    for (; v->left_count; v->left_count--) {
        struct memory m = {.topic = TOPIC, .time = now, .forget = true};
        char was[ADDR_TEXT];

        evidence_clear(&m.text);
        addr_text(&v->left[v->left_count - 1], was);
        for (unsigned part = 0; part < PARTS; part++) {
            snprintf(m.key, sizeof m.key, "c %s %u", was, part);
            if (sink.put(sink.context, &m) < 0)
                return false;
        }
    }
    return true;
}

void volume_remember(void *state, struct memory_sink sink, nsec_t now)
{
    struct volume *v = state;
    uint32_t count = v->exact + VOLUME_RESOLVERS + VOLUME_ZONES;
    unsigned budget = v->ending ? LAST_PIECES : PIECES;

    v->ending = false;
    if (!forget_left(v, sink, now))
        return;
    put_prior(v, sink, now);
    for (uint32_t i = 0; i < count && budget; i++) {
        uint32_t at = (v->saved + i) % count;
        struct subject *s = v->subjects + at;

        if (at >= v->taken && at < v->exact)
            continue;
        if (s->kind == SUBJECT_NOBODY || !s->dirty || !s->profile.first)
            continue;
        if (!put_subject(s, sink, now, &budget) || !budget) {
            v->saved = at;
            return;
        }
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_time(nsec_t t, nsec_t written)
{
    return t > 0 && t < EPOCH && t <= written;
}

static void read_all(struct profile *p, const struct memory *m, unsigned part)
{
    struct part_all a;

    if (m->size != sizeof a)
        return;
    memcpy(&a, m->body, sizeof a);
    if (a.part != part || !is_time(a.first, m->time))
        return;
    p->first = a.first;
    memcpy(p->residual[SERIES_ALL], a.residual, sizeof a.residual);
    memcpy(p->all_fill + part * HALF, a.fill, sizeof a.fill);
    memcpy(p->all[part * HALF], a.sample, sizeof a.sample);
}

static void read_other(struct profile *p, const struct memory *m, unsigned part)
{
    struct part_other b;

    if (m->size != sizeof b)
        return;
    memcpy(&b, m->body, sizeof b);
    if (b.part != part || !is_time(b.first, m->time))
        return;
    p->first = b.first;
    for (unsigned i = 0; i < 2; i++) {
        unsigned series = (part - 2) * 2 + i + 1;

        if (series >= SERIES_COUNT)
            break;
        memcpy(p->residual[series], b.of[i].residual, sizeof b.of[i].residual);
        memcpy(p->fill[series - 1], b.of[i].fill, sizeof b.of[i].fill);
        memcpy(p->sample[series - 1], b.of[i].sample, sizeof b.of[i].sample);
    }
}

/* The subject is the client's at that place, which was not seen yet. */
static void settle(struct volume *v, uint32_t one_more, uint32_t who, uint32_t tenure)
{
    struct observation_note note = {.who = who, .tenure = tenure};
    struct place *p = slots_at(v->places, &note, NULL);

    if (p->exact)
        return;
    p->exact = one_more;
    volume_subject(v, one_more)->tenure = tenure;
}

static struct subject *client_subject(struct volume *v, const struct addr *addr,
                                      const struct memory *m)
{
    uint32_t one_more = volume_adopt(v, addr, true);

    if (one_more && m->tenure)
        settle(v, one_more, m->who, m->tenure);
    return volume_subject(v, one_more);
}

/* Of those that no policy names the address is the key. */
static struct subject *subject_called(struct volume *v, char kind, const char *name,
                                      const struct memory *m)
{
    struct addr addr;
    bool is_address = addr_parse(name, &addr) == 0;

    if (kind == 'c')
        return is_address ? client_subject(v, &addr, m) : NULL;
    if (kind == 'z')
        return volume_named(v, SUBJECT_ZONE, name);
    if (kind != 'r')
        return NULL;
    if (is_address) {
        uint16_t group = volume_server(v, &addr);

        return group ? volume_subject(v, v->groups[group - 1].subject) : NULL;
    }
    return volume_named(v, SUBJECT_RESOLVER, name);
}

static void recall_prior(struct volume *v, const char *zone, unsigned role, unsigned series,
                         const struct memory *m)
{
    struct part_prior a;

    if (m->size != sizeof a || role >= VOLUME_ROLES || series >= SERIES_COUNT)
        return;
    memcpy(&a, m->body, sizeof a);
    if (a.part != series)
        return;
    for (size_t z = 0; z < v->policy->zone_count && z < VOLUME_ZONES; z++) {
        struct prior *p = volume_prior(v, (int16_t)z, role);

        if (strcmp(v->policy->zones[z].id, zone) != 0)
            continue;
        memcpy(p->fill[series], a.fill, sizeof a.fill);
        memcpy(p->sample[series], a.sample, sizeof a.sample);
    }
}

void volume_recall(void *state, const struct memory *m)
{
    struct volume *v = state;
    char kind, name[64];
    unsigned part, series;
    struct subject *s;

    if (strcmp(m->topic, TOPIC) != 0 || m->size < 2 || m->body[0] != VERSION)
        return;
    if (sscanf(m->key, "p %63s %u %u", name, &part, &series) == 3) {
        recall_prior(v, name, part, series, m);
        return;
    }
    if (sscanf(m->key, "%c %63s %u", &kind, name, &part) != 3 || part >= PARTS)
        return;
    s = subject_called(v, kind, name, m);
    if (!s)
        return;
    if (part < 2)
        read_all(&s->profile, m, part);
    else
        read_other(&s->profile, m, part);
}
