/* A stage for the tests of detect/ and decide/: a small policy, observations made by hand, and a
 * sink that keeps the findings. */
#ifndef SEALDNS_TESTS_DETECT_SCENE_H
#define SEALDNS_TESTS_DETECT_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "detect/detect.h"
#include "detect/draft.h"
#include "model/known_names.h"

#define FINDINGS   256
#define T0         (INT64_C(1795262400) * NSEC_S)
#define MS         NSEC_MS
#define SCENE_SEED 7 /* one for all that hash: names are compared */
#define S          NSEC_S

enum { ZONE_OFFICE = 2, ZONE_LAB = 3, ZONE_FREE = 4 };
enum { QUAD9 = 0, CORP = 1, OTHER = 2 };

struct scene {
    struct policy *policy;
    struct stats stats;
    const struct detector *detector;
    void *state;
    struct own_cuts *cuts;
    struct readers readers;
    struct slots_record record;
    size_t count;
    struct finding found[FINDINGS];
    size_t pair_count;
    struct cut_pair pair; /* the last that was asked for */
};

static inline struct addr at(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static inline char **one_text(const char *text)
{
    char **list = calloc(1, sizeof *list);

    list[0] = strdup(text);
    return list;
}

static inline void scene_resolver(struct policy_resolver *r, const char *id, const char *name,
                                  const char *four, const char *six)
{
    snprintf(r->id, sizeof r->id, "%s", id);
    r->names = one_text(name);
    r->name_count = 1;
    r->addresses = calloc(2, sizeof *r->addresses);
    r->addresses[0].addr = at(four);
    r->addresses[1].addr = at(six);
    r->address_count = 2;
    r->transports = 1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ | 1u << TRANSPORT_DOH2;
}

static inline void scene_zone(struct policy_zone *z, const char *id, const char *network,
                              enum action action)
{
    snprintf(z->id, sizeof z->id, "%s", id);
    z->cleartext = z->unapproved = action;
    z->gateway_resolver = true;
    z->bootstrap = true;
    if (!network)
        return;
    z->networks = calloc(1, sizeof *z->networks);
    assert_int_equal(prefix_parse(network, z->networks), 0);
    z->network_count = 1;
}

/* Zones: default and gateway (alert), office 10.20.0.0/16 (reject, approves quad9 and corp; corp
 * may be asked in clear), lab 10.30.0.0/16 (alert, the same approvals), free 10.40.0.0/16 (allow).
 * Exception: 10.20.9.9. Gateway: 10.20.0.1. */
static inline struct policy *scene_policy(void)
{
    struct policy *p = calloc(1, sizeof *p);

    snprintf(p->name, sizeof p->name, "gw-test");
    p->resolvers = calloc(3, sizeof *p->resolvers);
    p->resolver_count = 3;
    scene_resolver(p->resolvers + QUAD9, "quad9", "dns.quad9.net", "9.9.9.9", "2620:fe::fe");
    scene_resolver(p->resolvers + CORP, "corp", "dns.corp.example", "203.0.113.1", "2001:db8::1");
    scene_resolver(p->resolvers + OTHER, "google", "dns.google", "8.8.8.8", "2001:4860:4860::8888");
    p->resolvers[CORP].transports |= 1u << TRANSPORT_DO53_UDP | 1u << TRANSPORT_DO53_TCP;
    p->zones = calloc(5, sizeof *p->zones);
    p->zone_count = 5;
    scene_zone(p->zones + ZONE_DEFAULT, "default", NULL, ACTION_ALERT);
    scene_zone(p->zones + ZONE_GATEWAY, "gateway", NULL, ACTION_ALERT);
    scene_zone(p->zones + ZONE_OFFICE, "office", "10.20.0.0/16", ACTION_REJECT);
    scene_zone(p->zones + ZONE_LAB, "lab", "10.30.0.0/16", ACTION_ALERT);
    scene_zone(p->zones + ZONE_FREE, "free", "10.40.0.0/16", ACTION_ALLOW);
    for (int zone = ZONE_OFFICE; zone <= ZONE_LAB; zone++) {
        p->zones[zone].approve = calloc(2, sizeof(int16_t));
        p->zones[zone].approve[0] = QUAD9;
        p->zones[zone].approve[1] = CORP;
        p->zones[zone].approve_count = 2;
    }
    p->exceptions = calloc(1, sizeof *p->exceptions);
    p->exception_count = 1;
    p->exceptions[0] = (struct policy_exception){
        .client = {at("10.20.9.9"), 128}, .resolver = -1, .until = T0 + 86400 * S};
    p->gateway = calloc(1, sizeof *p->gateway);
    p->gateway[0] = at("10.20.0.1");
    p->gateway_count = 1;
    p->internal_domains = one_text("intra.example");
    p->internal_domain_count = 1;
    assert_int_equal(policy_compile(p), 0);
    return p;
}

static inline void scene_put(void *context, struct finding *f)
{
    struct scene *s = context;

    assert_true(s->count < FINDINGS);
    s->found[s->count++] = *f;
}

static inline void scene_put_pair(void *context, const struct cut_pair *p)
{
    struct scene *s = context;

    s->pair = *p;
    s->pair_count++;
}

static inline void scene_open(struct scene *s, const struct detector *detector)
{
    struct detector_setup setup;

    memset(s, 0, sizeof *s);
    s->policy = scene_policy();
    s->detector = detector;
    s->cuts = own_cuts_create(SCENE_SEED);
    assert_non_null(s->cuts);
    setup = (struct detector_setup){.policy = s->policy,
                                    .sink = {scene_put, s},
                                    .pairs = {scene_put_pair, s},
                                    .stats = &s->stats,
                                    .seed = SCENE_SEED,
                                    .cuts = s->cuts,
                                    .reader = {&s->readers, 1},
                                    .record = &s->record};
    reader_adds(setup.reader, detector->reads ? detector->reads & ~READ_RARE : READ_ALL);
    s->state = detector->create(&setup);
    assert_non_null(s->state);
    assert_true(slots_record_open(&s->record));
    assert_true(detector->bytes(s->state) < 72u << 20);
}

static inline void scene_close(struct scene *s)
{
    s->detector->destroy(s->state);
    slots_record_close(&s->record);
    own_cuts_destroy(s->cuts);
    policy_destroy(s->policy);
}

/* The last two labels of a name: what a test's names need of the public suffix list. */
static inline void scene_domain(struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    unsigned at = 0, last = 0, before = 0;

    for (; at < m->qname_length && m->qname[at]; at += m->qname[at] + 1U) {
        before = last;
        last = at;
    }
    o->note.domain = (uint8_t)(last ? before : at);
    o->note.domain_hash =
        last ? hash_bytes(m->qname + before, (size_t)m->qname_length - before, 0) & ~UINT64_C(255)
             : 0;
}

static inline void scene_class(const struct policy *p, struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    struct known_names *names = known_names_create(p);

    assert_non_null(names);
    o->note.name_class =
        (uint8_t)known_names_class(names, m->qname, m->qname_length, &o->note.named);
    o->note.no_domain = name_is_no_domain(m->qname, m->qname_length);
    known_names_destroy(names);
}

/* What account/ does: who, zone, resolver, approved, domain, the name's class. */
static inline void scene_note(const struct policy *p, struct observation *o)
{
    uint64_t who = hash_bytes(&o->client, sizeof o->client, 0);

    o->note.who = (uint32_t)(who % CLIENTS_MOST);
    o->note.tenure = (uint32_t)(who >> 32) | 1;
    o->note.named = -1;
    if (o->kind == OBSERVE_DNS) {
        scene_domain(o);
        scene_class(p, o);
    }
    o->note.zone = policy_zone_of(p, &o->client, "", 0);
    o->note.resolver = policy_resolver_at(p, &o->server, NULL);
    o->note.inside = policy_inside(p, &o->client, &o->server);
    if (o->kind == OBSERVE_FLOW && o->flow.tls.sni[0] && o->note.resolver < 0)
        o->note.resolver = policy_resolver_named(p, o->flow.tls.sni);
    o->note.approved = policy_approves(p, o->note.zone, o->note.resolver, o->transport);
}

static inline void scene_see(struct scene *s, struct observation *o)
{
    scene_note(s->policy, o);
    if (readers_of(&s->readers, reading_of(o)))
        s->detector->observe(s->state, o);
    if (s->detector->tick)
        s->detector->tick(s->state, o->time);
}

/* What the kernel's log says of the same ends: detection_observe() does it so. */
static inline void scene_cut(struct scene *s, const struct observation *of, nsec_t t,
                             const char *rule, bool acted)
{
    struct observation o = *of;

    o.kind = OBSERVE_MET;
    o.time = t;
    o.flow_id = 0;
    memset(&o.met, 0, sizeof o.met);
    snprintf(o.met.rule, sizeof o.met.rule, "%s", rule);
    o.met.acted = acted;
    scene_note(s->policy, &o);
    own_cuts_note(s->cuts, &o);
    if (s->detector->met)
        s->detector->met(s->state, &o);
    if (s->detector->tick)
        s->detector->tick(s->state, t);
}

static inline void scene_tick(struct scene *s, nsec_t t)
{
    if (s->detector->tick)
        s->detector->tick(s->state, t);
}

static inline void scene_flush(struct scene *s, nsec_t t)
{
    if (s->detector->flush)
        s->detector->flush(s->state, t);
}

static inline struct observation scene_query(nsec_t t, const char *client, const char *server,
                                             const char *name)
{
    struct observation o = {.kind = OBSERVE_DNS,
                            .transport = TRANSPORT_DO53_UDP,
                            .proto = 17,
                            .client_port = 40000,
                            .server_port = 53,
                            .time = t,
                            .client = at(client),
                            .server = at(server),
                            .flow_id = 1};
    struct dns_message *m = &o.dns.message;

    m->flags = 0x0100;
    m->counts[0] = 1;
    m->qtype = DNS_TYPE_A;
    m->qclass = 1;
    m->has_question = true;
    m->qname_length = (uint8_t)name_to_wire(name, m->qname);
    assert_true(m->qname_length > 0);
    o.dns.qname_hash = hash_bytes(m->qname, m->qname_length, SCENE_SEED);
    return o;
}

/* An answer with one address. */
static inline struct observation scene_answer(nsec_t t, const char *client, const char *server,
                                              const char *name, const char *address)
{
    struct observation o = scene_query(t, client, server, name);

    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.dns.message.flags = 0x8180;
    o.dns.message.address_count = 1;
    o.dns.message.address[0] = at(address);
    return o;
}

static inline struct observation scene_flow(nsec_t t, const char *client, const char *server,
                                            enum flow_phase phase, uint64_t flow_id)
{
    return (struct observation){.kind = OBSERVE_FLOW,
                                .transport = TRANSPORT_DOT,
                                .proto = 6,
                                .client_port = 50000,
                                .server_port = 853,
                                .time = t,
                                .client = at(client),
                                .server = at(server),
                                .flow_id = flow_id,
                                .flow = {.phase = (uint8_t)phase,
                                         .identified_by = BY(BY_PORT),
                                         .confidence = 99,
                                         .first = t,
                                         .attempts = 1}};
}

static inline void scene_clear(struct scene *s, nsec_t t, const char *client, const char *server,
                               const char *name)
{
    struct observation o = scene_query(t, client, server, name);

    scene_see(s, &o);
}

#endif
