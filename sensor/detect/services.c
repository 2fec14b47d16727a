#include "detect/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

enum { SLOTS = TRANSPORT_DOH3 - TRANSPORT_DO53_UDP + 1, SAMPLED = 16, VERSION = 1 };
enum { FULL = 1 << 20, REMEMBERED = 256, WORTH = 20 /* answers or connections of a stranger */ };

struct other_key {
    struct addr server;
    uint64_t transport;
};

struct other {
    struct other_key key; /* first */
    struct service service;
};

struct services {
    const struct policy *policy;
    struct stats *stats;
    struct service *known; /* SLOTS for each resolver of the policy */
    struct table *others;
    size_t known_at, others_at; /* where remembering goes on */
    unsigned sample;
};

struct body {
    uint8_t version, zero[7];
    struct histogram handshake, answer;
    uint64_t connections, resumed, queries;
};

_Static_assert(sizeof(struct body) <= MEMORY_BODY, "a service is one piece of memory");

void histogram_add(struct histogram *h, unsigned bucket, uint32_t n)
{
    h->count[bucket] += n;
    h->total += n;
    if (h->total < FULL)
        return;
    h->total = 0;
    for (size_t b = 0; b < LATENCY_BUCKETS; b++)
        h->total += h->count[b] /= 2;
}

uint32_t histogram_below(const struct histogram *h, unsigned milli)
{
    uint64_t wanted = ((uint64_t)h->total * milli + 999) / 1000, sum = 0;

    if (h->total == 0)
        return 0;
    for (unsigned b = 0; b < LATENCY_BUCKETS; b++) {
        sum += h->count[b];
        if (sum >= wanted && sum > 0)
            return latency_below(b);
    }
    return latency_below(LATENCY_BUCKETS - 1);
}

static void evicted(void *context, void *entry)
{
    struct services *s = context;

    (void)entry;
    if (s->stats)
        s->stats->state_evicted++;
}

struct services *services_create(const struct policy *policy, uint64_t seed, struct stats *stats)
{
    struct services *s = calloc(1, sizeof *s);
    struct table_shape shape = {.entry_size = sizeof(struct other),
                                .key_size = sizeof(struct other_key),
                                .capacity = SERVICES_OTHER,
                                .seed = seed,
                                .evicted = evicted,
                                .context = s};

    if (!s)
        return NULL;
    s->stats = stats;
    s->others = table_create(&shape);
    if (!s->others) {
        free(s);
        return NULL;
    }
    services_use_policy(s, policy);
    return s;
}

void services_destroy(struct services *s)
{
    if (!s)
        return;
    table_destroy(s->others);
    free(s->known);
    free(s);
}

static struct service *slots_of(const struct services *s, size_t resolver)
{
    return s->known + resolver * SLOTS;
}

void services_use_policy(struct services *s, const struct policy *policy)
{
    struct service *known = calloc(policy->resolver_count * SLOTS + 1, sizeof *known);

    for (size_t i = 0; known && s->known && i < policy->resolver_count; i++) {
        int16_t before = policy_resolver_called(s->policy, policy->resolvers[i].id);

        if (before >= 0)
            memcpy(known + i * SLOTS, slots_of(s, (size_t)before), SLOTS * sizeof *known);
    }
    free(s->known);
    s->known = known; /* NULL: nothing is kept of known ones */
    s->policy = policy;
    s->known_at = 0;
}

size_t services_bytes(const struct services *s)
{
    return sizeof *s + table_bytes(s->others) +
           s->policy->resolver_count * SLOTS * sizeof(struct service);
}

static bool has_slot(unsigned transport)
{
    return transport >= TRANSPORT_DO53_UDP && transport <= TRANSPORT_DOH3;
}

static struct service *stranger(struct services *s, const struct addr *server, uint8_t transport)
{
    struct other_key key = {*server, transport};
    bool fresh;

    return &((struct other *)table_insert(s->others, &key, &fresh))->service;
}

struct service *services_of(struct services *s, const struct observation *o)
{
    if (!has_slot(o->transport) || o->note.roles & ROLE_RECURSIVE)
        return NULL;
    if (o->note.resolver < 0)
        return stranger(s, &o->server, o->transport);
    if (!s->known || (size_t)o->note.resolver >= s->policy->resolver_count)
        return NULL;
    return slots_of(s, (size_t)o->note.resolver) + (o->transport - TRANSPORT_DO53_UDP);
}

void services_answer(struct services *s, const struct observation *o)
{
    struct service *v;

    if (o->note.resolver < 0 && s->sample++ % SAMPLED != 0)
        return;
    v = services_of(s, o);
    if (!v)
        return;
    histogram_add(&v->answer, latency_bucket(o->dns.latency_us), 1);
    v->last = o->time;
    v->changed = true;
}

void services_flow(struct service *v, const struct observation *o)
{
    const struct flow_observation *flow = &o->flow;

    v->last = o->time;
    v->changed = true;
    v->queries += flow->queries;
    for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
        if (flow->shape.answer[b])
            histogram_add(&v->answer, b, flow->shape.answer[b]);
    if (flow->phase != FLOW_ESTABLISHED)
        return;
    v->connections++;
    v->resumed += flow->tls.resumed;
    if (flow->handshake_us)
        histogram_add(&v->handshake, latency_bucket(flow->handshake_us), 1);
}

