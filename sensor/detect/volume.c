/* Far more, or far fewer, queries than this client's, resolver's or zone's own baseline, and the
 * same for answers that deny or fail, for types that are seldom asked, for the number of domains,
 * for bytes and for what is asked in clear text. The sliding hour is looked at each five minutes,
 * against the same hour of the week. Queries inside encrypted transports count as observe/
 * estimates them, so that who moves to DoT has not gone silent. Time is the packets'.
 *
 * An observation only counts, in its client's place and in its resolver. When a step of five
 * minutes is over all clients are gone through within half a minute, a share of them with each
 * tick: their counts become their zone's, and what has a baseline is judged. */
#include "detect/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "detect/draft.h"

#define SWEEP  (30 * NSEC_S)
#define GAP    WINDOW_STEPS /* steps without any packet or tick: the sensor was not there */
#define IDLE   288          /* steps after which one that came and went gives its room away */
#define MOVED  3            /* steps without its address after which a baseline goes by another */
#define HELD   24         /* steps since a machine was seen within which its baseline is its own */
#define FORGET (28 * 288) /* and anybody */
#define HOT    4          /* times a floor's step */

unsigned volume_role(uint8_t roles)
{
    if (roles & (ROLE_RECURSIVE | ROLE_GATEWAY))
        return 3;
    return roles & ROLE_FORWARDER ? 2 : roles & ROLE_SEVERAL ? 1 : 0;
}

struct prior *volume_prior(const struct volume *v, int16_t zone, unsigned role)
{
    unsigned z = zone >= 0 && zone < VOLUME_ZONES ? (unsigned)zone : 0;

    return v->priors + z * VOLUME_ROLES + role;
}

/* --- thresholds ------------------------------------------------------------------------------- */

static double number(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, VOLUME_RULE, name, otherwise);

    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (double)value;
}

static double milli(const struct policy *p, const char *name, int64_t otherwise)
{
    return number(p, name, otherwise) / 1000;
}

static void read_floors(struct thresholds *t, const struct policy *p)
{
    double queries = number(p, "floor_queries", 150), answers = number(p, "floor_answers", 100);

    t->floor[SERIES_ALL] = t->floor[SERIES_SEALED] = t->floor[SERIES_CLEAR] =
        queries > 1 ? queries : 1;
    t->floor[SERIES_NXDOMAIN] = t->floor[SERIES_SERVFAIL] = answers > 1 ? answers : 1;
    t->floor[SERIES_RARE] = number(p, "floor_rare", 60);
    t->floor[SERIES_DOMAINS] = number(p, "floor_domains", 100);
    t->floor[SERIES_BYTES] = number(p, "floor_bytes", 100000) / 64;
    t->cold_floor = number(p, "cold_floor_queries", 1000);
}

static void read_thresholds(struct thresholds *t, const struct policy *p)
{
    read_floors(t, p);
    t->consecutive = (unsigned)number(p, "consecutive", 2);
    t->learn = (nsec_t)number(p, "learn_s", 86400) * NSEC_S;
    t->learn_full = (nsec_t)number(p, "learn_full_s", 604800) * NSEC_S;
    t->z_alarm = milli(p, "z_alarm_milli", 4000);
    t->z_young = milli(p, "z_young_milli", 5000);
    t->z_half = milli(p, "z_half_hour_milli", 3700);
    t->z_page = milli(p, "z_page_milli", 8000);
    t->spread_floor = milli(p, "scale_floor_milli", 250);
    t->role_spread = milli(p, "role_scale_floor_milli", 700);
    t->winsor = milli(p, "winsor_z_milli", 4000);
    t->cusum_fast = milli(p, "cusum_fast_milli", 7000);
    t->fast_ratio = 4;
    t->cusum_slow = milli(p, "cusum_slow_milli", 8500);
    t->slow_ratio = 2;
    t->silence_floor = number(p, "silence_floor_queries", 300);
    t->silence_share = 0.02;
    t->many = (unsigned)number(p, "many_clients", 5);
    t->many_share = 0.2;
    t->most_told = 32;
    t->explains = 0.5;
    t->severity_page = (uint8_t)draft_severity(p, VOLUME_RULE, "severity_page", SEVERITY_MEDIUM);
    t->consecutive = t->consecutive ? t->consecutive : 1;
}

