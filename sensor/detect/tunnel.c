/* Data carried inside DNS in clear text: names that were never asked before, by client and
 * registrable domain, and by domain over all clients. A name counts for whoever asks it first, so
 * that a forwarder which asks on is not taken for a second tunnel. Families of evidence and what
 * they are worth: tunnel_judge.c; time is the packets'.
 *
 * Cost: a query looks into one line of `names`; a new name into two suspects; an answer and a known
 * name touch the line of a bucket, and a suspect only where that brought names enough to matter.
 * Worst case in bytes: 4 MiB of names, 65,536 suspects of 256 and their buckets, 1,024 events. */
#include <stdio.h>
#include <string.h>

#include "base/apart.h"
#include "base/hash.h"
#include "base/text.h"
#include "detect/draft.h"
#include "detect/novelty.h"
#include "detect/slots.h"
#include "detect/tallied.h"
#include "detect/tunnel.h"

#define RULE      TUNNEL_RULE
#define NAMES     (1U << 20)
#define SUSPECTS  65536
#define EVENTS    1024
#define NO_DOMAIN UINT64_MAX
#define MATTERS   6 /* new names lately, before answers and repeats are counted */

enum { WHAT_CLIENT, WHAT_DOMAIN }; /* tally_key.what */

struct incident {
    struct tally_item item; /* first; the key's server stands for the domain */
    struct sighting seen;
    struct suspect suspect; /* as it was at the last name */
    struct tunnel_verdict verdict;
    uint16_t qtype;
    char name[256], domain[128];
};

/* Which of a client's domains may have a suspect that matters, a bit each by hash: most have none,
 * and then answers and known names are done with. */
struct asker {
    struct slot slot; /* first */
    uint64_t domains;
};

struct tunnel {
    struct tallied base; /* first */
    struct novelty *names;
    struct slots *askers;
    struct suspects *suspects;
    struct tunnel_limits limits;
    struct shape_logs logs;
    uint64_t evicted; /* told to the counters up to here */
    uint32_t sure_score;
    uint8_t severity_sure;
};

static const char *const family_names[FAMILY_COUNT] = {"volume", "content", "type", "timing"};
static const char *const type_names[TYPE_COUNT] = {"A",   "AAAA", "TXT", "CNAME",   "MX",
                                                   "SRV", "NULL", "KEY", "PRIVATE", "other"};

/* The words whose bits are set, with commas between. */
static void join(char *out, size_t size, const char *const *words, unsigned count, unsigned bits)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < count && used < size; i++)
        if (bits & 1U << i)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", words[i]);
}

static unsigned family_bits(const struct tunnel_verdict *v)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < FAMILY_COUNT; i++)
        bits |= v->level[i] ? 1U << i : 0;
    return bits;
}

static int64_t per(uint64_t sum, uint64_t count)
{
    return count ? (int64_t)(sum / count) : 0;
}

static void write_answers(const struct suspect *s, struct evidence *e)
{
    uint32_t good = s->answers - s->failures;

    if (!s->answers)
        return;
    evidence_integer(e, "answers", s->answers);
    evidence_integer(e, "answers_failed", s->failures);
    if (good)
        evidence_integer(e, "octets_an_answer", (int64_t)(s->extra / (float)good));
}

