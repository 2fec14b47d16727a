/* Forged answers (RFC 5452), by what they cannot help showing: answers under ids that nobody asked
 * with, or to another question; more answers than questions, that do not say the same; one name
 * sprayed over many ports; name servers of a zone that was not asked about; a question that comes
 * back in other letters from a server that had always kept them (0x20). What comes before a
 * forgery: a search for the port that a resolver asks from. And what makes forging easy: a
 * recursive resolver whose ports or ids can be guessed.
 *
 * A client that asks twice gets two answers, which a server that rotates its records words
 * differently; a late answer has an id that no longer waits; a mirrored packet comes twice and says
 * the same: observe/ tells all of these apart. Only UDP: whoever forges within TCP needs no guess.
 *
 * Worst case in bytes: 2,048 races of 496, 2,048 findings of about 560, 65,536 clients of 144 (only
 * those that ask without recursion, as resolvers do, touch theirs). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "detect/dominant.h"
#include "detect/draft.h"
#include "detect/slots.h"
#include "detect/tallied.h"
#include "model/packet.h"

#define RULE  "poisoning"
#define RACES 2048
#define SIGNS 2048

enum { NAMES = 4, PORT_BITS = 2048, WEAK_BITS = 1024, STRAY_BITS = 512 };
enum { TC = 0x0200 };
enum sign { WRONG_IDS, WRONG_QUESTIONS, CONFLICT, SPRAY, FOREIGN, WEAK, LETTERS, PROBING };

/* Answers of one server to one client that meet no query, lately. */
struct race {
    struct addr client, server; /* the key */
    nsec_t begun, long_begun, spray_begun;
    struct {
        uint64_t name;
        uint32_t count;
    } names[NAMES];          /* with a wrong id */
    uint32_t questions, ids; /* wrong questions; wrong ids of the long window */
    uint32_t sprayed, bits;
    uint32_t kept, changed; /* the question's letters, of all answers to mixed ones */
    struct dominant question;
    uint64_t ports[PORT_BITS / 64];
    nsec_t stray_begun;
    uint64_t stray_ports[STRAY_BITS / 64];
};

struct suspicion {
    struct tally_item item; /* first; counts answers */
    struct sighting seen;
    uint32_t burst;    /* the most within a window */
    uint32_t delay_us; /* of the last answer since its query */
    uint32_t ports, sequential, queries;
    struct addr said; /* by the last answer */
    uint16_t qtype, ip_id;
    uint8_t ttl, first_ttl;
    bool elsewhere; /* the answers came over different ways */
    char name[256];
};

/* How a client that resolves for itself chooses what a forger must guess. */
struct chooser {
    struct slot slot; /* first */
    uint16_t queries, sequential, last_id;
    uint64_t ports[WEAK_BITS / 64];
};

struct poisoning {
    struct tallied base; /* first */
    struct table *races;
    struct slots *choosers;
    nsec_t window, window_many, spray_window;
    uint32_t wrong, wrong_many, spray_ports, spray_same_milli;
    uint32_t weak_queries, weak_ports, weak_sequential_milli;
    uint32_t letters_kept, probed_ports;
    uint8_t severity_many, severity_elsewhere, severity_foreign, severity_weak;
};

/* --- what is said ----------------------------------------------------------------------------- */

static const char *word_of(unsigned sign)
{
    static const char *const words[] = {"wrong ids",     "wrong questions", "conflicting answers",
                                        "port spray",    "foreign zone",    "weak source",
                                        "other letters", "port probing"};

    return words[sign];
}

