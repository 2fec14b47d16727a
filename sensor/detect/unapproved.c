/* Encrypted DNS to a resolver that the client's zone does not approve. An attempt that failed is
 * one too: it says what the client is set up for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"
#include "detect/draft.h"
#include "detect/pairing.h"
#include "detect/tally.h"

#define RULE         "unapproved-resolver"
#define PAIRS        32768
#define RECENT_FLOWS 4

struct pair {
    struct tally_item item; /* first; counts flows */
    struct sighting seen;
    uint64_t flow[RECENT_FLOWS]; /* counted already */
    uint8_t next_flow;
    uint8_t confidence, identified_by;
    uint8_t cause; /* of the last failure */
    bool excepted, worked, sni_outer;
    bool cut;    /* the kernel has it as a pair */
    bool proven; /* that it is cut: by the kernel's word */
    uint16_t tls_version;
    uint32_t failed;
    uint64_t queries;
    char name[256], alpn[32], ja3[33];
};

struct unapproved {
    const struct policy *policy;
    struct finding_sink sink;
    struct pair_sink pairs;
    const struct own_cuts *cuts;
    struct tally *tally;
    uint8_t confidence_min, severity_unknown;
};

static enum severity severity_of_pair(const struct unapproved *u, const struct pair *p,
                                      enum severity usual)
{
    bool known = p->seen.resolver >= 0 ||
                 (p->name[0] && !p->sni_outer && policy_resolver_named(u->policy, p->name) >= 0);

    if (p->excepted || p->item.key.zone == ZONE_GATEWAY)
        return SEVERITY_INFORMATIONAL;
    return known || u->severity_unknown > usual ? usual : u->severity_unknown;
}

/* What the kernel's rules do with it; a flow that worked under them was not cut, unless a pair
 * ended it. */
static enum action cut_of_pair(const struct unapproved *u, const struct pair *p)
{
    enum action cut = policy_kernel(u->policy, p->seen.zone, &p->seen.client, &p->seen.server,
                                    p->seen.server_port, p->seen.time);

    if (cut == ACTION_ALLOW && p->cut)
        cut = pairing_action(u->policy, &p->seen);
    else if (p->worked && u->policy->mode == MODE_ENFORCE &&
             policy_acts_on(u->policy, p->seen.zone, &p->seen.client))
        cut = ACTION_ALLOW;
    return cut == ACTION_ALLOW ? ACTION_ALERT : cut;
}

static void write_evidence(const struct unapproved *u, const struct pair *p, struct evidence *e)
{
    char words[96];

    draft_identified_by(p->identified_by, words, sizeof words);
    evidence_string(e, "identified_by", words);
    evidence_string(e, "transport", transport_name(p->seen.transport));
    evidence_string(e, "policy", action_name(draft_zone(u->policy, p->seen.zone)->unapproved));
    evidence_integer(e, "flows", (int64_t)p->item.total);
    evidence_integer(e, "flows_failed", p->failed);
    evidence_boolean(e, "worked", p->worked);
    if (!p->worked && p->failed)
        evidence_string(e, "failed_by", cause_name(p->cause));
    if (p->queries)
        evidence_integer(e, "queries", (int64_t)p->queries);
    if (p->seen.resolver >= 0 && (size_t)p->seen.resolver < u->policy->resolver_count)
        evidence_string(e, "server_is", u->policy->resolvers[p->seen.resolver].id);
    draft_sni(e, p->name, p->sni_outer);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct unapproved *u = context;
    struct pair *p = (struct pair *)item;
    struct finding f;

    (void)now;
    draft(&f, u->policy, RULE, KIND_UNAPPROVED_RESOLVER, &p->seen, SEVERITY_LOW);
    tally_finding(item, &f);
    f.severity = (uint8_t)severity_of_pair(u, p, f.severity);
    f.confidence = p->confidence;
    f.cut = (uint8_t)cut_of_pair(u, p);
    if (p->proven)
        draft_proven(&f);
    f.excepted = p->excepted;
    f.tls_version = p->tls_version;
    f.sni_outer = p->sni_outer;
    snprintf(f.name, sizeof f.name, "%s", p->name);
    snprintf(f.alpn, sizeof f.alpn, "%s", p->alpn);
    snprintf(f.ja3, sizeof f.ja3, "%s", p->ja3);
    write_evidence(u, p, &f.evidence);
    u->sink.put(u->sink.context, &f);
}

static void unapproved_use_policy(void *state, const struct policy *policy)
{
    struct unapproved *u = state;

    u->policy = policy;
    u->confidence_min = (uint8_t)policy_threshold(policy, RULE, "confidence_min", 60);
    u->severity_unknown =
        (uint8_t)draft_severity(policy, RULE, "severity_unknown", SEVERITY_MEDIUM);
}

static void unapproved_destroy(void *state)
{
    struct unapproved *u = state;

    tally_destroy(u->tally);
    free(u);
}

static void *unapproved_create(const struct detector_setup *setup)
{
    struct unapproved *u = calloc(1, sizeof *u);
    struct tally_shape shape = {.item_size = sizeof(struct pair),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed,
                                .idle = draft_idle(setup->policy, RULE),
                                .stats = setup->stats,
                                .tell = tell,
                                .context = u};

    if (!u)
        return NULL;
    u->sink = setup->sink;
    u->pairs = setup->pairs;
    u->cuts = setup->cuts;
    unapproved_use_policy(u, setup->policy);
    u->tally = tally_create(&shape);
    if (u->tally)
        return u;
    free(u);
    return NULL;
}