/* --- subjects --------------------------------------------------------------------------------- */

static uint32_t index_of(const struct volume *v, const struct subject *s)
{
    return (uint32_t)(s - v->subjects) + 1;
}

static void client_forgotten(void *context, void *entry)
{
    struct volume *v = context;
    uint32_t one_more;

    memcpy(&one_more, (uint8_t *)entry + sizeof(struct addr), sizeof one_more);
    volume_subject(v, one_more)->kind = SUBJECT_NOBODY;
    v->unused[v->unused_count++] = one_more;
    if (v->stats)
        v->stats->state_evicted++;
}

struct by_addr {
    struct addr addr;
    uint32_t one_more;
};

uint32_t volume_adopt(struct volume *v, const struct addr *addr, bool make)
{
    struct by_addr *b = table_find(v->by_addr, addr);
    struct subject *s;
    bool fresh;

    if (b)
        return b->one_more;
    if (!make || !v->unused_count)
        return 0;
    b = table_insert(v->by_addr, addr, &fresh);
    if (!v->unused_count)
        return 0;
    b->one_more = v->unused[--v->unused_count];
    v->taken = b->one_more > v->taken ? b->one_more : v->taken;
    s = volume_subject(v, b->one_more);
    memset(s, 0, sizeof *s);
    s->kind = SUBJECT_CLIENT;
    s->addr = *addr;
    s->index = -1;
    s->since = s->seen = v->step;
    return b->one_more;
}

static void forget(struct volume *v, struct subject *s)
{
    struct by_addr *b = table_find(v->by_addr, &s->addr);

    v->unused[v->unused_count++] = index_of(v, s);
    s->kind = SUBJECT_NOBODY;
    if (b)
        table_remove(v->by_addr, b);
}

/* When there is no room: who has asked nothing for longer than it ever asked something. */
static void make_room(struct volume *v)
{
    for (uint32_t i = 0; i < v->taken; i++) {
        struct subject *s = v->subjects + i;
        uint32_t idle = v->step - s->seen;
        nsec_t known = (nsec_t)s->seen * WINDOW_STEP - s->profile.first;

        if (s->kind == SUBJECT_CLIENT && idle > IDLE &&
            (idle > FORGET || (nsec_t)idle * WINDOW_STEP > known))
            forget(v, s);
    }
}

static struct subject *fixed_subject(struct volume *v, size_t group, enum subject_kind kind)
{
    struct subject *s = v->subjects + v->exact + group;

    memset(&v->groups[group], 0, sizeof v->groups[group]);
    memset(s, 0, sizeof *s);
    s->kind = (uint8_t)kind;
    s->index = -1;
    s->since = s->seen = v->step;
    v->groups[group].subject = index_of(v, s);
    return s;
}

struct subject *volume_named(struct volume *v, enum subject_kind kind, const char *name)
{
    size_t group = kind == SUBJECT_ZONE ? VOLUME_RESOLVERS : 0;
    size_t end = kind == SUBJECT_ZONE ? group + VOLUME_ZONES : VOLUME_RESOLVERS;
    size_t unused = end;
    struct subject *s;

    for (; group < end; group++) {
        s = volume_subject(v, v->groups[group].subject);
        if (s && s->name[0] && strcmp(s->name, name) == 0)
            return s;
        if (!s && unused == end)
            unused = group;
    }
    if (unused == end)
        return NULL;
    s = fixed_subject(v, unused, kind);
    memcpy(s->name, name, strnlen(name, sizeof s->name - 1));
    return s;
}

struct by_server {
    struct addr addr;
    uint16_t one_more;
};

static bool is_stale(const struct volume *v, const struct subject *s)
{
    uint32_t idle = v->step - s->seen;

    return idle > FORGET || (!s->profile.first && idle > WINDOW_STEPS);
}

static void free_servers(struct volume *v)
{
    for (size_t i = 0; i < VOLUME_RESOLVERS; i++) {
        struct subject *s = volume_subject(v, v->groups[i].subject);
        struct by_server *b;

        if (!s || s->name[0] || !is_stale(v, s))
            continue;
        b = table_find(v->servers, &s->addr);
        if (b)
            table_remove(v->servers, b);
        v->groups[i].subject = 0;
        s->kind = SUBJECT_NOBODY;
    }
}

