#include "engine/shares.h"

#include <string.h>

#include "base/text.h"

static struct zone_share *zone_of(struct shares *s, const char *id)
{
    size_t i = 0;

    while (i < s->count && strcmp(s->zones[i].id, id) != 0)
        i++;
    if (i == SHARES_ZONES || !id[0])
        return &s->other;
    if (i == s->count)
        text_copy(s->zones[s->count++].id, sizeof s->zones[i].id, id);
    return &s->zones[i];
}

void shares_add(struct shares *s, const struct record *r)
{
    const struct conversation *c = &r->conversation;
    struct transport_share *t = &s->transports[c->key.transport % TRANSPORT_COUNT];
    struct zone_share *z = zone_of(s, r->zone);

    t->flows += c->flows;
    t->flows_failed += c->flows_failed;
    t->queries += c->queries;
    if (c->key.transport == TRANSPORT_DO53_UDP || c->key.transport == TRANSPORT_DO53_TCP)
        *(c->approved ? &z->clear_approved : &z->clear_unapproved) += c->queries;
    else if (c->key.transport >= TRANSPORT_DOT && c->key.transport <= TRANSPORT_DNSCRYPT)
        *(c->approved ? &z->sealed_approved : &z->sealed_unapproved) += c->queries;
}

static json_t *zone_status(const struct zone_share *z, const char *id)
{
    return json_pack(
        "{s:s,s:I,s:I,s:I,s:I}", "zone", id, "clear_approved", (json_int_t)z->clear_approved,
        "clear_unapproved", (json_int_t)z->clear_unapproved, "sealed_approved",
        (json_int_t)z->sealed_approved, "sealed_unapproved", (json_int_t)z->sealed_unapproved);
}

static json_t *sum_status(const struct latency_sum *sum)
{
    json_t *buckets = json_array();

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        json_array_append_new(buckets, json_integer((json_int_t)sum->buckets[i]));
    return json_pack("{s:I,s:o}", "us", (json_int_t)sum->us, "buckets", buckets);
}

static json_t *resolver_status(const struct resolver_latencies *r, const char *id)
{
    return json_pack("{s:s,s:o,s:o}", "resolver", id, "handshake", sum_status(&r->handshake),
                     "answer", sum_status(&r->answer));
}

static json_t *latencies_status(const struct latencies *l)
{
    uint32_t count = __atomic_load_n(&l->count, __ATOMIC_ACQUIRE);
    json_t *list = json_array();

    for (uint32_t i = 0; i < count && i < LATENCIES_RESOLVERS; i++)
        json_array_append_new(list, resolver_status(&l->list[i], l->list[i].id));
    json_array_append_new(list, resolver_status(&l->other, "other"));
    return list;
}

void shares_status(const struct shares *s, const struct latencies *l, json_t *to)
{
    json_t *transports = json_array(), *zones = json_array();

    for (unsigned i = 0; i < TRANSPORT_COUNT; i++)
        json_array_append_new(transports,
                              json_pack("{s:s,s:I,s:I,s:I}", "transport",
                                        transport_name((enum transport)i), "flows",
                                        (json_int_t)s->transports[i].flows, "flows_failed",
                                        (json_int_t)s->transports[i].flows_failed, "queries",
                                        (json_int_t)s->transports[i].queries));
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(zones, zone_status(&s->zones[i], s->zones[i].id));
    json_array_append_new(zones, zone_status(&s->other, "other"));
    json_object_set_new(to, "transports", transports);
    json_object_set_new(to, "zones", zones);
    json_object_set_new(to, "latencies", latencies_status(l));
}
