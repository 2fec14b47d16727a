/* Data carried inside encrypted DNS (RFC 7858, RFC 8484, ATT&CK T1572): no name is seen, but names
 * that carry data make long queries, and a program that waits for orders asks by the clock. By
 * client and server: the share of long queries, octets sent in an hour, rhythm, and whether the
 * resolver is one that nobody approved. A padded query for an ordinary name has 128 octets
 * (RFC 8467 4.1).
 *
 * Worst case in bytes: 16,384 pairs of about 150, 2,048 events of about 500. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE "sealed-tunnel"

enum { PAIRS = 16384, EVENTS = 2048, GAPS = 20 };
enum { SIZE = 1, SIZE_STRONG = 2, VOLUME = 4, RHYTHM = 8, STRANGER = 16 }; /* families, bits */
enum { WHAT_TUNNEL, WHAT_BEACON };                                         /* tally_key.what */

struct pair_key {
    struct addr client, server;
};

struct pair {
    struct pair_key key;
    nsec_t begun; /* of the window; when it is over the counts are halved */
    uint32_t records, large;
    uint64_t out, in;
    nsec_t burst, steady; /* the last query; since when they come by the clock, 0: they do not */
    uint8_t gap_count;    /* of gaps, the latest at (gap_count - 1) % GAPS */
    uint16_t gaps[GAPS];  /* in 0.1 s */
};

struct incident {
    struct tally_item item; /* first */
    struct sighting seen;
    struct pair pair;
    uint8_t families;
    uint32_t interval, jitter_milli;
    char name[128];
};

struct sealed_tunnel {
    struct tallied base; /* first */
    struct table *pairs;
    nsec_t window, steady_min;
    uint32_t records_min, large_milli, strong_milli, https_milli, jitter_milli, interval_min;
    uint64_t octets_min;
    uint8_t severity_sure, severity_beacon;
};

static int64_t threshold(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, RULE, name, otherwise);

    return value > 0 && value <= INT32_MAX ? value : otherwise;
}

static void use_policy(void *state, const struct policy *p)
{
    struct sealed_tunnel *t = state;

    tallied_use_policy(t, p);
    t->window = threshold(p, "window_s", 3600) * NSEC_S;
    t->steady_min = threshold(p, "steady_s", 7200) * NSEC_S;
    t->records_min = (uint32_t)threshold(p, "records_min", 100);
    t->large_milli = (uint32_t)threshold(p, "large_share_milli", 200);
    t->strong_milli = (uint32_t)threshold(p, "strong_share_milli", 250);
    t->https_milli = (uint32_t)threshold(p, "https_share_milli", 600);
    t->jitter_milli = (uint32_t)threshold(p, "jitter_milli", 150);
    t->interval_min = (uint32_t)threshold(p, "interval_s", 5) * 10;
    t->octets_min = (uint64_t)threshold(p, "octets_min", 1000000);
    t->severity_sure = (uint8_t)draft_severity(p, RULE, "severity_sure", SEVERITY_MEDIUM);
    t->severity_beacon =
        (uint8_t)draft_severity(p, RULE, "severity_beacon", SEVERITY_INFORMATIONAL);
}

/* --- rhythm ------------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The median of the gaps and the median deviation from it, in thousandths of it. */
static uint32_t jitter_of(const struct pair *p, uint32_t *median)
{
    uint16_t gaps[GAPS], off[GAPS];

    memcpy(gaps, p->gaps, sizeof gaps);
    qsort(gaps, GAPS, sizeof *gaps, by_size);
    *median = gaps[GAPS / 2];
    for (int i = 0; i < GAPS; i++)
        off[i] = (uint16_t)abs((int)gaps[i] - (int)*median);
    qsort(off, GAPS, sizeof *off, by_size);
    return *median ? 1000u * off[GAPS / 2] / *median : UINT32_MAX;
}

/* Queries that come together are one burst; what counts is how far bursts are apart. */
static void note_burst(const struct sealed_tunnel *t, struct pair *p, nsec_t now)
{
    nsec_t gap = (now - p->burst) / (100 * NSEC_MS);
    uint32_t median;

    if (p->burst && gap < 20)
        return;
    if (p->burst) {
        p->gaps[p->gap_count % GAPS] = (uint16_t)(gap < UINT16_MAX ? gap : UINT16_MAX);
        p->gap_count = p->gap_count + 1 < 2 * GAPS ? p->gap_count + 1 : GAPS;
    }
    p->burst = now;
    if (p->gap_count < GAPS)
        return;
    if (jitter_of(p, &median) >= t->jitter_milli || median < t->interval_min)
        p->steady = 0;
    else if (!p->steady)
        p->steady = now;
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void write_families(unsigned families, struct evidence *e)
{
    static const char *const words[] = {"size", "size-strong", "volume", "rhythm", "unapproved"};
    char text[64] = "";
    size_t used = 0;

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (families & 1u << i)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "," : "",
                                     words[i]);
    evidence_string(e, "families", text);
}

static unsigned score_of(unsigned families)
{
    return (families & SIZE ? 2u : 0) + (families & SIZE_STRONG ? 1u : 0) +
           (families & VOLUME ? 1u : 0) + (families & RHYTHM ? 1u : 0) +
           (families & STRANGER ? 1u : 0);
}

