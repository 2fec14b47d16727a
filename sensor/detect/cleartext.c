/* DNS in clear text against the policy of the client's zone. Runs for every query: what the policy
 * means for a client and a server is asked once a second, not for each query. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"
#include "detect/draft.h"
#include "detect/slots.h"
#include "detect/tally.h"
#include "model/known_names.h"

#define RULE    "cleartext"
#define PAIRS   32768
#define SAMPLES 3
#define SERVERS 2 /* that a client asks in turns */

enum { PAIR, EXCEPTED }; /* tally_key.what */

/* What every query touches stands in front. */
struct pair {
    struct tally_item item; /* first */
    nsec_t checked;         /* action and excepted are as of this time */
    uint8_t action;
    bool excepted;
    bool proven; /* that it is cut: by the kernel's word */
    uint8_t samples;
    uint16_t qtype;
    uint32_t generation; /* of the policy that was asked */
    uint32_t sample_hash[SAMPLES];
    struct sighting seen;
    char name[256];               /* the first question */
    char sample[SAMPLES - 1][64]; /* further ones */
} __attribute__((aligned(64)));

struct asked {
    struct addr server;
    uint32_t place;      /* of the pair (base/table.h) */
    uint32_t generation; /* of the policy by which it is asked against the rules */
};

/* Where a client's pairs are: most ask the same servers all day. */
struct asker {
    struct slot slot; /* first */
    uint32_t next;
    struct asked asked[SERVERS];
};

struct cleartext {
    const struct policy *policy;
    struct finding_sink sink;
    const struct own_cuts *cuts;
    struct tally *tally;
    struct slots *askers;
    uint32_t generation;
    uint64_t many;
    uint8_t severity_gateway, severity_many;
};

static enum severity severity_of_pair(const struct cleartext *c, const struct pair *p,
                                      enum severity usual)
{
    if (p->excepted)
        return SEVERITY_INFORMATIONAL;
    if (p->item.key.zone == ZONE_GATEWAY)
        return c->severity_gateway;
    if (p->action > ACTION_ALERT || p->item.total >= c->many)
        return c->severity_many < usual ? c->severity_many : usual;
    return usual;
}

