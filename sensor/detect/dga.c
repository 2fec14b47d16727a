/* Algorithmically generated domains: malware asks for many domains of which its owner registered
 * one. What gives it away is that most of them do not exist: many registrable domains in ten
 * minutes, none of which anybody asked for in the hour before, and a large part of all the client's
 * answers. How the names look only makes it graver: generators made of words exist, and so do
 * brands without vowels. Counting registrable domains leaves out search suffixes, Chromium's single
 * labels, block lists and an internal zone's names by itself: each of these is one domain or none.
 *
 * Cost: answers touch the client's slot; those of NXDOMAIN look into two lines of novelties.
 * Worst case in bytes: CLIENTS_MOST * 120, twice 512 KiB of domains, 1,024 events. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/apart.h"
#include "detect/draft.h"
#include "detect/novelty.h"
#include "detect/slots.h"
#include "detect/tallied.h"
#include "model/known_names.h"

#define RULE     "dga"
#define HALF     (300 * NSEC_S) /* a window is this half and the one before */
#define HOUR     (3600 * NSEC_S)
#define DOMAINS  131072
#define EVENTS   1024
#define SAMPLES  4
#define BITS     256
#define NXDOMAIN 3

/* Counts of a half. */
struct half {
    uint32_t missing;    /* NXDOMAIN below a registrable domain */
    uint16_t fresh, odd; /* of the domains: unknown to all; looks made up */
    uint64_t domain[BITS / 64];
};

struct asker {
    struct slot slot; /* first */
    uint32_t number;  /* of the half `now` */
    struct half now, before;
};

/* What every answer touches: answers to queries, in the same halves. */
struct answered {
    struct slot slot; /* first */
    uint32_t number, now, before;
};

struct incident {
    struct tally_item item; /* first */
    struct sighting seen;
    uint32_t domains, missing, answers, fresh, odd;
    uint16_t qtype;
    unsigned samples;
    char name[256], sample[SAMPLES][64];
};

struct dga {
    struct tallied base;            /* first */
    struct slots *slots, *answered; /* of struct asker, of struct answered */
    struct novelty *recent, *old;   /* domains of this hour, and of the hour before */
    int64_t hour;
    nsec_t half_begins; /* of the half that time is in, and its number */
    uint32_t half;
    uint64_t seed;
    uint32_t domains, missing_share, fresh_share, odd_share, many_factor;
    uint8_t severity_odd;
};

static uint32_t share(uint32_t part, uint32_t whole)
{
    return whole ? (uint32_t)(1000ULL * part / whole) : 0;
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct dga *d = context;
    struct incident *i = (struct incident *)item;
    char text[SAMPLES * 64];
    size_t used = 0;
    struct finding f;

    (void)now;
    draft(&f, d->base.policy, RULE, KIND_TUNNEL, &i->seen, SEVERITY_LOW);
    tally_finding(item, &f);
    f.confidence = 70;
    if (share(i->odd, i->domains) >= d->odd_share) {
        f.severity = d->severity_odd < f.severity ? d->severity_odd : f.severity;
        f.confidence = 90;
    }
    f.excepted =
        policy_exception_for(d->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.query = true;
    f.qtype = i->qtype;
    snprintf(f.name, sizeof f.name, "%s", i->name);
    evidence_integer(&f.evidence, "domains_missing", i->domains);
    evidence_integer(&f.evidence, "answers_missing", i->missing);
    evidence_integer(&f.evidence, "answers", i->answers);
    evidence_integer(&f.evidence, "unknown_percent", share(i->fresh, i->domains) / 10);
    evidence_integer(&f.evidence, "made_up_percent", share(i->odd, i->domains) / 10);
    for (unsigned n = 0; n < i->samples && n < SAMPLES && used < sizeof text; n++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                 i->sample[n]);
    if (used)
        evidence_string(&f.evidence, "names", text);
    if (i->seen.roles & (ROLE_RECURSIVE | ROLE_FORWARDER | ROLE_SEVERAL))
        evidence_string(&f.evidence, "client_is", "several clients");
    tallied_say(&d->base, &f);
}

static void dga_use_policy(void *state, const struct policy *policy)
{
    struct dga *d = state;

    tallied_use_policy(d, policy);
    d->domains = (uint32_t)policy_threshold(policy, RULE, "domains", 30);
    d->missing_share = (uint32_t)policy_threshold(policy, RULE, "missing_share_milli", 300);
    d->fresh_share = (uint32_t)policy_threshold(policy, RULE, "unknown_share_milli", 700);
    d->odd_share = (uint32_t)policy_threshold(policy, RULE, "made_up_share_milli", 500);
    d->many_factor = (uint32_t)policy_threshold(policy, RULE, "many_factor", 10);
    d->severity_odd = (uint8_t)draft_severity(policy, RULE, "severity_made_up", SEVERITY_MEDIUM);
}

static void dga_destroy(void *state)
{
    struct dga *d = state;

    slots_destroy(d->slots);
    slots_destroy(d->answered);
    novelty_destroy(d->recent);
    novelty_destroy(d->old);
    tallied_destroy(d);
}

static void *dga_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct dga),
                                               .item_size = sizeof(struct incident),
                                               .capacity = EVENTS,
                                               .tell = tell};
    static const struct slots_shape slots = {.entry_size = sizeof(struct asker)};
    static const struct slots_shape answered = {.entry_size = sizeof(struct answered)};
    struct dga *d = tallied_create(&shape, setup);

    if (!d)
        return NULL;
    d->seed = setup->seed;
    d->slots = slots_create(&slots, NULL);
    d->answered = slots_create(&answered, setup->record);
    d->recent = novelty_create(DOMAINS, d->seed);
    d->old = novelty_create(DOMAINS, d->seed);
    dga_use_policy(d, setup->policy);
    if (d->slots && d->answered && d->recent && d->old)
        return d;
    dga_destroy(d);
    return NULL;
}

