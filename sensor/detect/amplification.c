/* Answers that strike somebody who did not ask (RFC 5358). As a reflector: a server inside gives
 * one outside network (a /24, or a /48) many large answers to one small question. As a victim:
 * answers that nobody asked for flood an address inside. In an observation of a response the client
 * is who was said to have asked, so the victim is the client in both.
 *
 * Worst case in bytes: 4,096 reflections of 96, 4,096 victims of 136, 2,048 attacks of about 500.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "detect/dominant.h"
#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE        "amplification"
#define REFLECTIONS 4096
#define VICTIMS     4096
#define ATTACKS     2048

enum { REFLECTOR, VICTIM }; /* tally_key.what */

/* What one server inside answered one network outside, within the window. */
struct reflection {
    struct addr server, net; /* the key */
    nsec_t begun;
    uint64_t octets_in, octets_out;
    struct dominant question;
    uint32_t queries, answers;
    uint16_t udp_size; /* the largest that was offered */
    bool tcp;          /* somebody there completes a handshake: no forged address */
};

struct victim {
    struct addr addr; /* the key */
    nsec_t begun, second_begun;
    uint64_t octets, servers, ports; /* the last two: a bit for each, by hash */
    struct dominant question;
    uint32_t answers, matched, second, rate; /* rate: of the fullest second */
};

struct attack {
    struct tally_item item; /* first; counts answers */
    struct sighting seen;
    uint64_t octets_in, octets_out;
    uint32_t queries, answers, same, rate;
    int servers, ports;
    uint16_t qtype, udp_size;
    char name[256];
};

struct amplification {
    struct tallied base; /* first */
    struct table *reflections, *victims;
    uint64_t struck[CLIENTS_MOST / 64]; /* by note.who: it may be in victims */
    size_t struck_count;                /* while there are any, it reads what is answered */
    struct reader reader;
    nsec_t window, victim_window;
    uint32_t ratio, answers_min, same_milli, rate, rate_same_milli;
    uint32_t victim_rate, victim_ratio, victim_octets, victim_same_milli, rate_high;
    uint8_t severity_high;
};

/* --- what is said ----------------------------------------------------------------------------- */

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct amplification *a = context;
    const struct attack *k = (const struct attack *)item;
    bool victim = item->key.what == VICTIM;
    struct finding f;

    (void)now;
    draft(&f, a->base.policy, RULE, KIND_AMPLIFICATION, &k->seen, SEVERITY_MEDIUM);
    if (victim && k->servers > 1)
        memset(&f.server, 0, sizeof f.server);
    tally_finding(item, &f);
    if (k->rate >= a->rate_high && a->severity_high < f.severity)
        f.severity = a->severity_high;
    f.confidence = victim ? 85 : k->udp_size >= 4096 ? 95 : 85;
    f.qtype = k->qtype;
    snprintf(f.name, sizeof f.name, "%s", k->name);
    evidence_string(&f.evidence, "as", victim ? "victim" : "reflector");
    evidence_integer(&f.evidence, "answers", k->answers);
    evidence_integer(&f.evidence, "same_question", k->same);
    evidence_integer(&f.evidence, "bytes", (int64_t)k->octets_out);
    evidence_integer(&f.evidence, "qtype", k->qtype);
    evidence_integer(&f.evidence, "per_second", k->rate);
    if (victim) {
        evidence_integer(&f.evidence, "servers_at_least", k->servers);
        evidence_integer(&f.evidence, "ports_at_least", k->ports);
    } else {
        evidence_integer(&f.evidence, "queries", k->queries);
        evidence_integer(&f.evidence, "bytes_of_queries", (int64_t)k->octets_in);
        evidence_integer(&f.evidence, "edns_size", k->udp_size);
        evidence_string(&f.evidence, "victim_network", addr_is_v4(&k->seen.client) ? "/24" : "/48");
    }
    tallied_say(&a->base, &f);
}

static void amplification_use_policy(void *state, const struct policy *p)
{
    struct amplification *a = state;

    tallied_use_policy(a, p);
    a->window = (nsec_t)draft_threshold(p, RULE, "window_s", 60) * NSEC_S;
    a->ratio = draft_threshold(p, RULE, "ratio", 10);
    a->answers_min = draft_threshold(p, RULE, "answers_min", 500);
    a->same_milli = draft_threshold(p, RULE, "same_milli", 900);
    a->rate = draft_threshold(p, RULE, "rate", 100);
    a->rate_same_milli = draft_threshold(p, RULE, "rate_same_milli", 500);
    a->victim_window = (nsec_t)draft_threshold(p, RULE, "victim_window_s", 10) * NSEC_S;
    a->victim_rate = draft_threshold(p, RULE, "victim_rate", 200);
    a->victim_ratio = draft_threshold(p, RULE, "victim_ratio", 10);
    a->victim_octets = draft_threshold(p, RULE, "victim_octets", 512);
    a->victim_same_milli = draft_threshold(p, RULE, "victim_same_milli", 500);
    a->rate_high = draft_threshold(p, RULE, "rate_high", 1000);
    a->severity_high = (uint8_t)draft_severity(p, RULE, "severity_high", SEVERITY_HIGH);
}

