/* A resolver that no name and no address gives away: DNS over HTTPS told by the lengths and times
 * of records (rules/detections/hidden-resolver.yaml holds the tree and what it was measured on).
 * One flow proves nothing, so the verdict is on a server: several flows of several clients, or many
 * of one. A probe that gets an answer settles it; one that gets none silences it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/draft.h"
#include "detect/pairing.h"
#include "detect/tallied.h"

#define RULE    "hidden-resolver"
#define SERVERS 4096
#define PAIRS   8192
#define FLOWS   8 /* of a server, that behave like DNS: the latest */

struct server_key {
    struct addr address;
    uint16_t port;
    uint8_t zero[6];
};

/* A flow that behaves like DNS. */
struct suspect {
    struct sighting seen; /* time 0: none */
    struct behaviour behaviour;
    uint32_t who, tenure;
    uint8_t confidence, leaf;
    bool told;
};

struct server {
    struct server_key key; /* first */
    struct suspect flow[FLOWS];
    nsec_t counted; /* where the counting began */
    uint32_t likely, others;
    nsec_t probed; /* 0: never */
    bool confirmed, sni_outer;
    uint16_t tls_version;
    char name[256], alpn[32];
};

struct pair {
    struct tally_item item; /* first; counts flows */
    struct sighting seen;
    struct behaviour behaviour; /* of the last flow */
    uint16_t tls_version;
    uint8_t confidence, leaf, flows, clients;
    bool probed, sni_outer, cut;
    uint32_t likely, others;
    char name[256], alpn[32];
};

struct hidden {
    struct tallied base; /* first */
    struct table *servers;
    struct pair_sink pairs;
    const struct decision_tree *tree;
    nsec_t window, denied;
    uint32_t flows_several, clients_several, flows_one, share_min;
    uint8_t confidence_min, confidence_probe;
};

/* --- what is told ---------------------------------------------------------------------------- */