/* What was asked for in the hour before is known, also when it never existed. */
static void turn_hour(struct dga *d, nsec_t now)
{
    struct novelty *old = d->old;
    int64_t hour = now / HOUR;

    if (hour <= d->hour)
        return;
    d->old = d->recent;
    d->recent = old;
    if (d->hour) { /* or both are empty */
        novelty_clear(d->recent);
        if (hour > d->hour + 1)
            novelty_clear(d->old);
    }
    d->hour = hour;
}

/* Of the time; with it goes what turns more seldom. */
static void turn_time(struct dga *d, nsec_t now)
{
    turn_hour(d, now);
    d->half = (uint32_t)(now / HALF);
    d->half_begins = now - now % HALF;
}

static void turn_answered(struct answered *a, uint32_t number)
{
    a->before = number == a->number + 1 ? a->now : 0;
    a->now = 0;
    a->number = number;
}

static void turn_half(struct asker *a, uint32_t number)
{
    if (number == a->number)
        return;
    if (number == a->number + 1)
        a->before = a->now;
    else
        memset(&a->before, 0, sizeof a->before);
    memset(&a->now, 0, sizeof a->now);
    a->number = number;
}

static bool is_vowel(uint8_t c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* Few vowels, five consonants in a row, or letters and digits mixed. */
static bool looks_made_up(const uint8_t *label)
{
    unsigned vowels = 0, letters = 0, run = 0, longest = 0, switches = 0;
    bool digit = false;

    for (unsigned i = 1; i <= label[0]; i++) {
        bool is_digit = label[i] >= '0' && label[i] <= '9';

        switches += i > 1 && is_digit != digit;
        digit = is_digit;
        if (label[i] < 'a' || label[i] > 'z') {
            run = 0;
            continue;
        }
        letters++;
        vowels += is_vowel(label[i]);
        run = is_vowel(label[i]) ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return label[0] >= 7 && (vowels * 4 < letters || longest >= 5 || switches >= 3);
}

/* The two halves together; domains by linear counting (Whang et al. 1990). */
static struct incident sum(const struct asker *a, const struct answered *all)
{
    struct incident i = {.missing = a->now.missing + a->before.missing,
                         .answers = all->now + all->before,
                         .fresh = (uint32_t)a->now.fresh + a->before.fresh,
                         .odd = (uint32_t)a->now.odd + a->before.odd};
    unsigned set = 0;

    for (unsigned w = 0; w < BITS / 64; w++)
        set += (unsigned)__builtin_popcountll(a->now.domain[w] | a->before.domain[w]);
    set = set < BITS ? set : BITS - 1;
    i.domains = (uint32_t)(-(double)BITS * log(1.0 - (double)set / BITS) + 0.5);
    /* Both are counted where a bit was new: as much too few as bits were taken. */
    i.fresh = set ? i.fresh * i.domains / set : 0;
    i.odd = set ? i.odd * i.domains / set : 0;
    return i;
}

static void keep_sample(struct incident *i, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    draft_name(m, i->name, sizeof i->name);
    i->qtype = m->qtype;
    draft_name(m, i->sample[i->samples % SAMPLES], sizeof i->sample[0]);
    i->samples++;
}

static void judge(struct dga *d, const struct asker *a, const struct answered *all,
                  const struct observation *o)
{
    struct incident now = sum(a, all), *i;
    uint8_t several = ROLE_RECURSIVE | ROLE_FORWARDER | ROLE_SEVERAL;
    uint32_t least = d->domains * (o->note.roles & several ? d->many_factor : 1);
    struct tally_key key = {.client = o->client, .zone = o->note.zone};

    if (now.domains < least || share(now.missing, now.answers) < d->missing_share ||
        share(now.fresh, now.domains) < d->fresh_share)
        return;
    i = (struct incident *)tally_at(d->base.tally, &key, o->time);
    i->seen = sighting_of(o);
    i->domains = now.domains;
    i->missing = now.missing;
    i->answers = now.answers;
    i->fresh = now.fresh;
    i->odd = now.odd;
    keep_sample(i, o);
    tally_add(d->base.tally, &i->item, 1, o->time);
}

/* Who looks for its master wants an address. Reports over logs turn addresses round, below a
 * hundred domains of in-addr.arpa, and mail relays ask whether the domains of spam take mail. */
static bool wants_address(uint16_t qtype)
{
    return qtype == DNS_TYPE_A || qtype == DNS_TYPE_AAAA || qtype == DNS_TYPE_HTTPS ||
           qtype == DNS_TYPE_SVCB;
}

/* A domain that exists nowhere by nature is no evidence: what inside resolvers serve. */
static bool is_evidence(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    return m->rcode == NXDOMAIN && o->note.domain_hash && wants_address(m->qtype) &&
           o->note.name_class == NAME_ORDINARY;
}

static APART void see_missing(struct dga *d, const struct answered *all,
                              const struct observation *o)
{
    struct asker *a = slots_at(d->slots, &o->note, NULL);
    uint64_t hash = o->note.domain_hash ^ o->note.domain_hash >> 29;
    uint64_t bit = UINT64_C(1) << (hash >> 8) % 64;
    uint64_t *word = &a->now.domain[(hash >> 14) % (BITS / 64)];

    turn_half(a, d->half);
    a->now.missing++;
    novelty_is_new(d->recent, o->note.domain_hash);
    if ((*word | a->before.domain[word - a->now.domain]) & bit)
        return;
    *word |= bit;
    a->now.fresh += !novelty_knows(d->old, o->note.domain_hash);
    a->now.odd += looks_made_up(o->dns.message.qname + o->note.domain);
    judge(d, a, all, o);
}

static void dga_observe(void *state, const struct observation *o)
{
    struct dga *d = state;
    struct answered *a;

    if (o->time < d->half_begins || o->time - d->half_begins >= HALF)
        turn_time(d, o->time);
    a = slots_at(d->answered, &o->note, NULL);
    if (a->number != d->half)
        turn_answered(a, d->half);
    a->now++;
    if (is_evidence(o))
        see_missing(d, a, o);
}

static size_t dga_bytes(const void *state)
{
    const struct dga *d = state;

    return sizeof *d + tallied_bytes(d) + slots_bytes(d->slots) + slots_bytes(d->answered) +
           novelty_bytes(d->recent) + novelty_bytes(d->old);
}

const struct detector detector_dga = {.name = RULE,
                                      .reads = READ_ANSWERED,
                                      .create = dga_create,
                                      .destroy = dga_destroy,
                                      .use_policy = dga_use_policy,
                                      .observe = dga_observe,
                                      .tick = tallied_tick,
                                      .flush = tallied_flush,
                                      .bytes = dga_bytes};