static void write_pair(const struct incident *i, struct evidence *e)
{
    const struct pair *p = &i->pair;

    write_families(i->families, e);
    evidence_string(e, "transport", transport_name(i->seen.transport));
    evidence_integer(e, "records", p->records);
    if (p->records)
        evidence_integer(e, "large_percent", (int64_t)(100ULL * p->large / p->records));
    evidence_integer(e, "octets_out", (int64_t)p->out);
    evidence_integer(e, "octets_in", (int64_t)p->in);
    if (i->families & RHYTHM) {
        evidence_integer(e, "interval_ms", 100 * (int64_t)i->interval);
        evidence_real(e, "jitter", i->jitter_milli / 1000.0);
        evidence_integer(e, "steady_s", (p->burst - p->steady) / NSEC_S);
    }
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct sealed_tunnel *t = context;
    struct incident *i = (struct incident *)item;
    unsigned score = score_of(i->families);
    struct finding f;

    (void)now;
    draft(&f, t->base.policy, RULE, KIND_TUNNEL, &i->seen, SEVERITY_LOW);
    tally_finding(item, &f);
    if (item->key.what == WHAT_BEACON)
        f.severity = t->severity_beacon;
    else if (score >= 4 && t->severity_sure < f.severity)
        f.severity = t->severity_sure;
    f.confidence = (uint8_t)(item->key.what == WHAT_BEACON ? 40 : score < 5 ? 40 + 10 * score : 90);
    f.excepted =
        policy_exception_for(t->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    snprintf(f.name, sizeof f.name, "%s", i->name);
    write_pair(i, &f.evidence);
    tallied_say(&t->base, &f);
}

static void say(struct sealed_tunnel *t, const struct pair *p, const struct observation *o,
                unsigned families)
{
    struct tally_key key = {.client = o->client,
                            .server = o->server,
                            .zone = o->note.zone,
                            .what = families & SIZE ? WHAT_TUNNEL : WHAT_BEACON};
    struct incident *i = (struct incident *)tally_at(t->base.tally, &key, o->time);

    i->item.news |= score_of(families) > score_of(i->families);
    i->families |= (uint8_t)families;
    i->seen = sighting_of(o);
    i->pair = *p;
    draft_text(i->name, sizeof i->name, o->flow.tls.sni);
    if (families & RHYTHM)
        i->jitter_milli = jitter_of(p, &i->interval);
    tally_add(t->base.tally, &i->item, 1, o->time);
}

/* --- what is observed --------------------------------------------------------------------------
 */

static void turn_window(const struct sealed_tunnel *t, struct pair *p, nsec_t now)
{
    if (now - p->begun < t->window)
        return;
    if (now - p->begun >= 2 * t->window)
        p->records = p->large = 0, p->out = p->in = 0;
    p->records /= 2;
    p->large /= 2;
    p->out /= 2;
    p->in /= 2;
    p->begun = now;
}

static unsigned families_of(const struct sealed_tunnel *t, const struct pair *p,
                            const struct observation *o)
{
    uint64_t large = 1000ULL * p->large;
    unsigned families = 0;
    bool one = (o->note.roles & ~ROLE_SECONDARY) == 0;
    /* Headers of HTTP and a question in the path make records longer (RFC 8484 4.1.1). */
    uint64_t enough = o->transport == TRANSPORT_DOH2 ? t->https_milli : t->large_milli;

    if (p->records >= t->records_min && large >= enough * p->records)
        families |= SIZE;
    if (families & SIZE && large >= (uint64_t)t->strong_milli * p->records)
        families |= SIZE_STRONG;
    if (one && p->out >= t->octets_min)
        families |= VOLUME;
    if (one && p->steady && p->burst - p->steady >= t->steady_min)
        families |= RHYTHM;
    if (!o->note.approved)
        families |= STRANGER;
    return families;
}

static void judge(struct sealed_tunnel *t, const struct pair *p, const struct observation *o)
{
    unsigned families = families_of(t, p, o);
    bool beacon = (families & (RHYTHM | STRANGER)) == (RHYTHM | STRANGER);

    if (families & SIZE ? score_of(families) >= 3 : beacon)
        say(t, p, o, families);
}

static void observe(void *state, const struct observation *o)
{
    struct sealed_tunnel *t = state;
    const struct record_shape *s = &o->flow.shape;
    struct pair_key key = {o->client, o->server};
    struct pair *p;
    bool fresh;

    if (!transport_is_sealed(o->transport) || (!s->client.records && !o->flow.queries))
        return;
    p = table_insert(t->pairs, &key, &fresh);
    if (fresh)
        p->begun = o->time;
    turn_window(t, p, o->time);
    if (s->exact) {
        p->records += s->client.records;
        p->large += s->client.large;
    }
    p->out += s->client.octets;
    p->in += s->server.octets;
    note_burst(t, p, o->flow.last ? o->flow.last : o->time);
    judge(t, p, o);
}

static void destroy(void *state)
{
    struct sealed_tunnel *t = state;

    table_destroy(t->pairs);
    tallied_destroy(t);
}

static void *create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct sealed_tunnel),
                                               .item_size = sizeof(struct incident),
                                               .capacity = EVENTS,
                                               .tell = tell};
    struct table_shape pairs = {.entry_size = sizeof(struct pair),
                                .key_size = sizeof(struct pair_key),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed};
    struct sealed_tunnel *t = tallied_create(&shape, setup);

    if (!t)
        return NULL;
    use_policy(t, setup->policy);
    t->pairs = table_create(&pairs);
    if (t->pairs)
        return t;
    destroy(t);
    return NULL;
}

static size_t bytes(const void *state)
{
    const struct sealed_tunnel *t = state;

    return sizeof *t + tallied_bytes(t) + table_bytes(t->pairs);
}

const struct detector detector_sealed_tunnel = {.name = RULE,
                                                .reads = READ_FLOWS,
                                                .create = create,
                                                .destroy = destroy,
                                                .use_policy = use_policy,
                                                .observe = observe,
                                                .tick = tallied_tick,
                                                .flush = tallied_flush,
                                                .bytes = bytes};