static void write_evidence(const struct hidden *h, const struct pair *p, struct evidence *e)
{
    char words[96];

    draft_identified_by(BY(BY_BEHAVIOUR) | (p->probed ? BY(BY_PROBE) : 0), words, sizeof words);
    evidence_string(e, "identified_by", words);
    evidence_string(e, "transport", transport_name(p->seen.transport));
    evidence_string(e, "policy", action_name(draft_zone(h->base.policy, p->seen.zone)->unapproved));
    evidence_integer(e, "flows", (int64_t)p->item.total);
    evidence_integer(e, "server_flows", p->likely);
    evidence_integer(e, "server_flows_other", p->others);
    evidence_integer(e, "server_clients", p->clients);
    evidence_integer(e, "leaf", p->leaf);
    draft_sni(e, p->name, p->sni_outer);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        evidence_integer(e, feature_name(i), p->behaviour.feature[i]);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct hidden *h = context;
    struct pair *p = (struct pair *)item;
    struct finding f;

    (void)now;
    draft(&f, h->base.policy, RULE, KIND_UNAPPROVED_RESOLVER, &p->seen, SEVERITY_MEDIUM);
    tally_finding(item, &f);
    f.confidence = p->probed ? h->confidence_probe : p->confidence;
    f.excepted =
        policy_exception_for(h->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    if (p->cut && pairing_action(h->base.policy, &p->seen) != ACTION_ALLOW)
        f.cut = (uint8_t)pairing_action(h->base.policy, &p->seen);
    if (f.excepted || item->key.zone == ZONE_GATEWAY)
        f.severity = SEVERITY_INFORMATIONAL;
    f.tls_version = p->tls_version;
    f.sni_outer = p->sni_outer;
    snprintf(f.name, sizeof f.name, "%s", p->name);
    snprintf(f.alpn, sizeof f.alpn, "%s", p->alpn);
    write_evidence(h, p, &f.evidence);
    tallied_say(&h->base, &f);
}

/* --- the verdict on a server ----------------------------------------------------------------- */

static bool is_live(const struct hidden *h, const struct suspect *s, nsec_t now)
{
    return s->seen.time && now - s->seen.time < h->window;
}

static uint32_t flows_of_client(const struct hidden *h, const struct server *s, size_t which,
                                nsec_t now)
{
    uint32_t n = 0;

    for (size_t i = 0; i < FLOWS; i++)
        n += is_live(h, s->flow + i, now) && s->flow[i].who == s->flow[which].who &&
             s->flow[i].tenure == s->flow[which].tenure;
    return n;
}

/* Flows and clients within the window, and the most flows that one client has. */
struct weight {
    uint32_t flows, clients, most, confidence;
};

static struct weight weigh(const struct hidden *h, const struct server *s, nsec_t now)
{
    struct weight w = {0};

    for (size_t i = 0; i < FLOWS; i++) {
        uint32_t n;
        bool counted = false;

        if (!is_live(h, s->flow + i, now))
            continue;
        n = flows_of_client(h, s, i, now);
        for (size_t k = 0; k < i; k++)
            counted |= is_live(h, s->flow + k, now) && s->flow[k].who == s->flow[i].who &&
                       s->flow[k].tenure == s->flow[i].tenure;
        w.clients += !counted;
        w.flows++;
        w.most = n > w.most ? n : w.most;
        w.confidence += s->flow[i].confidence;
    }
    w.confidence = w.flows ? w.confidence / w.flows : 0;
    return w;
}

static bool is_resolver(const struct hidden *h, const struct server *s, const struct weight *w,
                        nsec_t now)
{
    if (s->confirmed)
        return w->flows > 0;
    if (s->probed && now - s->probed < h->denied)
        return false;
    if ((uint64_t)s->likely * 1000 < (uint64_t)h->share_min * (s->likely + s->others))
        return false;
    return (w->flows >= h->flows_several && w->clients >= h->clients_several) ||
           w->most >= h->flows_one;
}

static uint8_t sealed_transport(uint8_t proto)
{
    return proto == 17 ? TRANSPORT_DOH3 : TRANSPORT_DOH2;
}

static struct pair *pair_of(struct hidden *h, const struct sighting *seen)
{
    struct tally_key key = {.client = seen->client,
                            .server = seen->server,
                            .zone = seen->zone,
                            .transport = seen->transport};

    return (struct pair *)tally_at(h->base.tally, &key, seen->time);
}

/* n flows more of the pair, or news of its server. */
static void count_flow(struct hidden *h, const struct server *s, struct suspect *flow,
                       const struct weight *w, uint32_t n)
{
    struct pair *p;

    flow->told = true;
    if (draft_zone(h->base.policy, flow->seen.zone)->unapproved == ACTION_ALLOW)
        return;
    p = pair_of(h, &flow->seen);
    p->item.news |= s->confirmed && !p->probed;
    p->seen = flow->seen;
    if (s->confirmed && h->base.policy->pairs.hidden && (n || p->item.news))
        pairing_ask(&h->pairs, h->base.policy, &p->seen, PAIR_BY_PROBE);
    p->behaviour = flow->behaviour;
    p->confidence = (uint8_t)w->confidence;
    p->leaf = flow->leaf;
    p->clients = (uint8_t)w->clients;
    p->likely = s->likely;
    p->others = s->others;
    p->probed = s->confirmed;
    p->tls_version = s->tls_version;
    p->sni_outer = s->sni_outer;
    draft_text(p->name, sizeof p->name, s->name);
    draft_text(p->alpn, sizeof p->alpn, s->alpn);
    if (n || p->item.news)
        tally_add(h->base.tally, &p->item, n, flow->seen.time);
}

/* Every client whose flows led to the verdict is told of. */
static void settle(struct hidden *h, struct server *s, nsec_t now)
{
    struct weight w = weigh(h, s, now);

    if (!is_resolver(h, s, &w, now))
        return;
    for (size_t i = 0; i < FLOWS; i++)
        if (is_live(h, s->flow + i, now))
            count_flow(h, s, s->flow + i, &w, s->flow[i].told ? 0 : 1);
}

/* --- what is seen ---------------------------------------------------------------------------- */

static struct server_key key_of(const struct observation *o)
{
    return (struct server_key){.address = o->server, .port = o->server_port};
}

/* By its address, or by its name where nobody knows its addresses. */
static bool is_approved(const struct policy *p, const struct observation *o)
{
    int16_t at = policy_resolver_at(p, &o->server, NULL), named = o->note.resolver;

    if (policy_approves_any(p, o->note.zone, at, TRANSPORTS_SEALED))
        return true;
    return named >= 0 && (size_t)named < p->resolver_count &&
           p->resolvers[named].address_count == 0 &&
           policy_approves_any(p, o->note.zone, named, TRANSPORTS_SEALED);
}

static void start_counting(const struct hidden *h, struct server *s, nsec_t now)
{
    if (s->counted && now - s->counted < h->window)
        return;
    s->counted = now;
    s->likely = s->others = 0;
}

/* A flow that behaves otherwise; what it seemed to be before does not count. */
static void see_other(struct hidden *h, const struct observation *o)
{
    struct server_key key = key_of(o);
    struct server *s = table_find(h->servers, &key);

    if (!s)
        return;
    start_counting(h, s, o->time);
    for (size_t i = 0; i < FLOWS; i++)
        if (s->flow[i].seen.time && s->flow[i].seen.flow_id == o->flow_id) {
            s->flow[i].seen.time = 0;
            s->likely -= s->likely > 0;
        }
    s->others++;
}

/* The place of this flow, or of the oldest. */
static struct suspect *place_of(struct server *s, uint64_t flow_id, bool *fresh)
{
    struct suspect *oldest = s->flow;

    *fresh = false;
    for (size_t i = 0; i < FLOWS; i++) {
        if (s->flow[i].seen.time && s->flow[i].seen.flow_id == flow_id)
            return s->flow + i;
        if (s->flow[i].seen.time < oldest->seen.time)
            oldest = s->flow + i;
    }
    *fresh = true;
    return oldest;
}

static void see_likely(struct hidden *h, const struct observation *o, uint8_t confidence,
                       unsigned leaf)
{
    struct server_key key = key_of(o);
    struct server *s;
    struct suspect *flow;
    bool fresh;

    s = table_insert(h->servers, &key, &fresh);
    start_counting(h, s, o->time);
    flow = place_of(s, o->flow_id, &fresh);
    s->likely += fresh;
    *flow = (struct suspect){.seen = sighting_of(o),
                             .behaviour = o->flow.behaviour,
                             .who = o->note.who,
                             .tenure = o->note.tenure,
                             .confidence = confidence,
                             .leaf = (uint8_t)leaf,
                             .told = !fresh && flow->told};
    flow->seen.transport = sealed_transport(o->proto);
    s->tls_version = o->flow.tls.version;
    s->sni_outer = o->flow.tls.sni_outer;
    draft_text(s->name, sizeof s->name, o->flow.tls.sni);
    draft_text(s->alpn, sizeof s->alpn, o->flow.tls.alpn);
    settle(h, s, o->time);
}

static void hidden_observe(void *state, const struct observation *o)
{
    struct hidden *h = state;
    unsigned leaf;
    uint8_t confidence;

    if (o->kind != OBSERVE_FLOW ||
        (o->transport != TRANSPORT_TLS && o->transport != TRANSPORT_QUIC))
        return;
    if (o->flow.phase == FLOW_CLOSED && o->flow.bulky) {
        see_other(h, o);
    } else if (o->flow.phase == FLOW_BEHAVIOUR && h->tree && !is_approved(h->base.policy, o)) {
        confidence = decision_judge(h->tree, &o->flow.behaviour, &leaf);
        if (confidence >= h->confidence_min)
            see_likely(h, o, confidence, leaf);
        else
            see_other(h, o);
    }
}

/* No answer is a denial only where a handshake showed that somebody is there. */
static void hidden_probed(void *state, const struct observation *o)
{
    const struct probe_observation *p = &o->probe;
    struct hidden *h = state;
    struct server_key key = key_of(o);
    bool answers = p->post_works || p->get_works, fresh;
    struct server *s;

    if ((o->transport != TRANSPORT_DOH2 && o->transport != TRANSPORT_DOH3) ||
        (!answers && !p->encrypted))
        return;
    s = table_insert(h->servers, &key, &fresh);
    s->probed = o->time;
    s->confirmed = answers;
    settle(h, s, o->time);
}

/* Nothing is cut by behaviour alone: there was a probe, and the policy says so. */
static void hidden_cut(void *state, const struct observation *o)
{
    static const uint8_t protocols[] = {6, 17};
    struct hidden *h = state;

    for (size_t i = 0; i < sizeof protocols; i++) {
        struct tally_key key = {.client = o->client,
                                .server = o->server,
                                .zone = o->note.zone,
                                .transport = sealed_transport(protocols[i])};
        struct pair *p = (struct pair *)tally_find(h->base.tally, &key);

        if (!p || p->cut || p->seen.server_port != o->server_port)
            continue;
        p->cut = p->item.news = true;
        tally_add(h->base.tally, &p->item, 0, o->time);
    }
}

/* --- the detector ---------------------------------------------------------------------------- */

static uint32_t number(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, RULE, name, otherwise);

    return (uint32_t)(value > 0 && value <= INT32_MAX ? value : otherwise);
}