uint16_t volume_server(struct volume *v, const struct addr *server)
{
    struct by_server *b = table_find(v->servers, server);
    bool fresh;

    if (b)
        return b->one_more;
    for (uint16_t i = 0; i < VOLUME_RESOLVERS; i++) {
        if (v->groups[i].subject)
            continue;
        fixed_subject(v, i, SUBJECT_RESOLVER)->addr = *server;
        v->groups[i].server = *server;
        b = table_insert(v->servers, server, &fresh);
        b->one_more = (uint16_t)(i + 1);
        return b->one_more;
    }
    return 0;
}

static void volume_use_policy(void *state, const struct policy *p)
{
    struct volume *v = state;
    uint16_t *by_resolver = calloc(p->resolver_count + 1, sizeof *by_resolver);

    v->policy = p;
    read_thresholds(&v->t, p);
    if (by_resolver) {
        free(v->by_resolver);
        v->by_resolver = by_resolver;
    }
    for (size_t i = 0; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++)
        if (v->groups[i].subject)
            volume_subject(v, v->groups[i].subject)->index = -1;
    memset(v->by_zone, 0, sizeof v->by_zone);
    for (size_t i = 0; i < VOLUME_ZONES; i++) {
        struct subject *s =
            i < p->zone_count ? volume_named(v, SUBJECT_ZONE, p->zones[i].id) : NULL;

        v->by_zone[i] = s ? (uint16_t)(index_of(v, s) - 1 - v->exact) : v->by_zone[0];
        if (s)
            s->index = (int16_t)i;
    }
}

static void volume_destroy(void *state)
{
    struct volume *v = state;

    slots_destroy(v->places);
    table_destroy(v->by_addr);
    table_destroy(v->servers);
    free(v->subjects);
    free(v->unused);
    free(v->by_resolver);
    free(v->priors);
    free(v);
}

static size_t subject_count(const struct volume *v)
{
    return v->exact + VOLUME_RESOLVERS + VOLUME_ZONES;
}

static bool make_tables(struct volume *v, struct slots_record *record)
{
    struct slots_shape places = {.entry_size = sizeof(struct place)};
    struct table_shape by_addr = {.entry_size = sizeof(struct by_addr),
                                  .key_size = sizeof(struct addr),
                                  .capacity = v->exact * 4 + 8,
                                  .seed = v->seed,
                                  .evicted = client_forgotten,
                                  .context = v};
    struct table_shape servers = {.entry_size = sizeof(struct by_server),
                                  .key_size = sizeof(struct addr),
                                  .capacity = VOLUME_RESOLVERS * 8,
                                  .seed = v->seed};

    v->places = slots_create(&places, record);
    v->by_addr = table_create(&by_addr);
    v->servers = table_create(&servers);
    v->subjects = calloc(subject_count(v), sizeof *v->subjects);
    v->unused = calloc(v->exact + 1, sizeof *v->unused);
    v->priors = calloc(VOLUME_ZONES * VOLUME_ROLES, sizeof *v->priors);
    return v->places && v->by_addr && v->servers && v->subjects && v->unused && v->priors;
}

static void *volume_create(const struct detector_setup *setup)
{
    uint32_t most = (uint32_t)(setup->bounds ? setup->bounds->baselines : CLIENTS_MOST);
    struct volume *v = calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->sink = setup->sink;
    v->stats = setup->stats;
    v->seed = v->random = setup->seed;
    v->exact = (uint32_t)number(setup->policy, "exact_clients", 5000);
    if (v->exact > most)
        v->exact = most;
    if (make_tables(v, setup->record))
        volume_use_policy(v, setup->policy);
    if (!v->by_resolver) {
        volume_destroy(v);
        return NULL;
    }
    for (uint32_t i = v->exact; i > 0; i--)
        v->unused[v->unused_count++] = i;
    return v;
}

/* --- steps ------------------------------------------------------------------------------------ */

struct subject *volume_subject_of(const struct volume *v, struct place *p)
{
    struct subject *s = volume_subject(v, p->exact);

    if (s && (s->kind != SUBJECT_CLIENT || s->tenure != p->slot.tenure))
        p->exact = 0; /* it was given to another */
    return volume_subject(v, p->exact);
}