static void write_histogram(struct evidence *e, const struct histogram *h, const char *what)
{
    static const struct {
        const char *name;
        unsigned milli;
    } points[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}};
    char key[32];

    snprintf(key, sizeof key, "%ss", what);
    evidence_integer(e, key, h->total);
    for (size_t i = 0; h->total && i < sizeof points / sizeof *points; i++) {
        snprintf(key, sizeof key, "%s_%s_us", what, points[i].name);
        evidence_integer(e, key, histogram_below(h, points[i].milli));
    }
}

/* False: there was no room for it. */
static bool remember(const struct service *v, const char *who, uint8_t transport,
                     struct memory_sink sink)
{
    struct memory m = {.topic = SERVICES_TOPIC, .time = v->last, .size = sizeof(struct body)};
    struct body body = {.version = VERSION,
                        .handshake = v->handshake,
                        .answer = v->answer,
                        .connections = v->connections,
                        .resumed = v->resumed,
                        .queries = v->queries};

    snprintf(m.key, sizeof m.key, "%s %s", who, transport_name(transport));
    memcpy(m.body, &body, sizeof body);
    evidence_clear(&m.text);
    evidence_string(&m.text, "resolver", who);
    evidence_string(&m.text, "transport", transport_name(transport));
    if (v->connections) {
        evidence_integer(&m.text, "connections", (int64_t)v->connections);
        evidence_integer(&m.text, "resumed", (int64_t)v->resumed);
        evidence_integer(&m.text, "queries", (int64_t)v->queries);
    }
    write_histogram(&m.text, &v->handshake, "handshake");
    write_histogram(&m.text, &v->answer, "answer");
    return sink.put(sink.context, &m) == 0;
}

static void remember_known(struct services *s, struct memory_sink sink, size_t *left)
{
    size_t end = s->known ? s->policy->resolver_count * SLOTS : 0;

    for (; s->known_at < end && *left; s->known_at++) {
        struct service *v = &s->known[s->known_at];

        if (!v->changed)
            continue;
        if (!remember(v, s->policy->resolvers[s->known_at / SLOTS].id,
                      (uint8_t)(TRANSPORT_DO53_UDP + s->known_at % SLOTS), sink)) {
            *left = 0;
            return;
        }
        v->changed = false;
        --*left;
    }
    if (s->known_at >= end)
        s->known_at = 0;
}

static void remember_others(struct services *s, struct memory_sink sink, size_t *left)
{
    char text[ADDR_TEXT];
    struct other *e;

    while (*left) {
        e = table_next(s->others, &s->others_at);
        if (!e) {
            s->others_at = 0;
            return;
        }
        if (!e->service.changed || e->service.answer.total + e->service.connections < WORTH)
            continue;
        if (!remember(&e->service, addr_text(&e->key.server, text), (uint8_t)e->key.transport,
                      sink)) {
            *left = 0;
            return;
        }
        e->service.changed = false;
        --*left;
    }
}

void services_remember(struct services *s, struct memory_sink sink, nsec_t now)
{
    size_t left = REMEMBERED;

    (void)now;
    remember_known(s, sink, &left);
    remember_others(s, sink, &left);
}

static bool sound(const struct histogram *h)
{
    uint64_t sum = 0;

    for (size_t b = 0; b < LATENCY_BUCKETS; b++)
        sum += h->count[b];
    return sum == h->total && sum <= FULL;
}

/* The service that a key names; NULL: nobody's any more. */
static struct service *service_called(struct services *s, const char *key)
{
    char who[MEMORY_KEY];
    const char *blank = strchr(key, ' ');
    int transport = blank ? transport_of(blank + 1) : -1;
    struct addr server;
    int16_t resolver;

    if (transport < 0 || !has_slot((unsigned)transport))
        return NULL;
    snprintf(who, sizeof who, "%.*s", (int)(blank - key), key);
    resolver = policy_resolver_called(s->policy, who);
    if (resolver >= 0)
        return s->known ? slots_of(s, (size_t)resolver) + (transport - TRANSPORT_DO53_UDP) : NULL;
    return addr_parse(who, &server) == 0 ? stranger(s, &server, (uint8_t)transport) : NULL;
}

void services_recall(struct services *s, const struct memory *m)
{
    struct body body;
    struct service *v;

    if (strcmp(m->topic, SERVICES_TOPIC) != 0 || m->size != sizeof body)
        return;
    memcpy(&body, m->body, sizeof body);
    if (body.version != VERSION || !sound(&body.handshake) || !sound(&body.answer))
        return;
    v = service_called(s, m->key);
    if (!v)
        return;
    *v = (struct service){.handshake = body.handshake,
                          .answer = body.answer,
                          .connections = body.connections,
                          .resumed = body.resumed,
                          .queries = body.queries,
                          .last = m->time};
}