static void write_evidence(const struct incident *i, struct evidence *e)
{
    const struct suspect *s = &i->suspect;
    char words[64];
    uint32_t median, jitter = tunnel_jitter(s, &median);

    evidence_string(e, "domain", i->domain);
    if (s->tool)
        evidence_string(e, "tool", tunnel_tool_name(s->tool));
    join(words, sizeof words, family_names, FAMILY_COUNT, family_bits(&i->verdict));
    evidence_string(e, "families", words);
    evidence_integer(e, "score", i->verdict.score);
    join(words, sizeof words, type_names, TYPE_COUNT, s->types);
    evidence_string(e, "types", words);
    evidence_integer(e, "new_names", span_names(&s->hour));
    evidence_integer(e, "new_names_5min", span_names(&s->minutes));
    evidence_integer(e, "octets", span_octets(&s->hour));
    evidence_integer(e, "octets_a_name", per(s->octets, s->names));
    evidence_integer(e, "name_length", per(s->name_octets, s->names));
    evidence_integer(e, "longest_label", s->longest_label);
    evidence_integer(e, "longest_name", s->longest_name);
    evidence_integer(e, "coded_percent", per(100ULL * s->coded_octets, s->octets));
    if (s->evenness)
        evidence_integer(e, "entropy_percent", s->evenness);
    evidence_integer(e, "repeats", s->repeats);
    write_answers(s, e);
    evidence_integer(e, "stream_s", s->run_best_s);
    if (jitter != UINT32_MAX) {
        evidence_integer(e, "interval_ms", median);
        evidence_real(e, "jitter", jitter / 1000.0);
    }
    if (s->key.who == SUSPECT_ALL)
        evidence_integer(e, "clients", __builtin_popcount(s->clients));
    if (i->seen.roles & (ROLE_RECURSIVE | ROLE_FORWARDER | ROLE_SEVERAL))
        evidence_string(e, "client_is",
                        i->seen.roles & ROLE_RECURSIVE   ? "recursive resolver"
                        : i->seen.roles & ROLE_FORWARDER ? "forwarder"
                                                         : "several clients");
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct tunnel *t = context;
    struct incident *i = (struct incident *)item;
    unsigned score = i->verdict.score;
    struct finding f;

    (void)now;
    draft(&f, t->base.policy, RULE, KIND_TUNNEL, &i->seen, SEVERITY_MEDIUM);
    tally_finding(item, &f);
    if (item->key.what == WHAT_DOMAIN)
        memset(&f.client, 0, sizeof f.client);
    if (i->suspect.tool || score >= t->sure_score)
        f.severity = t->severity_sure < f.severity ? t->severity_sure : f.severity;
    f.confidence = (uint8_t)(i->suspect.tool ? 98 : score < 8 ? 55 + 5 * score : 95);
    f.excepted =
        policy_exception_for(t->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.query = true;
    f.qtype = i->qtype;
    snprintf(f.name, sizeof f.name, "%s", i->name);
    write_evidence(i, &f.evidence);
    tallied_say(&t->base, &f);
}

static void tunnel_use_policy(void *state, const struct policy *policy)
{
    struct tunnel *t = state;

    tallied_use_policy(t, policy);
    tunnel_limits_read(&t->limits, policy);
    t->sure_score = (uint32_t)policy_threshold(policy, RULE, "sure_score", 7);
    t->severity_sure = (uint8_t)draft_severity(policy, RULE, "severity_sure", SEVERITY_HIGH);
}

static void tunnel_destroy(void *state)
{
    struct tunnel *t = state;

    novelty_destroy(t->names);
    slots_destroy(t->askers);
    suspects_destroy(t->suspects);
    tallied_destroy(t);
}

static void *tunnel_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct tunnel),
                                               .item_size = sizeof(struct incident),
                                               .capacity = EVENTS,
                                               .tell = tell};
    static const struct slots_shape askers = {.entry_size = sizeof(struct asker)};
    struct tunnel *t = tallied_create(&shape, setup);

    if (!t)
        return NULL;
    t->names = novelty_create(bounds_share(setup->bounds, NAMES), setup->seed);
    t->askers = slots_create(&askers, setup->record);
    t->suspects = suspects_create(bounds_share(setup->bounds, SUSPECTS), setup->seed);
    shape_logs_fill(&t->logs);
    tunnel_use_policy(t, setup->policy);
    if (t->names && t->askers && t->suspects)
        return t;
    tunnel_destroy(t);
    return NULL;
}

/* --- what is a tunnel is said ----------------------------------------------------------------- */

static struct tally_key key_of(const struct suspect *s, const struct observation *o, unsigned end)
{
    const struct dns_message *m = &o->dns.message;
    struct tally_key key = {.client = s->client, .zone = o->note.zone};

    key.server.w[0] = hash_bytes(m->qname + end, m->qname_length - end, 0);
    key.server.w[1] = 1;
    key.what = s->key.who == SUSPECT_ALL ? WHAT_DOMAIN : WHAT_CLIENT;
    if (key.what == WHAT_DOMAIN)
        key.client = key.server; /* the tally takes no client for one beyond its budget */
    return key;
}

static void say(struct tunnel *t, struct suspect *s, const struct tunnel_verdict *v,
                const struct observation *o, unsigned end)
{
    const struct dns_message *m = &o->dns.message;
    struct tally_key key = key_of(s, o, end);
    struct incident *i;
    char name[DNS_NAME_TEXT];

    if (text_name(m->qname, m->qname_length, name, sizeof name) < 0 ||
        draft_is_ordinary(t->base.policy, RULE, name))
        return;
    i = (struct incident *)tally_at(t->base.tally, &key, o->time);
    if (i->item.total == 0)
        text_name(m->qname + end, m->qname_length - end, i->domain, sizeof i->domain);
    i->item.news |= v->score > s->score;
    s->score = v->score > s->score ? v->score : s->score;
    i->seen = sighting_of(o);
    i->verdict = *v;
    i->suspect = *s;
    i->qtype = m->qtype;
    draft_name(m, i->name, sizeof i->name);
    tally_add(t->base.tally, &i->item, 1, o->time);
}

/* --- what is observed ------------------------------------------------------------------------- */

/* Where a name is counted: below its registrable domain. One that ends as no top-level domain does
 * goes straight to a server of its own, as dnscat2 does without a domain, and all of it is data. */
struct place {
    uint64_t domain; /* 0: nowhere */
    unsigned end;    /* of the name, where the domain begins */
};

static inline struct place place_of(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    if (!o->note.domain_hash || dns_opcode(m) != 0)
        return (struct place){0, 0};
    if (o->note.no_domain)
        return (struct place){NO_DOMAIN, m->qname_length - 1U};
    return (struct place){o->note.domain > 1 ? o->note.domain_hash : 0, o->note.domain};
}