static void keep_facts(struct unapproved *u, struct pair *p, const struct observation *o)
{
    const struct flow_observation *flow = &o->flow;

    p->seen = sighting_of(o);
    p->identified_by |= flow->identified_by;
    if (flow->confidence > p->confidence)
        p->confidence = flow->confidence;
    if (flow->phase == FLOW_ESTABLISHED)
        p->worked = true;
    if (flow->phase == FLOW_FAILED) {
        p->failed++;
        p->cause = flow->cause;
    }
    p->queries += flow->queries;
    if (flow->tls.version)
        p->tls_version = flow->tls.version;
    if (flow->tls.sni[0])
        p->sni_outer = flow->tls.sni_outer;
    draft_text(p->name, sizeof p->name, flow->tls.sni);
    draft_text(p->alpn, sizeof p->alpn, flow->tls.alpn);
    draft_text(p->ja3, sizeof p->ja3, flow->tls.ja3);
    if (!p->proven)
        p->proven = own_cuts_of(u->cuts, o, flow->first ? flow->first : o->time) == OWN_CUT_ACTED;
    p->excepted =
        policy_exception_for(u->policy, &o->client, o->station, o->note.resolver, o->time) != NULL;
}

/* True once a flow, as long as few flows of one pair go on at a time. */
static bool is_new_flow(struct pair *p, uint64_t flow_id)
{
    for (int i = 0; i < RECENT_FLOWS; i++)
        if (p->flow[i] == flow_id)
            return false;
    p->flow[p->next_flow++ % RECENT_FLOWS] = flow_id;
    return true;
}

static struct tally_key key_of(const struct observation *o)
{
    return (struct tally_key){
        .client = o->client, .server = o->server, .zone = o->note.zone, .transport = o->transport};
}

static bool concerns(const struct unapproved *u, const struct observation *o)
{
    return o->kind == OBSERVE_FLOW && transport_is_sealed(o->transport) && !o->note.approved &&
           o->flow.phase != FLOW_OPENED && o->flow.confidence >= u->confidence_min;
}

static void unapproved_prefetch(const void *state, const struct observation *o)
{
    const struct unapproved *u = state;
    struct tally_key key = key_of(o);

    if (concerns(u, o))
        tally_prefetch(u->tally, &key, false);
}

static void unapproved_prefetch_entry(const void *state, const struct observation *o)
{
    const struct unapproved *u = state;
    struct tally_key key = key_of(o);

    if (concerns(u, o))
        tally_prefetch(u->tally, &key, true);
}

/* By the name in the hello alone: an address that others share proves nothing. And by one that the
 * client sent itself: a packet in its name must not cut it off. */
static void ask_for_pair(const struct unapproved *u, const struct pair *p,
                         const struct observation *o)
{
    if (o->flow.client_proven && o->flow.identified_by & BY(BY_SNI) && !o->flow.tls.sni_outer &&
        o->note.resolver >= 0 && o->server_port == 443)
        pairing_ask(&u->pairs, u->policy, &p->seen, PAIR_BY_NAME);
}

static void unapproved_observe(void *state, const struct observation *o)
{
    struct unapproved *u = state;
    struct tally_key key = key_of(o);
    struct pair *p;
    bool first;

    if (!concerns(u, o))
        return;
    if (draft_zone(u->policy, o->note.zone)->unapproved == ACTION_ALLOW)
        return;
    p = (struct pair *)tally_at(u->tally, &key, o->time);
    p->item.news |= o->flow.phase == FLOW_ESTABLISHED && !p->worked;
    keep_facts(u, p, o);
    ask_for_pair(u, p, o);
    first = is_new_flow(p, o->flow_id);
    if (first || p->item.news)
        tally_add(u->tally, &p->item, first, o->time);
}

/* Over whichever transport it was seen, both are cut. */
static void unapproved_cut(void *state, const struct observation *o)
{
    static const uint8_t transports[] = {TRANSPORT_DOH2, TRANSPORT_DOH3};
    struct unapproved *u = state;

    for (size_t i = 0; i < sizeof transports; i++) {
        struct tally_key key = key_of(o);
        struct pair *p;

        key.transport = transports[i];
        p = (struct pair *)tally_find(u->tally, &key);
        if (!p || p->cut || p->seen.server_port != o->server_port)
            continue;
        p->cut = p->item.news = true;
        tally_add(u->tally, &p->item, 0, o->time);
    }
}

static void unapproved_met(void *state, const struct observation *o)
{
    struct unapproved *u = state;
    struct tally_key key = key_of(o);
    struct pair *p = o->met.acted ? (struct pair *)tally_find(u->tally, &key) : NULL;

    if (!p || p->proven)
        return;
    p->proven = p->item.news = true;
    tally_add(u->tally, &p->item, 0, o->time);
}

static void unapproved_tick(void *state, nsec_t now)
{
    tally_tick(((struct unapproved *)state)->tally, now);
}

static void unapproved_flush(void *state, nsec_t now)
{
    tally_flush(((struct unapproved *)state)->tally, now);
}

static size_t unapproved_bytes(const void *state)
{
    const struct unapproved *u = state;

    return sizeof *u + tally_bytes(u->tally);
}

const struct detector detector_unapproved = {.name = RULE,
                                             .reads = READ_FLOWS,
                                             .create = unapproved_create,
                                             .destroy = unapproved_destroy,
                                             .use_policy = unapproved_use_policy,
                                             .observe = unapproved_observe,
                                             .met = unapproved_met,
                                             .tick = unapproved_tick,
                                             .flush = unapproved_flush,
                                             .cut = unapproved_cut,
                                             .bytes = unapproved_bytes,
                                             .prefetch = unapproved_prefetch,
                                             .prefetch_entry = unapproved_prefetch_entry};
