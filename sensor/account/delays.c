#include "account/delays.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/names.h"

void delays_use_policy(struct delays *d, const struct policy *policy)
{
    free(d->place);
    d->policy = policy;
    d->place = policy && d->to ? calloc(policy->resolver_count + 1, 1) : NULL;
}

void delays_finish(struct delays *d)
{
    free(d->place);
    d->place = NULL;
}

/* 1 + its place, which is made where there is room; 1 + LATENCIES_RESOLVERS: there is none. */
static uint8_t find_place(struct latencies *l, const char *id)
{
    uint32_t i = 0;

    while (i < l->count && strncmp(l->list[i].id, id, sizeof l->list[i].id - 1) != 0)
        i++;
    if (i < l->count || i == LATENCIES_RESOLVERS)
        return (uint8_t)(i + 1);
    text_copy(l->list[i].id, sizeof l->list[i].id, id);
    __atomic_store_n(&l->count, i + 1, __ATOMIC_RELEASE);
    return (uint8_t)(i + 1);
}

static struct resolver_latencies *place_of(struct delays *d, const struct observation_note *n)
{
    uint8_t *place;

    if (!n->approved || n->resolver < 0 || !d->place)
        return &d->to->other;
    place = &d->place[n->resolver];
    if (!*place)
        *place = find_place(d->to, d->policy->resolvers[n->resolver].id);
    return *place <= LATENCIES_RESOLVERS ? &d->to->list[*place - 1] : &d->to->other;
}

static bool is_sealed(uint8_t transport)
{
    return transport >= TRANSPORT_DOT && transport <= TRANSPORT_DNSCRYPT;
}

void delays_note(struct delays *d, const struct observation *o)
{
    if (!d->to)
        return;
    if (o->kind == OBSERVE_DNS && o->dns.match == ANSWER_MATCHED)
        latency_sum_add(&place_of(d, &o->note)->answer, o->dns.latency_us);
    else if (o->kind == OBSERVE_FLOW && o->flow.phase == FLOW_ESTABLISHED && o->flow.handshake_us &&
             is_sealed(o->transport))
        latency_sum_add(&place_of(d, &o->note)->handshake, o->flow.handshake_us);
}