static struct suspect_key client_key(const struct observation *o, struct place place)
{
    return (struct suspect_key){place.domain, o->note.who, o->note.tenure};
}

static uint64_t domain_bit(uint64_t domain)
{
    return UINT64_C(1) << (domain >> 40 & 63);
}

/* Bits of the domains in which the client may have a suspect that matters. */
static inline uint64_t domains_that_matter(const struct tunnel *t, const struct observation *o)
{
    const struct asker *a = slots_find(t->askers, o->note.who, o->note.tenure);

    return a ? a->domains : 0;
}

/* Over all clients: only what looks like data, and only where no client is named already. */
static void note_fleet(struct tunnel *t, const struct observation *o, struct place place,
                       const struct shape *shape, bool named)
{
    struct suspect_key key = {.domain = place.domain, .who = SUSPECT_ALL};
    unsigned names;
    struct suspect *s = suspects_at(t->suspects, &key, o->time, &names);
    struct tunnel_verdict v;

    tunnel_note_name(s, o, shape);
    if (named)
        s->tool = TOOL_COUNT; /* of no single tool: a mark that a client was named */
    if (s->tool || __builtin_popcount(s->clients) < 2)
        return;
    v = tunnel_judge(s, &t->limits);
    if (v.alarm && v.level[FAMILY_CONTENT] == 2)
        say(t, s, &v, o, place.end);
}

static APART void new_name(struct tunnel *t, const struct observation *o, struct place place)
{
    struct suspect_key key = client_key(o, place);
    struct shape shape = shape_of(o->dns.message.qname, place.end, &t->logs);
    struct tunnel_verdict v;
    struct suspect *s;
    unsigned names;

    if (shape.address && o->dns.message.qtype != DNS_TYPE_NULL)
        return;
    s = suspects_at(t->suspects, &key, o->time, &names);
    if (names >= MATTERS)
        ((struct asker *)slots_at(t->askers, &o->note, NULL))->domains |= domain_bit(place.domain);
    if (!s->names)
        s->client = o->client;
    tunnel_note_name(s, o, &shape);
    tunnel_tool_of(s, &o->dns.message, place.end);
    v = tunnel_judge(s, &t->limits);
    if (v.alarm || s->score)
        say(t, s, &v, o, place.end);
    if (shape.coded)
        note_fleet(t, o, place, &shape, s->score > 0);
}

static void tunnel_prefetch(const void *state, const struct observation *o)
{
    const struct tunnel *t = state;

    if (!dns_is_response(&o->dns.message))
        novelty_prefetch(t->names, o->dns.qname_hash);
}

static void tunnel_prefetch_entry(const void *state, const struct observation *o)
{
    const struct tunnel *t = state;
    uint64_t domains = domains_that_matter(t, o);
    struct suspect_key key;

    if (!domains)
        return;
    key = client_key(o, place_of(o));
    if (domains & domain_bit(key.domain))
        suspects_prefetch(t->suspects, &key);
}

/* An answer, or a name that is known. */
static APART void see_known(struct tunnel *t, const struct observation *o, struct place place)
{
    struct suspect_key key = client_key(o, place);
    struct suspect *s = suspects_find(t->suspects, &key, MATTERS);

    if (!s)
        return;
    if (!dns_is_response(&o->dns.message))
        s->repeats++;
    else
        tunnel_note_answer(s, o);
}

static void tunnel_observe(void *state, const struct observation *o)
{
    struct tunnel *t = state;
    uint64_t domains = domains_that_matter(t, o);
    bool query = !dns_is_response(&o->dns.message);
    struct place place;

    if (!query && !domains)
        return;
    place = place_of(o);
    if (!place.domain)
        return;
    if (query && novelty_is_new(t->names, o->dns.qname_hash))
        new_name(t, o, place);
    else if (domains & domain_bit(place.domain))
        see_known(t, o, place);
}

static void tunnel_tick(void *state, nsec_t now)
{
    struct tunnel *t = state;
    uint64_t evicted = suspects_evicted(t->suspects);

    tallied_tick(t, now);
    if (t->base.stats)
        t->base.stats->state_evicted += evicted - t->evicted;
    t->evicted = evicted;
}

static size_t tunnel_bytes(const void *state)
{
    const struct tunnel *t = state;

    return sizeof *t + tallied_bytes(t) + novelty_bytes(t->names) + slots_bytes(t->askers) +
           suspects_bytes(t->suspects);
}

const struct detector detector_tunnel = {.name = RULE,
                                         .reads = READ_QUERIES | READ_ANSWERED,
                                         .create = tunnel_create,
                                         .destroy = tunnel_destroy,
                                         .use_policy = tunnel_use_policy,
                                         .observe = tunnel_observe,
                                         .tick = tunnel_tick,
                                         .flush = tallied_flush,
                                         .bytes = tunnel_bytes,
                                         .prefetch = tunnel_prefetch,
                                         .prefetch_entry = tunnel_prefetch_entry};