static void write_evidence(const struct cleartext *c, const struct pair *p, struct evidence *e)
{
    char text[sizeof p->name + sizeof p->sample];
    size_t used = 0;

    evidence_string(e, "policy", action_name(p->action));
    evidence_integer(e, "queries", (int64_t)p->item.total);
    evidence_string(e, "transport", transport_name(p->seen.transport));
    if (p->seen.resolver >= 0 && (size_t)p->seen.resolver < c->policy->resolver_count)
        evidence_string(e, "server_is", c->policy->resolvers[p->seen.resolver].id);
    else if (policy_is_gateway(c->policy, &p->seen.server))
        evidence_string(e, "server_is", "gateway");
    else
        evidence_string(e, "server_is", addr_is_private(&p->seen.server) ? "internal" : "unknown");
    if (p->seen.roles & ROLE_RECURSIVE)
        evidence_string(e, "client_is", "recursive resolver");
    else if (p->seen.roles & (ROLE_FORWARDER | ROLE_GATEWAY))
        evidence_string(e, "client_is", p->seen.roles & ROLE_GATEWAY ? "gateway" : "forwarder");
    if (p->samples)
        used = (size_t)snprintf(text, sizeof text, "%s", p->name);
    for (int i = 1; i < p->samples && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s", p->sample[i - 1]);
    if (p->samples)
        evidence_string(e, "names", text);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct cleartext *c = context;
    struct pair *p = (struct pair *)item;
    struct finding f;

    (void)now;
    draft(&f, c->policy, RULE, KIND_CLEARTEXT, &p->seen, SEVERITY_LOW);
    tally_finding(item, &f);
    f.severity = (uint8_t)severity_of_pair(c, p, f.severity);
    f.cut = p->action;
    if (p->proven)
        draft_proven(&f);
    f.query = true;
    f.excepted = p->excepted;
    f.qtype = p->qtype;
    snprintf(f.name, sizeof f.name, "%s", p->name);
    write_evidence(c, p, &f.evidence);
    c->sink.put(c->sink.context, &f);
}

static void read_policy(struct cleartext *c, const struct policy *p)
{
    c->policy = p;
    c->generation++;
    c->many = (uint64_t)policy_threshold(p, RULE, "many_queries", 1000);
    c->severity_gateway =
        (uint8_t)draft_severity(p, RULE, "severity_gateway", SEVERITY_INFORMATIONAL);
    c->severity_many = (uint8_t)draft_severity(p, RULE, "severity_many", SEVERITY_MEDIUM);
}

static void cleartext_destroy(void *state)
{
    struct cleartext *c = state;

    tally_destroy(c->tally);
    slots_destroy(c->askers);
    free(c);
}

static void *cleartext_create(const struct detector_setup *setup)
{
    struct cleartext *c = calloc(1, sizeof *c);
    struct tally_shape shape = {.item_size = sizeof(struct pair),
                                .hot = offsetof(struct pair, name),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed,
                                .idle = draft_idle(setup->policy, RULE),
                                .stats = setup->stats,
                                .tell = tell,
                                .context = c};
    static const struct slots_shape askers = {.entry_size = sizeof(struct asker)};

    if (!c)
        return NULL;
    c->sink = setup->sink;
    c->cuts = setup->cuts;
    read_policy(c, setup->policy);
    c->tally = tally_create(&shape);
    c->askers = slots_create(&askers, setup->record);
    if (c->tally && c->askers)
        return c;
    cleartext_destroy(c);
    return NULL;
}

static void cleartext_use_policy(void *state, const struct policy *policy)
{
    read_policy(state, policy);
}

/* Zones that let strict clients start: the names of approved resolvers may be asked in clear. */
static bool is_bootstrap(const struct cleartext *c, const struct policy_zone *zone,
                         const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    if (!zone->bootstrap || o->note.name_class != NAME_RESOLVER)
        return false;
    if (m->qtype != DNS_TYPE_A && m->qtype != DNS_TYPE_AAAA && m->qtype != DNS_TYPE_HTTPS &&
        m->qtype != DNS_TYPE_SVCB)
        return false;
    return policy_approves_any(c->policy, o->note.zone, o->note.named, TRANSPORTS_SEALED);
}

static void ask_policy(const struct cleartext *c, const struct policy_zone *zone, struct pair *p,
                       const struct observation *o)
{
    if (p->generation == c->generation && o->time >= p->checked && o->time < p->checked + NSEC_S)
        return;
    p->generation = c->generation;
    p->checked = o->time;
    p->seen = sighting_of(o);
    p->action = zone->cleartext;
    if (zone->cleartext == ACTION_REDIRECT) /* or not: to and from the target, or of one family */
        p->action = policy_cleartext(c->policy, o->note.zone, &o->client, &o->server, o->time);
    p->excepted =
        c->policy->exception_count != 0 &&
        policy_exception_for(c->policy, &o->client, o->station, o->note.resolver, o->time) != NULL;
}

/* The first names, told apart by hash; only a new one is put into words. */
static void keep_name(struct pair *p, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t hash = (uint32_t)o->dns.qname_hash;

    if (p->samples >= SAMPLES || !m->has_question)
        return;
    for (int i = 0; i < p->samples; i++)
        if (p->sample_hash[i] == hash)
            return;
    if (p->samples == 0) {
        draft_name(m, p->name, sizeof p->name);
        p->qtype = m->qtype;
    } else {
        draft_name(m, p->sample[p->samples - 1], sizeof p->sample[0]);
    }
    p->sample_hash[p->samples++] = hash;
}

static struct tally_key key_of(const struct observation *o)
{
    return (struct tally_key){
        .client = o->client, .server = o->server, .zone = o->note.zone, .what = PAIR};
}

/* The last server of all gives way to a new one. */
static struct asked *meet(struct asker *a, const struct addr *server)
{
    struct asked *asked = &a->asked[a->next++ % SERVERS];

    *asked = (struct asked){.server = *server};
    return asked;
}

static inline struct asked *asked_of(struct asker *a, const struct addr *server)
{
    for (int i = 0; i < SERVERS; i++)
        if (addr_equal(&a->asked[i].server, server))
            return &a->asked[i];
    return NULL;
}

static void count_query(struct cleartext *c, const struct policy_zone *zone,
                        const struct observation *o, struct asked *asked)
{
    struct tally_key key = key_of(o);
    struct pair *p = (struct pair *)tally_again(c->tally, &asked->place, &key, o->time);

    ask_policy(c, zone, p, o);
    if (p->excepted && !addr_is_zero(&p->item.key.client)) {
        key.what = EXCEPTED; /* an auditor wants to see the client, once */
        memset(&key.server, 0, sizeof key.server);
        p = (struct pair *)tally_at(c->tally, &key, o->time);
        ask_policy(c, zone, p, o);
    }
    if (!p->proven && p->action > ACTION_ALERT)
        p->proven = own_cuts_of(c->cuts, o, o->time) == OWN_CUT_ACTED;
    keep_name(p, o);
    p->item.news |= p->item.total + 1 == c->many; /* graver from here on */
    tally_add(c->tally, &p->item, 1, o->time);
}

static void cleartext_prefetch_entry(const void *state, const struct observation *o)
{
    const struct cleartext *c = state;
    struct asker *a = slots_find(c->askers, o->note.who, o->note.tenure);
    const struct asked *asked = a ? asked_of(a, &o->server) : NULL;
    struct tally_key key;

    if (asked && asked->place) {
        tally_prefetch_at(c->tally, asked->place);
        return;
    }
    key = key_of(o);
    tally_prefetch(c->tally, &key, false);
}

static void cleartext_observe(void *state, const struct observation *o)
{
    struct cleartext *c = state;
    const struct policy_zone *zone;
    struct asked *asked;
    struct asker *a;

    if (o->note.approved)
        return;
    zone = draft_zone(c->policy, o->note.zone);
    if (zone->cleartext == ACTION_ALLOW || is_bootstrap(c, zone, o))
        return;
    a = slots_at(c->askers, &o->note, NULL);
    asked = asked_of(a, &o->server);
    if (!asked || asked->generation != c->generation) {
        if (zone->gateway_resolver && policy_is_gateway(c->policy, &o->server))
            return;
        asked = asked ? asked : meet(a, &o->server);
        asked->generation = c->generation;
    }
    count_query(c, zone, o, asked);
}

static void cleartext_met(void *state, const struct observation *o)
{
    struct cleartext *c = state;
    struct tally_key key = key_of(o);
    struct pair *p = o->met.acted ? (struct pair *)tally_find(c->tally, &key) : NULL;

    if (!p || p->proven)
        return;
    p->proven = p->item.news = true;
    tally_add(c->tally, &p->item, 0, o->time);
}

static void cleartext_tick(void *state, nsec_t now)
{
    tally_tick(((struct cleartext *)state)->tally, now);
}

static void cleartext_flush(void *state, nsec_t now)
{
    tally_flush(((struct cleartext *)state)->tally, now);
}

static size_t cleartext_bytes(const void *state)
{
    const struct cleartext *c = state;

    return sizeof *c + tally_bytes(c->tally) + slots_bytes(c->askers);
}

const struct detector detector_cleartext = {.name = RULE,
                                            .reads = READ_UNAPPROVED,
                                            .create = cleartext_create,
                                            .destroy = cleartext_destroy,
                                            .use_policy = cleartext_use_policy,
                                            .observe = cleartext_observe,
                                            .met = cleartext_met,
                                            .tick = cleartext_tick,
                                            .flush = cleartext_flush,
                                            .bytes = cleartext_bytes,
                                            .prefetch_entry = cleartext_prefetch_entry};