/* What it did before is past. */
static void occupy(const struct volume *v, struct subject *s)
{
    s->since = s->seen = s->used = v->step;
    memset(&s->window, 0, sizeof s->window);
}

/* The baseline of this address becomes the place's, unless it is another machine's that is still
 * there. */
static struct subject *take(struct volume *v, struct place *p, const struct addr *addr, bool make)
{
    uint32_t found = volume_adopt(v, addr, make);
    struct subject *s = volume_subject(v, found);

    if (!s || (s->tenure && s->tenure != p->slot.tenure && v->step - s->seen <= HELD))
        return NULL;
    s->tenure = p->slot.tenure;
    p->exact = found;
    occupy(v, s);
    return s;
}

/* The machine uses another address as well: after a restart that may be the one its baseline is
 * known by. */
static void look_again(struct volume *v, struct place *p, const struct addr *addr)
{
    struct subject *own = volume_subject_of(v, p);
    struct subject *known = volume_subject(v, volume_adopt(v, addr, false));

    if (!known || known->tenure || (own && own->profile.first <= known->profile.first))
        return;
    if (own)
        forget(v, own);
    p->addr = *addr;
    take(v, p, addr, false);
}

/* A new lease: its baseline goes along and goes by the new address, so that who gets the old one
 * has none of it. A machine with two addresses keeps what it has. */
static void move(struct volume *v, struct place *p, const struct addr *addr)
{
    struct subject *own = volume_subject_of(v, p);
    struct by_addr *b;

    if (!own || !addr_is_v4(addr))
        return;
    if (addr_equal(&own->addr, addr))
        own->used = v->step;
    if (v->step - own->used <= MOVED || volume_adopt(v, addr, false))
        return;
    if ((b = table_find(v->by_addr, &own->addr)) != NULL)
        table_remove(v->by_addr, b);
    if (v->left_count < sizeof v->left / sizeof *v->left)
        v->left[v->left_count++] = own->addr;
    b = table_insert(v->by_addr, addr, &(bool){false});
    b->one_more = index_of(v, own);
    own->addr = p->addr = *addr;
    own->used = v->step;
    own->dirty = UINT8_MAX;
}

/* What the place counted in the step before goes to its hour and its zone. */
static void close_place(struct volume *v, struct place *p)
{
    struct group *zone = volume_zone(v, p->zone);
    uint32_t queries = p->now.count[SERIES_ALL];
    struct subject *s = volume_subject_of(v, p);

    p->hour = p->hour * (WINDOW_STEPS - 1) / WINDOW_STEPS + (float)queries;
    if (queries)
        step_add(&zone->closed, &p->now);
    if (!s && p->hour >= v->t.floor[SERIES_ALL] / 3) {
        s = take(v, p, &p->addr, true);
        if (s && !s->profile.first) /* until now it is known to have asked less */
            profile_begin(&s->profile, p->first * WINDOW_STEP, (v->step - 1) * WINDOW_STEP,
                          v->t.floor[SERIES_ALL] / 3);
    }
    if (s) {
        window_push(&s->window, v->step - 1, &p->now);
        s->seen = queries ? v->step - 1 : s->seen;
        p->hot = HOT * (uint32_t)v->t.floor[SERIES_ALL] / WINDOW_STEPS;
    }
    memset(&p->now, 0, sizeof p->now);
    p->step = v->step;
}

static void note_rises(struct group *g, const struct rises *r, uint32_t who)
{
    g->active += r->queries > 0;
    for (unsigned i = 0; i < SERIES_COUNT; i++) {
        if (r->of[i] <= g->most[i])
            continue;
        g->most[i] = r->of[i];
        g->whose[i] = who;
    }
}

static void pend(struct volume *v, const struct place *p, uint32_t who, unsigned family)
{
    v->odd |= (uint8_t)(1U << family);
    volume_zone(v, p->zone)->alarmed[family]++;
    if (p->server)
        v->groups[p->server - 1].alarmed[family]++;
    if (v->pending_count == VOLUME_PENDING)
        return;
    v->pending[v->pending_count].who = who;
    v->pending[v->pending_count].tenure = p->slot.tenure;
    v->pending[v->pending_count++].family = (uint8_t)family;
}