static void grade(const struct poisoning *p, const struct suspicion *s, struct finding *f)
{
    uint8_t graver = f->severity;

    f->confidence = 85;
    switch (s->item.key.what) {
    case WRONG_IDS:
    case WRONG_QUESTIONS:
        graver = s->burst >= p->wrong_many ? p->severity_many : graver;
        break;
    case CONFLICT:
        graver = s->elsewhere ? p->severity_elsewhere : graver;
        f->confidence = s->elsewhere ? 95 : 70;
        break;
    case SPRAY:
        graver = p->severity_many;
        break;
    case FOREIGN:
        f->severity = graver = p->severity_foreign;
        f->confidence = 60;
        break;
    case LETTERS:
        f->confidence = 80;
        break;
    case PROBING:
        break;
    default:
        f->severity = graver = p->severity_weak;
    }
    f->severity = graver < f->severity ? graver : f->severity;
}

static void describe(const struct suspicion *s, struct evidence *e)
{
    char text[ADDR_TEXT];

    evidence_string(e, "sign", word_of(s->item.key.what));
    if (s->item.key.what == WEAK) {
        evidence_integer(e, "queries", s->queries);
        evidence_integer(e, "distinct_ports", s->ports);
        evidence_integer(e, "sequential_ids", s->sequential);
        return;
    }
    evidence_integer(e, "answers", (int64_t)s->item.total);
    if (s->burst)
        evidence_integer(e, "most_in_window", s->burst);
    if (s->item.key.what == SPRAY || s->item.key.what == PROBING)
        evidence_integer(e, "distinct_ports", s->ports);
    if (!addr_is_zero(&s->said))
        evidence_string(e, "said", addr_text(&s->said, text));
    evidence_integer(e, "ttl", s->ttl);
    evidence_integer(e, "ip_id", s->ip_id);
    if (s->item.key.what != CONFLICT)
        return;
    evidence_integer(e, "first_ttl", s->first_ttl);
    evidence_boolean(e, "other_way", s->elsewhere);
    evidence_integer(e, "after_query_us", s->delay_us);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct poisoning *p = context;
    const struct suspicion *s = (const struct suspicion *)item;
    struct finding f;

    (void)now;
    draft(&f, p->base.policy, RULE, KIND_POISONING, &s->seen, SEVERITY_MEDIUM);
    if (item->key.what == WEAK)
        memset(&f.server, 0, sizeof f.server);
    tally_finding(item, &f);
    grade(p, s, &f);
    f.excepted =
        policy_exception_for(p->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.qtype = s->qtype;
    snprintf(f.name, sizeof f.name, "%s", s->name);
    describe(s, &f.evidence);
    tallied_say(&p->base, &f);
}

static void poisoning_use_policy(void *state, const struct policy *policy)
{
    struct poisoning *p = state;

    tallied_use_policy(p, policy);
    p->window = draft_threshold(policy, RULE, "window_ms", 2000) * NSEC_MS;
    p->window_many = draft_threshold(policy, RULE, "window_many_ms", 5000) * NSEC_MS;
    p->spray_window = draft_threshold(policy, RULE, "spray_window_ms", 1000) * NSEC_MS;
    p->wrong = draft_threshold(policy, RULE, "wrong", 10);
    p->wrong_many = draft_threshold(policy, RULE, "wrong_many", 100);
    p->spray_ports = draft_threshold(policy, RULE, "spray_ports", 500);
    p->spray_same_milli = draft_threshold(policy, RULE, "spray_same_milli", 500);
    p->weak_queries = draft_threshold(policy, RULE, "weak_queries", 1000);
    if (p->weak_queries > UINT16_MAX)
        p->weak_queries = UINT16_MAX; /* what a chooser counts to */
    p->weak_ports = draft_threshold(policy, RULE, "weak_ports", 100);
    p->weak_sequential_milli = draft_threshold(policy, RULE, "weak_sequential_milli", 900);
    p->letters_kept = draft_threshold(policy, RULE, "letters_kept", 20);
    p->probed_ports = draft_threshold(policy, RULE, "probed_ports", 200);
    p->severity_many = (uint8_t)draft_severity(policy, RULE, "severity_many", SEVERITY_HIGH);
    p->severity_elsewhere =
        (uint8_t)draft_severity(policy, RULE, "severity_elsewhere", SEVERITY_HIGH);
    p->severity_foreign = (uint8_t)draft_severity(policy, RULE, "severity_foreign", SEVERITY_LOW);
    p->severity_weak = (uint8_t)draft_severity(policy, RULE, "severity_weak", SEVERITY_LOW);
}

static void poisoning_destroy(void *state)
{
    struct poisoning *p = state;

    table_destroy(p->races);
    slots_destroy(p->choosers);
    tallied_destroy(p);
}

static void race_evicted(void *context, void *entry)
{
    struct poisoning *p = context;

    (void)entry;
    if (p->base.stats)
        p->base.stats->state_evicted++;
}

static void *poisoning_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct poisoning),
                                               .item_size = sizeof(struct suspicion),
                                               .capacity = SIGNS,
                                               .tell = tell};
    static const struct slots_shape choosers = {.entry_size = sizeof(struct chooser)};
    struct poisoning *p = tallied_create(&shape, setup);
    struct table_shape races = {.entry_size = sizeof(struct race),
                                .key_size = offsetof(struct race, begun),
                                .capacity = RACES,
                                .seed = setup->seed,
                                .evicted = race_evicted,
                                .context = p};

    if (!p)
        return NULL;
    poisoning_use_policy(p, setup->policy);
    p->races = table_create(&races);
    p->choosers = slots_create(&choosers, NULL);
    if (p->races && p->choosers)
        return p;
    poisoning_destroy(p);
    return NULL;
}

