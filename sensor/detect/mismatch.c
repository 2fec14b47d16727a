/* What does not fit its DNS port: no DNS on 53, no TLS on 853, encrypted DNS where nobody expects
 * it. Judged by what observe/ and classify/ found out, never by a port alone. */
#include <stdio.h>
#include <string.h>

#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE  "protocol-mismatch"
#define PAIRS 8192

enum mismatch_what { MISMATCH_NONE, NOT_DNS, NOT_SEALED, ODD_PORT };

struct pair {
    struct tally_item item; /* first; counts flows */
    struct sighting seen;
    uint64_t last_flow;
    uint8_t confidence;
    char name[256], alpn[32];
};

struct mismatch {
    struct tallied base; /* first */
    uint8_t confidence_min, severity_odd_port;
};

static const char *expected(enum mismatch_what what)
{
    static const char *const text[] = {"", "DNS", "TLS or QUIC", "port of its own"};

    return text[what];
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct mismatch *m = context;
    struct pair *p = (struct pair *)item;
    struct finding f;

    (void)now;
    if (addr_is_zero(&item->key.client))
        return; /* a scan: what it was is told by those before it */
    draft(&f, m->base.policy, RULE, KIND_PROTOCOL_MISMATCH, &p->seen, SEVERITY_LOW);
    tally_finding(item, &f);
    if (item->key.what == ODD_PORT)
        f.severity = m->severity_odd_port;
    f.confidence = p->confidence;
    f.excepted =
        policy_exception_for(m->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    snprintf(f.name, sizeof f.name, "%s", p->name);
    snprintf(f.alpn, sizeof f.alpn, "%s", p->alpn);
    evidence_string(&f.evidence, "expected", expected(item->key.what));
    evidence_string(&f.evidence, "seen", transport_name(p->seen.transport));
    evidence_integer(&f.evidence, "server_port", p->seen.server_port);
    evidence_integer(&f.evidence, "flows", (int64_t)item->total);
    tallied_say(&m->base, &f);
}

static void mismatch_use_policy(void *state, const struct policy *policy)
{
    struct mismatch *m = state;

    tallied_use_policy(m, policy);
    m->confidence_min = (uint8_t)policy_threshold(policy, RULE, "confidence_min", 80);
    m->severity_odd_port =
        (uint8_t)draft_severity(policy, RULE, "severity_odd_port", SEVERITY_INFORMATIONAL);
}

static void *mismatch_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct mismatch),
                                               .item_size = sizeof(struct pair),
                                               .capacity = PAIRS,
                                               .tell = tell};
    struct mismatch *m = tallied_create(&shape, setup);

    if (m)
        mismatch_use_policy(m, setup->policy);
    return m;
}

/* DoQ drafts used 784 and 8853 (draft-ietf-dprive-dnsoquic), Android and others DoH on 443 only. */
static bool is_own_port(unsigned transport, uint16_t port)
{
    switch (transport) {
    case TRANSPORT_DOT:
        return port == 853;
    case TRANSPORT_DOQ:
        return port == 853 || port == 784 || port == 8853;
    case TRANSPORT_DNSCRYPT:
        return port != 53;
    default:
        return port == 443;
    }
}

static enum mismatch_what judge(const struct mismatch *m, const struct observation *o)
{
    const struct flow_observation *flow = &o->flow;

    if (transport_is_sealed(o->transport))
        return flow->phase >= FLOW_IDENTIFIED && flow->confidence >= m->confidence_min &&
                       (flow->identified_by & (BY(BY_ALPN) | BY(BY_PAYLOAD))) &&
                       !is_own_port(o->transport, o->server_port)
                   ? ODD_PORT
                   : MISMATCH_NONE;
    if (!flow->payload_seen && !flow->server_spoke && flow->phase != FLOW_IDENTIFIED)
        return MISMATCH_NONE; /* a scan that opened the port and said nothing */
    if (o->server_port == 853 && (o->transport == TRANSPORT_OTHER ||
                                  (flow->phase == FLOW_FAILED && flow->cause == CAUSE_NOT_TLS)))
        return NOT_SEALED;
    if (o->server_port == 53 && (o->transport == TRANSPORT_OTHER || o->transport == TRANSPORT_TLS ||
                                 o->transport == TRANSPORT_QUIC))
        return NOT_DNS;
    return MISMATCH_NONE;
}

static void mismatch_observe(void *state, const struct observation *o)
{
    struct mismatch *m = state;
    struct tally_key key;
    enum mismatch_what what;
    struct pair *p;

    if (o->kind != OBSERVE_FLOW || o->flow.phase == FLOW_OPENED)
        return;
    what = judge(m, o);
    if (what == MISMATCH_NONE)
        return;
    key = (struct tally_key){.client = o->client,
                             .server = o->server,
                             .zone = o->note.zone,
                             .transport = o->transport,
                             .what = (uint8_t)what};
    p = (struct pair *)tally_at(m->base.tally, &key, o->time);
    if (p->item.total && p->last_flow == o->flow_id)
        return;
    p->last_flow = o->flow_id;
    p->seen = sighting_of(o);
    p->confidence = o->flow.confidence ? o->flow.confidence : 90;
    draft_text(p->name, sizeof p->name, o->flow.tls.sni);
    draft_text(p->alpn, sizeof p->alpn, o->flow.tls.alpn);
    tally_add(m->base.tally, &p->item, 1, o->time);
}

const struct detector detector_mismatch = {.name = RULE,
                                           .reads = READ_FLOWS,
                                           .create = mismatch_create,
                                           .destroy = tallied_destroy,
                                           .use_policy = mismatch_use_policy,
                                           .observe = mismatch_observe,
                                           .tick = tallied_tick,
                                           .flush = tallied_flush,
                                           .bytes = tallied_bytes};