static void judge_place(struct volume *v, struct place *p, uint32_t who)
{
    struct subject *s = volume_subject_of(v, p);
    nsec_t end = v->step * WINDOW_STEP;
    struct rises r = {.of = {p->hour}, .queries = p->hour};

    p->told = 0;
    if (s)
        volume_judge(v, s, volume_prior(v, p->zone, volume_role(p->roles)), end, &r);
    else if (p->hour >= v->t.cold_floor && volume_judge_cold(v, p, end))
        pend(v, p, who, FAMILY_VOLUME);
    note_rises(volume_zone(v, p->zone), &r, who);
    if (p->server)
        note_rises(v->groups + p->server - 1, &r, who);
    for (unsigned f = 0; s && f < FAMILIES; f++)
        if (s->alarm[f].now)
            pend(v, p, who, f);
}

static void judge_groups(struct volume *v)
{
    nsec_t end = v->step * WINDOW_STEP;

    for (size_t i = 0; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++) {
        struct group *g = &v->groups[i];
        struct subject *s = volume_subject(v, g->subject);
        struct rises r;

        if (!s)
            continue;
        window_push(&s->window, v->step - 1, &g->closed);
        if (g->closed.count[SERIES_ALL])
            s->seen = v->step - 1;
        if (!s->profile.first && s->seen == v->step - 1)
            s->profile.first = end;
        if (s->profile.first)
            volume_judge(v, s, NULL, end, &r);
        for (unsigned f = 0; f < FAMILIES; f++)
            v->odd |= (uint8_t)(s->alarm[f].now << f);
    }
}

static void begin_sweep(struct volume *v)
{
    v->swept = 0;
    v->sweeping = true;
    v->pending_count = 0;
    v->odd = 0;
    for (size_t i = 0; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++) {
        struct group *g = &v->groups[i];

        g->closed = g->now;
        memset(&g->now, 0, sizeof g->now);
        g->active = 0;
        memset(g->alarmed, 0, sizeof g->alarmed);
        memset(g->most, 0, sizeof g->most);
        memset(g->told, 0, sizeof g->told);
    }
}

static void end_sweep(struct volume *v)
{
    v->sweeping = false;
    judge_groups(v);
    volume_tell_step(v, v->step * WINDOW_STEP);
    if (v->unused_count == 0)
        make_room(v);
    if (v->step % WINDOW_STEPS == 0)
        free_servers(v);
}

/* Places below `end` are closed and judged. */
static void sweep(struct volume *v, size_t end)
{
    struct place *p;

    while (v->sweeping && v->swept < end) {
        p = slots_next(v->places, &v->swept);
        if (!p) {
            end_sweep(v);
            return;
        }
        if (!p->first)
            continue; /* recalled, not seen yet */
        if (p->step != v->step)
            close_place(v, p);
        judge_place(v, p, (uint32_t)(v->swept - 1));
    }
}

/* One after the other: those that were never in use have no memory yet. Start with 0; NULL: end. */
static struct subject *next_subject(struct volume *v, size_t *position)
{
    if (*position == v->taken)
        *position = v->exact;
    return *position < subject_count(v) ? v->subjects + (*position)++ : NULL;
}

/* The sensor was not there: what windows hold is of another time. */
static void break_off(struct volume *v, uint32_t step)
{
    struct subject *s;
    struct place *p;

    for (size_t position = 0; (p = slots_next(v->places, &position));) {
        memset(&p->now, 0, sizeof p->now);
        p->hour = 0;
        p->run = 0;
        p->step = step;
    }
    for (size_t position = 0; (s = next_subject(v, &position));) {
        if (s->kind == SUBJECT_NOBODY)
            continue;
        memset(&s->window, 0, sizeof s->window);
        memset(s->suspicion, 0, sizeof s->suspicion);
        memset(s->alarm, 0, sizeof s->alarm);
        s->silent = 0;
    }
    for (size_t i = 0; i < VOLUME_RESOLVERS + VOLUME_ZONES; i++)
        memset(&v->groups[i].now, 0, sizeof v->groups[i].now);
    v->step = v->begun = step;
}

/* What was recalled counts as seen now. */
static void begin(struct volume *v, uint32_t step)
{
    struct subject *s;

    v->step = v->begun = step;
    for (size_t position = 0; (s = next_subject(v, &position));)
        s->since = s->seen = step;
}