static struct suspicion *suspicion_at(struct poisoning *p, const struct observation *o,
                                      enum sign sign)
{
    struct tally_key key = {.client = o->client, .zone = o->note.zone, .what = (uint8_t)sign};
    struct suspicion *s;

    if (sign != WEAK)
        key.server = o->server;
    s = (struct suspicion *)tally_at(p->base.tally, &key, o->time);
    s->seen = sighting_of(o);
    s->ttl = o->ttl;
    s->ip_id = o->ip_id;
    if (o->kind != OBSERVE_DNS)
        return s;
    s->said = o->dns.message.address_count ? o->dns.message.address[0] : (struct addr){0};
    if (!s->name[0] && sign != WEAK) {
        s->qtype = o->dns.message.qtype;
        draft_name(&o->dns.message, s->name, sizeof s->name);
    }
    return s;
}

/* --- guessing --------------------------------------------------------------------------------- */

static struct race *race_of(struct poisoning *p, const struct observation *o)
{
    struct race key = {.client = o->client, .server = o->server}, *r;
    bool fresh;

    r = table_insert(p->races, &key, &fresh);
    if (fresh || o->time - r->begun > p->window) {
        r->begun = o->time;
        r->questions = 0;
        memset(r->names, 0, sizeof r->names);
    }
    if (fresh || o->time - r->long_begun > p->window_many) {
        r->long_begun = o->time;
        r->ids = 0;
    }
    return r;
}

/* Of the name's answers in this window; the least of the names gives way to a new one. */
static uint32_t count_name(struct race *r, uint64_t name)
{
    int least = 0;

    for (int i = 0; i < NAMES; i++) {
        if (r->names[i].name == name && r->names[i].count)
            return ++r->names[i].count;
        if (r->names[i].count < r->names[least].count)
            least = i;
    }
    r->names[least].name = name;
    return r->names[least].count = 1;
}

static void suspect(struct poisoning *p, const struct observation *o, enum sign sign,
                    uint32_t burst)
{
    struct suspicion *s = suspicion_at(p, o, sign);
    bool many = s->burst >= p->wrong_many;

    s->burst = burst > s->burst ? burst : s->burst;
    s->item.news |= !many && s->burst >= p->wrong_many;
    tally_add(p->base.tally, &s->item, s->item.total ? 1 : burst, o->time);
}

