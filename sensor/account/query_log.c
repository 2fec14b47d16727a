#include "account/query_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"

#define SUMS 16384

/* Of messages that are told in one line. */
struct sum_key {
    struct addr client, server;
    uint64_t name; /* its hash, as it is written */
    uint16_t qtype, server_port;
    uint8_t transport, response, rcode, sealed;
};

struct sum {
    struct sum_key key; /* first: the table's */
    int16_t zone, resolver;
    struct query query;
};

struct query_log {
    const struct policy *policy;
    const struct policy_query_log *wish;
    struct record_sink sink;
    struct stats *stats;
    struct table *sums; /* NULL: none are wanted */
    struct record record;
    uint64_t seed, number;
    nsec_t told;
    bool telling;
    size_t position;
};

static bool put(struct query_log *l, const struct query *q, int16_t zone, int16_t resolver)
{
    struct record *r = &l->record;
    const struct policy *p = l->policy;

    r->kind = RECORD_QUERY;
    r->time = q->last;
    text_copy(r->zone, sizeof r->zone, zone >= 0 ? p->zones[zone].id : "");
    text_copy(r->resolver, sizeof r->resolver, resolver >= 0 ? p->resolvers[resolver].id : "");
    memcpy(&r->query, q, query_size(q));
    r->query.number = hash_mix(l->seed, ++l->number);
    if (l->sink.put(l->sink.context, r) != 0)
        return false;
    l->stats->queries_logged += q->count;
    return true;
}

/* There is no later. */
static void put_or_lose(struct query_log *l, const struct query *q, int16_t zone, int16_t resolver)
{
    if (!put(l, q, zone, resolver))
        l->stats->queries_unlogged += q->count;
}

static void put_evicted(void *context, void *entry)
{
    const struct sum *s = entry;

    put_or_lose(context, &s->query, s->zone, s->resolver);
}

struct query_log *query_log_create(const struct policy *policy, const struct bounds *bounds,
                                   uint64_t seed, struct record_sink sink, struct stats *stats)
{
    struct query_log *l = calloc(1, sizeof *l);
    const struct table_shape shape = {.entry_size = sizeof(struct sum),
                                      .key_size = sizeof(struct sum_key),
                                      .capacity = bounds_share(bounds, SUMS),
                                      .seed = seed,
                                      .evicted = put_evicted,
                                      .context = l};

    if (!l)
        return NULL;
    l->policy = policy;
    l->wish = &policy->query_log;
    l->sink = sink;
    l->stats = stats;
    l->seed = seed;
    if (l->wish->mode == QUERIES_AGGREGATED && !(l->sums = table_create(&shape))) {
        free(l);
        return NULL;
    }
    return l;
}

/* Goes on where it stood, as far as the sink takes them. True: those were all. */
static bool tell_sums(struct query_log *l)
{
    size_t position = l->position;
    struct sum *s;

    while ((s = table_next(l->sums, &position)) != NULL) {
        if (!put(l, &s->query, s->zone, s->resolver))
            return false;
        table_remove(l->sums, s);
        l->position = position;
    }
    return true;
}

static void tell_the_rest(struct query_log *l)
{
    size_t position = 0;
    struct sum *s;

    while ((s = table_next(l->sums, &position)) != NULL)
        put_or_lose(l, &s->query, s->zone, s->resolver);
}

void query_log_destroy(struct query_log *l)
{
    if (!l)
        return;
    if (l->sums)
        tell_the_rest(l);
    table_destroy(l->sums);
    free(l);
}

/* The /24 or /48 that it is in. */
static struct addr network_of(const struct addr *client)
{
    struct addr a = *client;
    size_t kept = addr_is_v4(client) ? 15 : 6;

    memset(a.b + kept, 0, sizeof a.b - kept);
    return a;
}

/* Who spoke with whom. */
static void set_ends(const struct query_log *l, const struct observation *o, struct query *q)
{
    q->client = l->wish->clients == CLIENTS_NETWORK ? network_of(&o->client) : o->client;
    q->server = o->server;
    q->server_port = o->server_port;
    q->transport = o->transport;
    q->proto = o->proto;
    q->iface = o->iface;
    q->vlan = o->vlan;
    q->first = q->last = o->time;
    q->count = 1;
    q->address_count = 0;
}