static void turn(struct volume *v, nsec_t now)
{
    uint32_t step = (uint32_t)(now / WINDOW_STEP);

    if (!v->step)
        begin(v, step);
    sweep(v, SIZE_MAX);
    if (step > v->step && step - v->step > GAP)
        break_off(v, step);
    while (v->step < step) {
        v->step++;
        begin_sweep(v);
        if (v->step < step)
            sweep(v, SIZE_MAX);
    }
    v->boundary = (v->step + 1) * WINDOW_STEP;
}

/* --- the detector ----------------------------------------------------------------------------- */

static bool is_rare(unsigned type)
{
    switch (type) {
    case DNS_TYPE_A:
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_SOA:
    case DNS_TYPE_PTR:
    case 15: /* MX */
    case DNS_TYPE_AAAA:
    case 33: /* SRV (RFC 2782) */
    case 43: /* DS, DNSKEY (RFC 4034) */
    case 48:
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
        return false;
    default:
        return true;
    }
}

/* Boyer and Moore's vote: the domain and the type of more than half of what is asked while a client
 * asks much. */
static void vote(struct subject *s, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    char text[DNS_NAME_TEXT];

    if (s->type == m->qtype)
        s->type_votes += s->type_votes < UINT16_MAX;
    else if (s->type_votes > 0)
        s->type_votes--;
    else
        s->type = m->qtype;
    if (!o->note.domain_hash)
        return;
    if (s->domain == o->note.domain_hash) {
        s->votes += s->votes < UINT16_MAX;
        return;
    }
    if (s->votes > 0) {
        s->votes--;
        return;
    }
    s->domain = o->note.domain_hash;
    s->votes = 1;
    s->domain_text[0] = '\0';
    if (o->note.domain < m->qname_length &&
        text_name(m->qname + o->note.domain, (size_t)m->qname_length - o->note.domain, text,
                  sizeof text) >= 0)
        memcpy(s->domain_text, text, strnlen(text, sizeof s->domain_text - 1) + 1);
    s->domain_text[sizeof s->domain_text - 1] = '\0';
}

static void arrive(struct volume *v, struct place *p, const struct observation *o)
{
    struct subject *own = volume_subject_of(v, p); /* recalled */

    p->addr = o->client;
    p->first = p->step = v->step;
    p->hot = UINT32_MAX;
    if (own)
        occupy(v, own);
    else
        take(v, p, &o->client, false);
}

/* The first that it does in this step. */
static void begin_step(struct volume *v, struct place *p, const struct observation *o)
{
    if (!p->first) { /* new, or recalled and not seen yet */
        arrive(v, p, o);
        return;
    }
    close_place(v, p);
    if (!addr_equal(&o->client, &p->addr))
        look_again(v, p, &o->client);
    move(v, p, &o->client);
}

static inline struct place *place_of(struct volume *v, const struct observation *o)
{
    struct place *p = slots_at(v->places, &o->note, NULL);

    if (!p->first || p->step != v->step)
        begin_step(v, p, o);
    p->zone = o->note.zone;
    p->vlan = o->vlan;
    p->iface = o->iface;
    p->roles = o->note.roles;
    return p;
}

/* False: no room. */
static bool meet_resolver(struct volume *v, const struct observation *o, uint16_t *known)
{
    struct subject *s =
        volume_named(v, SUBJECT_RESOLVER, v->policy->resolvers[o->note.resolver].id);

    if (!s)
        return false;
    s->index = o->note.resolver;
    s->addr = o->server;
    *known = (uint16_t)(index_of(v, s) - v->exact);
    return true;
}

/* NULL: one of more servers than are told apart, or an authoritative one that a resolver asks. */
static inline struct group *group_of(struct volume *v, struct place *p, const struct observation *o)
{
    if (o->note.resolver >= 0) {
        uint16_t *known = &v->by_resolver[o->note.resolver];

        if (!*known && !meet_resolver(v, o, known))
            return NULL;
        p->server = *known;
        return v->groups + *known - 1;
    }
    if (o->kind == OBSERVE_DNS && !dns_recursion_desired(&o->dns.message))
        return NULL;
    if (!p->server || !addr_equal(&v->groups[p->server - 1].server, &o->server))
        p->server = volume_server(v, &o->server);
    return p->server ? v->groups + p->server - 1 : NULL;
}