static void see_wrong_id(struct poisoning *p, const struct observation *o)
{
    struct race *r = race_of(p, o);
    uint32_t count = count_name(r, o->dns.qname_hash);

    r->ids++;
    if (count >= p->wrong || r->ids >= p->wrong_many)
        suspect(p, o, WRONG_IDS, r->ids > count ? r->ids : count);
}

static void see_wrong_question(struct poisoning *p, const struct observation *o)
{
    struct race *r = race_of(p, o);

    if (++r->questions >= p->wrong)
        suspect(p, o, WRONG_QUESTIONS, r->questions);
}

/* --- spraying --------------------------------------------------------------------------------- */

/* Set bits of a table of `size` bits that n distinct items leave, turned round. */
static uint32_t distinct(uint32_t bits, uint32_t size)
{
    return bits >= size ? size * 8 : (uint32_t)(-(double)size * log1p(-(double)bits / size) + 0.5);
}

/* Where answers alone are seen, a busy forwarder's look sprayed, but are about everything. */
static void see_unasked(struct poisoning *p, const struct observation *o)
{
    struct race *r = race_of(p, o);
    uint32_t bit = (uint32_t)hash_mix(o->client_port, 1) % PORT_BITS;

    if (o->time - r->spray_begun > p->spray_window) {
        r->spray_begun = o->time;
        r->sprayed = r->bits = 0;
        r->question = (struct dominant){0};
        memset(r->ports, 0, sizeof r->ports);
    }
    r->sprayed++;
    r->bits += !(r->ports[bit / 64] >> bit % 64 & 1);
    r->ports[bit / 64] |= UINT64_C(1) << bit % 64;
    dominant_see(&r->question, o->dns.qname_hash);
    if (r->sprayed < p->spray_ports || distinct(r->bits, PORT_BITS) < p->spray_ports ||
        (uint64_t)r->question.same * 1000 < (uint64_t)r->sprayed * p->spray_same_milli)
        return;
    suspicion_at(p, o, SPRAY)->ports = distinct(r->bits, PORT_BITS);
    suspect(p, o, SPRAY, r->sprayed);
}

/* --- what a forgery says ---------------------------------------------------------------------- */

static void see_again(struct poisoning *p, const struct observation *o)
{
    struct suspicion *s;

    if (!o->dns.surplus || !o->dns.differs || o->dns.message.flags & TC)
        return;
    s = suspicion_at(p, o, CONFLICT);
    s->first_ttl = o->dns.first_ttl;
    s->delay_us = o->dns.latency_us;
    s->item.news |= !s->elsewhere && o->ttl != s->first_ttl;
    s->elsewhere |= o->ttl != s->first_ttl;
    tally_add(p->base.tally, &s->item, 1, o->time);
}

static void see_foreign(struct poisoning *p, const struct observation *o)
{
    tally_add(p->base.tally, &suspicion_at(p, o, FOREIGN)->item, 1, o->time);
}

/* Some servers never keep the letters: of them it says nothing. */
static void see_letters(struct poisoning *p, const struct observation *o)
{
    struct race *r = race_of(p, o);

    if (!o->dns.case_differs) {
        r->kept += r->kept < UINT32_MAX;
        return;
    }
    r->changed += r->changed < UINT32_MAX;
    if (r->kept >= p->letters_kept && r->changed <= r->kept / p->letters_kept)
        tally_add(p->base.tally, &suspicion_at(p, o, LETTERS)->item, 1, o->time);
}

/* --- what comes before ------------------------------------------------------------------------ */