static void amplification_destroy(void *state)
{
    struct amplification *a = state;

    table_destroy(a->reflections);
    table_destroy(a->victims);
    tallied_destroy(a);
}

static void evicted(void *context, void *entry)
{
    struct amplification *a = context;

    (void)entry;
    if (a->base.stats)
        a->base.stats->state_evicted++;
}

static void *amplification_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct amplification),
                                               .item_size = sizeof(struct attack),
                                               .capacity = ATTACKS,
                                               .tell = tell};
    struct amplification *a = tallied_create(&shape, setup);
    struct table_shape reflections = {.entry_size = sizeof(struct reflection),
                                      .key_size = offsetof(struct reflection, begun),
                                      .capacity = REFLECTIONS,
                                      .seed = setup->seed,
                                      .evicted = evicted,
                                      .context = a};
    struct table_shape victims = reflections;

    if (!a)
        return NULL;
    victims.entry_size = sizeof(struct victim);
    victims.key_size = offsetof(struct victim, begun);
    victims.capacity = VICTIMS;
    a->reader = setup->reader;
    amplification_use_policy(a, setup->policy);
    a->reflections = table_create(&reflections);
    a->victims = table_create(&victims);
    if (a->reflections && a->victims)
        return a;
    amplification_destroy(a);
    return NULL;
}

/* --- the reflector ---------------------------------------------------------------------------- */

/* Of the whole frame, were it one: the last fragment alone says too little. */
static uint32_t octets_of(const struct observation *o)
{
    return o->dns.message.length + 42U; /* Ethernet, IPv4, UDP */
}

static uint64_t question_of(const struct observation *o)
{
    return hash_mix(o->dns.qname_hash, o->dns.message.qtype);
}

static struct addr network_of(const struct addr *a)
{
    struct addr net = *a;

    memset(net.b + (addr_is_v4(a) ? 15 : 6), 0, addr_is_v4(a) ? 1 : 10);
    return net;
}

static bool is_share(uint32_t part, uint32_t whole, uint32_t milli)
{
    return (uint64_t)part * 1000 >= (uint64_t)whole * milli;
}

/* Many answers to one question, far larger than it, or very many in which it stands out. Answers
 * to names of all kinds are a large resolver's ordinary work, however large they are. */
static bool reflects(const struct amplification *a, const struct reflection *r, nsec_t now)
{
    nsec_t passed = now - r->begun;

    if (r->tcp || r->octets_out < r->octets_in * a->ratio)
        return false;
    if (r->answers >= a->answers_min && is_share(r->question.same, r->answers, a->same_milli))
        return true;
    return passed >= 3 * NSEC_S && r->answers >= (uint64_t)(passed / NSEC_S) * a->rate &&
           is_share(r->question.same, r->answers, a->rate_same_milli);
}

static struct attack *attack_at(struct amplification *a, const struct observation *o,
                                struct tally_key key)
{
    struct attack *k = (struct attack *)tally_at(a->base.tally, &key, o->time);

    k->seen = sighting_of(o);
    if (!k->name[0]) {
        k->qtype = o->dns.message.qtype;
        draft_name(&o->dns.message, k->name, sizeof k->name);
    }
    return k;
}

static void accuse_reflector(struct amplification *a, const struct reflection *r,
                             const struct observation *o)
{
    struct tally_key key = {
        .client = r->net, .server = r->server, .zone = o->note.zone, .what = REFLECTOR};
    struct attack *k = attack_at(a, o, key);
    nsec_t passed = o->time - r->begun;
    uint32_t more = r->answers > k->answers && k->item.total ? r->answers - k->answers : 1;

    k->queries = r->queries;
    k->octets_in = r->octets_in;
    k->octets_out = r->octets_out;
    k->answers = r->answers;
    k->same = r->question.same;
    k->udp_size = r->udp_size;
    k->rate = (uint32_t)(r->answers * NSEC_S / (passed > NSEC_S ? passed : NSEC_S));
    tally_add(a->base.tally, &k->item, k->item.total ? more : r->answers, o->time);
}

static void see_reflection(struct amplification *a, const struct observation *o)
{
    struct reflection key = {.server = o->server, .net = network_of(&o->client)}, *r;
    const struct dns_message *m = &o->dns.message;
    bool fresh;

    r = table_insert(a->reflections, &key, &fresh);
    if (fresh || o->time - r->begun > a->window) {
        memset((char *)r + offsetof(struct reflection, begun), 0,
               sizeof *r - offsetof(struct reflection, begun));
        r->begun = o->time;
    }
    r->tcp |= o->transport == TRANSPORT_DO53_TCP;
    if (!dns_is_response(m)) {
        r->queries++;
        r->octets_in += octets_of(o);
        if (m->udp_size > r->udp_size)
            r->udp_size = m->udp_size;
        return;
    }
    r->answers++;
    r->octets_out += octets_of(o);
    dominant_see(&r->question, question_of(o));
    if (r->question.item == question_of(o) && reflects(a, r, o->time))
        accuse_reflector(a, r, o);
}

