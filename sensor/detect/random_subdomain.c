/* Random names below one domain (water torture): each is new to every cache, so each question goes
 * through to the domain's servers, which know none of them. Told of the domain, not of a client:
 * the questions may come from many. The kind is volume-anomaly: what strikes is the number of
 * questions; nothing is amplified, and the addresses are not forged.
 *
 * Failed answers open an entry; only then answers of other kinds are counted as well.
 * Worst case in bytes: 4,096 domains of 616, 1,024 findings of about 820. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/apart.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "detect/draft.h"
#include "detect/tallied.h"
#include "model/known_names.h"

#define RULE    "random-subdomain"
#define DOMAINS 4096
#define STRUCK  1024

enum { NAME_BITS = 4096, NAMES_FULL = 1024, JUDGED = 256, HOT = 8192, HOT_FROM = 32 };
enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3 };

struct domain {
    uint64_t hash; /* the key */
    uint32_t run;  /* how often in a row it looked like a flood */
    nsec_t begun;
    uint32_t answers, failed, bits;
    uint64_t clients, servers; /* a bit for each, by hash */
    uint64_t names[NAME_BITS / 64];
};

struct struck {
    struct tally_item item; /* first; counts answers */
    struct sighting seen;
    uint64_t clients, servers;
    uint32_t answers, failed, distinct, rate;
    uint16_t qtype;
    char sample[256], name[256];
};

struct random_subdomain {
    struct tallied base; /* first */
    struct table *domains;
    nsec_t window, cooled;
    uint32_t rate, distinct_milli, failed_milli;
    struct reader reader; /* while anything is hot: of all that is answered */
    uint8_t hot[HOT];     /* failed answers lately, by the domain's hash */
};

/* --- what is said ----------------------------------------------------------------------------- */

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct random_subdomain *r = context;
    const struct struck *k = (const struct struck *)item;
    struct finding f;

    (void)now;
    draft(&f, r->base.policy, RULE, KIND_VOLUME_ANOMALY, &k->seen, SEVERITY_MEDIUM);
    if (__builtin_popcountll(k->clients) > 1)
        memset(&f.client, 0, sizeof f.client);
    if (__builtin_popcountll(k->servers) > 1)
        memset(&f.server, 0, sizeof f.server);
    tally_finding(item, &f);
    f.confidence = 90;
    f.qtype = k->qtype;
    snprintf(f.name, sizeof f.name, "%s", k->name);
    evidence_string(&f.evidence, "domain", k->name);
    evidence_integer(&f.evidence, "per_second", k->rate);
    evidence_integer(&f.evidence, "answers", k->answers);
    evidence_integer(&f.evidence, "failed", k->failed);
    evidence_integer(&f.evidence, "distinct_names", k->distinct);
    evidence_integer(&f.evidence, "clients_at_least", __builtin_popcountll(k->clients));
    evidence_integer(&f.evidence, "servers_at_least", __builtin_popcountll(k->servers));
    evidence_string(&f.evidence, "sample", k->sample);
    tallied_say(&r->base, &f);
}

static void random_subdomain_use_policy(void *state, const struct policy *p)
{
    struct random_subdomain *r = state;

    tallied_use_policy(r, p);
    r->window = (nsec_t)draft_threshold(p, RULE, "window_s", 10) * NSEC_S;
    r->rate = draft_threshold(p, RULE, "rate", 50);
    r->distinct_milli = draft_threshold(p, RULE, "distinct_milli", 950);
    r->failed_milli = draft_threshold(p, RULE, "failed_milli", 800);
}

static void random_subdomain_destroy(void *state)
{
    struct random_subdomain *r = state;

    table_destroy(r->domains);
    tallied_destroy(r);
}

static void evicted(void *context, void *entry)
{
    struct random_subdomain *r = context;

    (void)entry;
    if (r->base.stats)
        r->base.stats->state_evicted++;
}