/* The name as it is asked for, or what of it is registered; the root where nothing is. */
static void set_name(const struct query_log *l, const struct observation *o, struct query *q)
{
    const struct dns_message *m = &o->dns.message;
    uint8_t skipped = 0;

    q->qname_length = m->has_question ? m->qname_length : 0;
    if (q->qname_length && l->wish->names == NAME_FORM_REGISTERED)
        skipped = o->note.domain < q->qname_length ? o->note.domain : q->qname_length - 1;
    q->qname_length -= skipped;
    memcpy(q->qname, m->qname + skipped, q->qname_length);
    q->qtype = q->qname_length ? m->qtype : 0;
    q->qclass = q->qname_length ? m->qclass : 0;
}

static void set_message(const struct query_log *l, const struct observation *o, struct query *q)
{
    const struct dns_message *m = &o->dns.message;

    set_ends(l, o, q);
    q->response = dns_is_response(m);
    q->sealed = false;
    q->rcode = q->response ? m->rcode : 0;
    q->latency_us = q->response && o->dns.answered ? o->dns.latency_us : 0;
    set_name(l, o, q);
}

static void tell(struct query_log *l, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    struct query q;

    set_message(l, o, &q);
    q.sum = false;
    q.sample = l->wish->mode == QUERIES_SAMPLED ? l->wish->sample : 0;
    q.flow_id = o->flow_id;
    q.client_port = l->wish->clients == CLIENTS_NETWORK ? 0 : o->client_port;
    q.id = m->id;
    q.flags = m->flags;
    if (q.response && l->wish->answers) {
        q.address_count = m->address_count;
        memcpy(q.address, m->address, sizeof q.address);
    }
    put_or_lose(l, &q, o->note.zone, o->note.resolver);
}

static void add(struct query_log *l, const struct observation *o, const struct query *q)
{
    struct sum_key key;
    struct sum *s;
    bool fresh;

    memset(&key, 0, sizeof key);
    key.client = q->client;
    key.server = q->server;
    key.name = hash_bytes(q->qname, q->qname_length, l->seed);
    key.qtype = q->qtype;
    key.server_port = q->server_port;
    key.transport = q->transport;
    key.response = q->response;
    key.rcode = q->rcode;
    key.sealed = q->sealed;
    s = table_insert(l->sums, &key, &fresh);
    if (fresh) {
        memcpy(&s->query, q, query_size(q));
        s->query.sum = true;
        s->query.sample = s->query.client_port = s->query.id = s->query.flags = 0;
        s->query.flow_id = s->query.latency_us = 0;
        s->zone = o->note.zone;
        s->resolver = o->note.resolver;
        return;
    }
    s->query.count += q->count;
    s->query.last = q->last;
}

/* What is encrypted shows its number alone, to those who are told in sums. */
static void add_sealed(struct query_log *l, const struct observation *o)
{
    struct query q = {.sealed = true};

    set_ends(l, o, &q);
    q.sealed = true;
    q.count = o->flow.queries;
    if (q.count)
        add(l, o, &q);
    q.response = true;
    q.count = o->flow.responses;
    if (q.count)
        add(l, o, &q);
}

/* A query and its response have one client and one name: both are in, or none is. */
static bool is_in_sample(const struct query_log *l, const struct observation *o)
{
    uint64_t client = hash_bytes(&o->client, sizeof o->client, l->seed);

    return hash_mix(client, o->dns.qname_hash) % l->wish->sample == 0;
}

static bool is_sealed(const struct observation *o)
{
    return o->kind == OBSERVE_FLOW && (1u << o->transport & TRANSPORTS_SEALED) &&
           (o->flow.queries || o->flow.responses);
}

static void take(struct query_log *l, const struct observation *o)
{
    struct query q;

    if (l->wish->some_zones && (o->note.zone < 0 || !l->policy->zones[o->note.zone].logged))
        return;
    if (l->sums && is_sealed(o)) {
        add_sealed(l, o);
    } else if (o->kind != OBSERVE_DNS) {
        return;
    } else if (l->sums) {
        set_message(l, o, &q);
        add(l, o, &q);
    } else if (l->wish->mode == QUERIES_ALL || is_in_sample(l, o)) {
        tell(l, o);
    }
}

void query_log_observe(struct query_log *l, const struct observation *batch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        take(l, &batch[i]);
}

void query_log_tick(struct query_log *l, nsec_t now)
{
    if (!l->sums)
        return;
    if (!l->told)
        l->told = now;
    if (!l->telling && time_passed(l->told, l->wish->interval, now)) {
        l->told = now;
        l->telling = true;
        l->position = 0;
    }
    if (l->telling)
        l->telling = !tell_sums(l);
}