/* --- the victim ------------------------------------------------------------------------------- */

static void begin_window(struct amplification *a, struct victim *v, nsec_t now)
{
    if (now - v->begun > a->victim_window) {
        memset((char *)v + offsetof(struct victim, begun), 0,
               sizeof *v - offsetof(struct victim, begun));
        v->begun = v->second_begun = now;
    }
    if (now - v->second_begun >= NSEC_S) {
        v->second_begun = now;
        v->second = 0;
    }
}

/* Where only one direction of the traffic is seen every answer is unasked: then they are small and
 * about everything. One small-worded server that tries many ports is poisoning's matter. */
static bool is_struck(const struct amplification *a, const struct victim *v)
{
    bool large = v->octets >= (uint64_t)v->answers * a->victim_octets;

    if (v->rate < a->victim_rate &&
        (v->answers < a->victim_rate || v->answers < (uint64_t)v->matched * a->victim_ratio))
        return false;
    if (!is_share(v->question.same, v->answers, a->victim_same_milli))
        return false;
    return large || __builtin_popcountll(v->servers) > 1;
}

static void accuse_victim(struct amplification *a, const struct victim *v,
                          const struct observation *o)
{
    struct tally_key key = {.client = v->addr, .zone = o->note.zone, .what = VICTIM};
    struct attack *k = attack_at(a, o, key);

    k->octets_out = v->octets;
    k->answers = v->answers;
    k->same = v->question.same;
    k->rate = v->rate;
    k->servers = __builtin_popcountll(v->servers);
    k->ports = __builtin_popcountll(v->ports);
    tally_add(a->base.tally, &k->item, k->item.total ? 1 : v->answers, o->time);
}

static uint64_t struck_bit(const struct observation *o)
{
    return UINT64_C(1) << o->note.who % 64;
}

static bool is_marked(const struct amplification *a, const struct observation *o)
{
    return (a->struck[o->note.who / 64] & struck_bit(o)) != 0;
}

static void mark(struct amplification *a, const struct observation *o, bool struck)
{
    if (is_marked(a, o) == struck)
        return;
    a->struck[o->note.who / 64] ^= struck_bit(o);
    a->struck_count += struck ? 1 : SIZE_MAX;
    if (a->struck_count)
        reader_adds(a->reader, READ_ANSWERED);
    else
        reader_drops(a->reader, READ_ANSWERED);
}

static void see_unasked(struct amplification *a, const struct observation *o)
{
    bool fresh;
    struct victim *v = table_insert(a->victims, &o->client, &fresh);

    mark(a, o, true);
    begin_window(a, v, o->time);
    v->answers++;
    v->second++;
    v->rate = v->second > v->rate ? v->second : v->rate;
    v->octets += o->dns.message.length;
    v->servers |= UINT64_C(1) << (hash_bytes(&o->server, sizeof o->server, 0) & 63);
    v->ports |= UINT64_C(1) << (hash_mix(o->client_port, 0) & 63);
    dominant_see(&v->question, question_of(o));
    if (v->question.item == question_of(o) && is_struck(a, v))
        accuse_victim(a, v, o);
}

static void see_matched(struct amplification *a, const struct observation *o)
{
    struct victim *v = table_find(a->victims, &o->client);

    if (v && o->time - v->begun <= a->victim_window)
        v->matched++;
    else
        mark(a, o, false);
}

static void amplification_observe(void *state, const struct observation *o)
{
    struct amplification *a = state;

    if (o->kind != OBSERVE_DNS)
        return;
    if (o->note.inside == INSIDE_SERVER)
        see_reflection(a, o);
    else if (o->dns.match == ANSWER_UNASKED && o->note.inside & INSIDE_CLIENT)
        see_unasked(a, o);
    else if (o->dns.match == ANSWER_MATCHED && is_marked(a, o))
        see_matched(a, o);
}

static size_t amplification_bytes(const void *state)
{
    const struct amplification *a = state;

    return tallied_bytes(a) + sizeof *a + table_bytes(a->reflections) + table_bytes(a->victims);
}

const struct detector detector_amplification = {.name = RULE,
                                                .reads = READ_STRANGERS | READ_DOUBTFUL,
                                                .create = amplification_create,
                                                .destroy = amplification_destroy,
                                                .use_policy = amplification_use_policy,
                                                .observe = amplification_observe,
                                                .tick = tallied_tick,
                                                .flush = tallied_flush,
                                                .bytes = amplification_bytes};