static void *random_subdomain_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct random_subdomain),
                                               .item_size = sizeof(struct struck),
                                               .capacity = STRUCK,
                                               .tell = tell};
    struct random_subdomain *r = tallied_create(&shape, setup);
    struct table_shape domains = {.entry_size = sizeof(struct domain),
                                  .key_size = sizeof(uint64_t),
                                  .capacity = DOMAINS,
                                  .seed = setup->seed,
                                  .evicted = evicted,
                                  .context = r};

    if (!r)
        return NULL;
    r->reader = setup->reader;
    random_subdomain_use_policy(r, setup->policy);
    r->domains = table_create(&domains);
    if (r->domains)
        return r;
    random_subdomain_destroy(r);
    return NULL;
}

/* --- what is seen ----------------------------------------------------------------------------- */

static uint8_t *heat_of(struct random_subdomain *r, const struct observation *o)
{
    return r->hot + (o->note.domain_hash >> 16) % HOT;
}

static void begin_window(struct domain *d, nsec_t now)
{
    memset((char *)d + offsetof(struct domain, begun), 0,
           sizeof *d - offsetof(struct domain, begun));
    d->begun = now;
}

/* An address turned round, or a hash, below a list's domain (RFC 5782): each is another, and most
 * are not on the list. Mail servers ask so all day. */
static bool is_lookup(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    unsigned labels = 0, numbers = 0, single = 0;

    if (m->qtype == DNS_TYPE_PTR)
        return true;
    for (unsigned at = 0; at < o->note.domain; at += m->qname[at] + 1U) {
        unsigned n = m->qname[at];
        bool digits = n <= 3;

        for (unsigned i = 1; i <= n; i++)
            digits &= m->qname[at + i] >= '0' && m->qname[at + i] <= '9';
        numbers += digits;
        single += n == 1;
        labels++;
    }
    return numbers >= 4 || single >= 16;
}

static uint32_t distinct_of(const struct domain *d)
{
    double n = -(double)NAME_BITS * log1p(-(double)d->bits / NAME_BITS);

    return n >= d->answers ? d->answers : (uint32_t)n;
}

static void write_domain(struct struck *k, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    struct dns_message domain = {.has_question = true,
                                 .qname_length = (uint8_t)(m->qname_length - o->note.domain)};

    memcpy(domain.qname, m->qname + o->note.domain, domain.qname_length);
    draft_name(&domain, k->name, sizeof k->name);
    draft_name(m, k->sample, sizeof k->sample);
    k->qtype = m->qtype;
}

/* What every name gets for a suffix that is searched for names inside (ndots, a cluster's domain)
 * fails at the house's own servers. */
static bool is_searched(const struct observation *o)
{
    return o->note.name_class == NAME_INTERNAL;
}

/* The item's address is the domain's: a finding about no single client still has an item of its
 * own. */
static void accuse(struct random_subdomain *r, const struct domain *d, const struct observation *o)
{
    struct tally_key key = {.client = {.w = {d->hash, 1}}};
    nsec_t passed = o->time - d->begun;
    char name[DNS_NAME_TEXT];
    struct struck *k;

    if (text_name(o->dns.message.qname, o->dns.message.qname_length, name, sizeof name) < 0 ||
        draft_is_ordinary(r->base.policy, RULE, name) || is_searched(o))
        return;
    k = (struct struck *)tally_at(r->base.tally, &key, o->time);
    k->seen = sighting_of(o);
    if (!k->name[0])
        write_domain(k, o);
    k->clients |= d->clients;
    k->servers |= d->servers;
    k->answers = d->answers;
    k->failed = d->failed;
    k->distinct = distinct_of(d);
    k->rate = (uint32_t)(d->answers * NSEC_S / (passed > NSEC_S ? passed : NSEC_S));
    tally_add(r->base.tally, &k->item, k->item.total ? JUDGED : d->answers, o->time);
}