static void hidden_use_policy(void *state, const struct policy *policy)
{
    struct hidden *h = state;
    const struct policy_detection *d = policy_detection_named(policy, RULE);

    tallied_use_policy(h, policy);
    h->tree = d && d->tree.count ? &d->tree : NULL;
    h->window = number(policy, "window_s", 86400) * NSEC_S;
    h->denied = number(policy, "denied_s", 86400) * NSEC_S;
    h->flows_several = number(policy, "flows_several", 3);
    h->clients_several = number(policy, "clients_several", 2);
    h->flows_one = number(policy, "flows_one", 5);
    h->share_min = number(policy, "share_min_milli", 500);
    h->confidence_min = (uint8_t)number(policy, "confidence_min", 60);
    h->confidence_probe = (uint8_t)number(policy, "confidence_probe", 98);
}

static void hidden_destroy(void *state)
{
    struct hidden *h = state;

    table_destroy(h->servers);
    tallied_destroy(h);
}

static void forget_server(void *context, void *entry)
{
    struct hidden *h = context;

    (void)entry;
    if (h->base.stats)
        h->base.stats->state_evicted++;
}

static void *hidden_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct hidden),
                                               .item_size = sizeof(struct pair),
                                               .capacity = PAIRS,
                                               .tell = tell};
    struct hidden *h = tallied_create(&shape, setup);
    struct table_shape servers = {.entry_size = sizeof(struct server),
                                  .key_size = sizeof(struct server_key),
                                  .capacity = bounds_share(setup->bounds, SERVERS),
                                  .seed = setup->seed,
                                  .evicted = forget_server,
                                  .context = h};

    if (!h)
        return NULL;
    h->pairs = setup->pairs;
    h->servers = table_create(&servers);
    if (!h->servers) {
        tallied_destroy(h);
        return NULL;
    }
    hidden_use_policy(h, setup->policy);
    return h;
}

static size_t hidden_bytes(const void *state)
{
    const struct hidden *h = state;

    return sizeof *h + table_bytes(h->servers) + tallied_bytes(h);
}

const struct detector detector_hidden_resolver = {.name = RULE,
                                                  .reads = READ_FLOWS,
                                                  .create = hidden_create,
                                                  .destroy = hidden_destroy,
                                                  .use_policy = hidden_use_policy,
                                                  .observe = hidden_observe,
                                                  .probed = hidden_probed,
                                                  .cut = hidden_cut,
                                                  .tick = tallied_tick,
                                                  .flush = tallied_flush,
                                                  .bytes = hidden_bytes};