static void poisoning_strayed(void *state, const struct observation *o)
{
    struct poisoning *p = state;
    struct race *r = race_of(p, o);
    uint32_t bit = (uint32_t)hash_mix(o->client_port, 3) % STRAY_BITS, bits = 0, ports;

    /* An error about an answer that nobody asked for: it was counted as that. */
    if (o->proto != IP_PROTO_UDP && r->sprayed && o->time - r->spray_begun <= p->spray_window)
        return;
    if (o->time - r->stray_begun > p->spray_window) {
        r->stray_begun = o->time;
        memset(r->stray_ports, 0, sizeof r->stray_ports);
    }
    if (r->stray_ports[bit / 64] >> bit % 64 & 1)
        return;
    r->stray_ports[bit / 64] |= UINT64_C(1) << bit % 64;
    for (int i = 0; i < STRAY_BITS / 64; i++)
        bits += (uint32_t)__builtin_popcountll(r->stray_ports[i]);
    ports = distinct(bits, STRAY_BITS);
    if (ports < p->probed_ports)
        return;
    struct suspicion *s = suspicion_at(p, o, PROBING);

    s->ports = ports > s->ports ? ports : s->ports;
    tally_add(p->base.tally, &s->item, s->item.total ? 1 : ports, o->time);
}

/* --- what makes it easy ----------------------------------------------------------------------- */

static void judge_chooser(struct poisoning *p, struct chooser *c, const struct observation *o)
{
    uint32_t bits = 0, ports;
    struct suspicion *s;

    for (int i = 0; i < WEAK_BITS / 64; i++)
        bits += (uint32_t)__builtin_popcountll(c->ports[i]);
    ports = distinct(bits, WEAK_BITS);
    if (ports >= p->weak_ports &&
        (uint64_t)c->sequential * 1000 < (uint64_t)c->queries * p->weak_sequential_milli)
        return;
    s = suspicion_at(p, o, WEAK);
    s->ports = ports;
    s->sequential = c->sequential;
    s->queries = c->queries;
    tally_add(p->base.tally, &s->item, c->queries, o->time);
}

static void see_choice(struct poisoning *p, const struct observation *o)
{
    struct chooser *c = slots_at(p->choosers, &o->note, NULL);
    uint32_t bit = (uint32_t)hash_mix(o->client_port, 2) % WEAK_BITS;
    uint16_t id = o->dns.message.id;

    c->queries++;
    c->sequential = (uint16_t)(c->sequential + ((uint16_t)(id - c->last_id) == 1));
    c->last_id = id;
    c->ports[bit / 64] |= UINT64_C(1) << bit % 64;
    if (c->queries < p->weak_queries)
        return;
    judge_chooser(p, c, o);
    c->queries = c->sequential = 0;
    memset(c->ports, 0, sizeof c->ports);
}

/* --- the detector ----------------------------------------------------------------------------- */

static void poisoning_observe(void *state, const struct observation *o)
{
    struct poisoning *p = state;

    if (o->kind != OBSERVE_DNS || o->transport != TRANSPORT_DO53_UDP)
        return;
    switch (o->dns.match) {
    case ANSWER_NONE:
        if (!dns_is_response(&o->dns.message) && !dns_recursion_desired(&o->dns.message))
            see_choice(p, o);
        return;
    case ANSWER_MATCHED:
        if (o->dns.mixed_case)
            see_letters(p, o);
        break;
    case ANSWER_WRONG_ID:
        see_wrong_id(p, o);
        break;
    case ANSWER_WRONG_QUESTION:
        see_wrong_question(p, o);
        break;
    case ANSWER_AGAIN:
        see_again(p, o);
        break;
    case ANSWER_UNASKED:
        see_unasked(p, o);
        break;
    default:
        break;
    }
    if (o->dns.message.foreign)
        see_foreign(p, o);
}

static size_t poisoning_bytes(const void *state)
{
    const struct poisoning *p = state;

    return tallied_bytes(p) + table_bytes(p->races) + slots_bytes(p->choosers);
}

const struct detector detector_poisoning = {.name = RULE,
                                            .reads = READ_ITERATIVE | READ_DOUBTFUL,
                                            .create = poisoning_create,
                                            .destroy = poisoning_destroy,
                                            .use_policy = poisoning_use_policy,
                                            .observe = poisoning_observe,
                                            .strayed = poisoning_strayed,
                                            .tick = tallied_tick,
                                            .flush = tallied_flush,
                                            .bytes = poisoning_bytes};