static bool is_flood(const struct random_subdomain *r, const struct domain *d, nsec_t passed)
{
    return d->answers >= (uint64_t)(passed / NSEC_S) * r->rate &&
           (uint64_t)d->failed * 1000 > (uint64_t)d->answers * r->failed_milli &&
           (uint64_t)distinct_of(d) * 1000 > (uint64_t)d->answers * r->distinct_milli;
}

/* Looked at each JUDGED answers, so that a short burst is not missed, and believed the second time:
 * a list of names that is asked over and over is all new at first. */
static void judge(struct random_subdomain *r, struct domain *d, const struct observation *o)
{
    nsec_t passed = o->time - d->begun;

    if (d->answers % JUDGED == 0) {
        d->run = is_flood(r, d, passed) ? d->run + 1 : 0;
        if (d->run >= 2)
            accuse(r, d, o);
    }
    if (d->answers >= NAMES_FULL || passed >= r->window)
        begin_window(d, o->time);
}

static void count(struct random_subdomain *r, struct domain *d, const struct observation *o,
                  bool failed)
{
    uint32_t bit = (uint32_t)(o->dns.qname_hash % NAME_BITS);

    d->answers++;
    d->failed += failed;
    d->bits += !(d->names[bit / 64] >> bit % 64 & 1);
    d->names[bit / 64] |= UINT64_C(1) << bit % 64;
    d->clients |= UINT64_C(1) << (hash_bytes(&o->client, sizeof o->client, 0) & 63);
    d->servers |= UINT64_C(1) << (hash_bytes(&o->server, sizeof o->server, 0) & 63);
    judge(r, d, o);
}

static APART void see_failed(struct random_subdomain *r, const struct observation *o)
{
    uint8_t *heat = heat_of(r, o);
    struct domain *d;
    bool fresh;

    if (is_lookup(o))
        return;
    *heat += *heat < UINT8_MAX;
    if (*heat < HOT_FROM)
        return;
    reader_adds(r->reader, READ_ANSWERED);
    d = table_insert(r->domains, &o->note.domain_hash, &fresh);
    if (fresh || o->time - d->begun > 2 * r->window)
        begin_window(d, o->time);
    count(r, d, o, true);
}

static APART void see_other(struct random_subdomain *r, const struct observation *o)
{
    struct domain *d = table_find(r->domains, &o->note.domain_hash);

    if (d && o->time - d->begun <= 2 * r->window)
        count(r, d, o, false);
}

static void random_subdomain_observe(void *state, const struct observation *o)
{
    struct random_subdomain *r = state;

    if (!o->note.domain_hash)
        return;
    if (o->dns.message.rcode == RCODE_NXDOMAIN || o->dns.message.rcode == RCODE_SERVFAIL) {
        if (o->note.domain)
            see_failed(r, o);
    } else if (*heat_of(r, o) >= HOT_FROM) {
        see_other(r, o);
    }
}

static void random_subdomain_tick(void *state, nsec_t now)
{
    struct random_subdomain *r = state;
    uint8_t hottest = 0;

    tallied_tick(r, now);
    if (!time_passed(r->cooled, r->window, now))
        return;
    r->cooled = now;
    for (int i = 0; i < HOT; i++) {
        r->hot[i] /= 2;
        hottest = r->hot[i] > hottest ? r->hot[i] : hottest;
    }
    if (hottest < HOT_FROM)
        reader_drops(r->reader, READ_ANSWERED);
}

static size_t random_subdomain_bytes(const void *state)
{
    const struct random_subdomain *r = state;

    return tallied_bytes(r) + sizeof *r + table_bytes(r->domains);
}

const struct detector detector_random_subdomain = {.name = RULE,
                                                   .reads = READ_FAILED,
                                                   .create = random_subdomain_create,
                                                   .destroy = random_subdomain_destroy,
                                                   .use_policy = random_subdomain_use_policy,
                                                   .observe = random_subdomain_observe,
                                                   .tick = random_subdomain_tick,
                                                   .flush = tallied_flush,
                                                   .bytes = random_subdomain_bytes};