/* Of one client or one resolver. domain: a hash; 0: none. */
static inline void count_query(struct step *s, uint32_t units, bool rare, uint64_t domain)
{
    step_count(s, SERIES_ALL, 1);
    step_count(s, SERIES_BYTES, units);
    step_count(s, SERIES_RARE, rare);
    if (domain)
        distinct_add(&s->domains, domain);
}

static inline void count_response(struct step *s, uint32_t units, unsigned failed)
{
    step_count(s, SERIES_BYTES, units);
    if (failed == 3)
        step_count(s, SERIES_NXDOMAIN, 1);
    else if (failed == 2)
        step_count(s, SERIES_SERVFAIL, 1);
}

static void see_query(struct volume *v, const struct observation *o)
{
    struct place *p = place_of(v, o);
    struct group *g = group_of(v, p, o);
    uint32_t units = (o->bytes + 32) / 64;
    bool rare = is_rare(o->dns.message.qtype);
    uint64_t domain = o->note.domain_hash;

    if (domain) /* a bit that distinct_add() does not look at: no hash is 0 */
        domain = hash_mix(domain, v->seed) | UINT64_C(1) << 40;
    count_query(&p->now, units, rare, domain);
    if (g)
        count_query(&g->now, units, rare, domain);
    if (p->now.count[SERIES_ALL] > p->hot)
        vote(volume_subject(v, p->exact), o);
}

static void see_response(struct volume *v, const struct observation *o)
{
    struct place *p = place_of(v, o);
    struct group *g = group_of(v, p, o);
    uint32_t units = (o->bytes + 32) / 64;
    unsigned failed = o->dns.answered ? o->dns.message.rcode : 0;

    count_response(&p->now, units, failed);
    if (g)
        count_response(&g->now, units, failed);
}

static void count_flow(const struct observation *o, struct step *s)
{
    step_count(s, SERIES_ALL, o->flow.queries);
    step_count(s, SERIES_SEALED, o->flow.queries);
    step_count(s, SERIES_BYTES, (o->flow.bytes_out + o->flow.bytes_in + 32) / 64);
}

static void see_flow(struct volume *v, const struct observation *o)
{
    struct place *p = place_of(v, o);
    struct group *g = group_of(v, p, o);

    count_flow(o, &p->now);
    if (g)
        count_flow(o, &g->now);
}

static void volume_observe(void *state, const struct observation *o)
{
    struct volume *v = state;

    if (o->time >= v->boundary)
        turn(v, o->time);
    if (o->kind == OBSERVE_FLOW) {
        if (o->flow.queries && transport_is_sealed(o->transport))
            see_flow(v, o);
    } else if (dns_is_response(&o->dns.message)) {
        see_response(v, o);
    } else {
        see_query(v, o);
    }
}

static void volume_tick(void *state, nsec_t now)
{
    struct volume *v = state;

    if (now >= v->boundary)
        turn(v, now);
    if (v->sweeping) {
        nsec_t gone = now - v->step * WINDOW_STEP;

        sweep(v, gone >= SWEEP ? SIZE_MAX : (size_t)(gone * CLIENTS_MOST / SWEEP));
    }
}

static void volume_flush(void *state, nsec_t now)
{
    struct volume *v = state;

    (void)now;
    sweep(v, SIZE_MAX);
    v->ending = true;
}

static size_t volume_bytes(const void *state)
{
    const struct volume *v = state;

    return sizeof *v + slots_bytes(v->places) + table_bytes(v->by_addr) + table_bytes(v->servers) +
           subject_count(v) * sizeof *v->subjects + v->exact * sizeof *v->unused +
           VOLUME_ZONES * VOLUME_ROLES * sizeof *v->priors;
}

const struct detector detector_volume = {.name = VOLUME_RULE,
                                         .create = volume_create,
                                         .destroy = volume_destroy,
                                         .use_policy = volume_use_policy,
                                         .observe = volume_observe,
                                         .tick = volume_tick,
                                         .flush = volume_flush,
                                         .bytes = volume_bytes,
                                         .remember = volume_remember,
                                         .recall = volume_recall};
