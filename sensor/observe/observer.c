#include "observe/observer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pages.h"
#include "model/bounds.h"
#include "model/policy.h"
#include "observe/behaviour.h"
#include "observe/do53.h"
#include "observe/flows.h"
#include "observe/icmp.h"
#include "observe/lease.h"
#include "observe/quic.h"
#include "observe/stray.h"
#include "observe/tcp.h"
#include "observe/tell.h"
#include "observe/vpn.h"

enum { EXPIRE_WORK = 4096 };

static void watch(struct observer *o, uint16_t port)
{
    o->watched[port / 8] |= (uint8_t)(1u << port % 8);
}

static void watch_ports(struct observer *o)
{
    static const uint16_t usual[] = {443, 784, 853, 8443, 8853};

    memset(o->watched, 0, sizeof o->watched);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        watch(o, usual[i]);
    for (size_t i = 0; o->policy && i < o->policy->extra_port_count; i++)
        watch(o, o->policy->extra_ports[i]);
}

static bool make_tables(struct observer *o, const struct observer_limits *l)
{
    const struct bounds *usual = bounds_of(PROFILE_STANDARD);
    size_t flows = l && l->flows ? l->flows : usual->flows;
    size_t transactions = l && l->transactions ? l->transactions : usual->transactions;
    int status = flow_table_init(&o->flows, flows, o->seed);

    o->flows.evicted = flows_evicted;
    o->flows.context = o;
    o->wheel.flows = o->flows.flows;
    o->transactions = transactions_create(transactions);
    o->seen = seen_create(transactions);
    o->stream_bytes.limit = l && l->stream_bytes ? l->stream_bytes : usual->streams;
    pool_init(&o->cold, sizeof(struct cold), flows / 4 + 8);
    pool_init(&o->watches, sizeof(struct watch), flows / 32 + 8);
    pool_init(&o->facts, sizeof(struct tls_facts), flows / 16 + 8);
    o->classifying_limit = flows / 16 + 8;
    return status == SD_OK && o->transactions && o->seen;
}

struct observer *observer_create(const struct observer_limits *limits,
                                 const struct classifier_ops *ops, void *classifier,
                                 struct observation_sink sink, uint64_t seed)
{
    struct observer *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    o->ops = ops;
    o->classifier = classifier;
    o->sink = sink;
    tell_room(o);
    o->seed = seed;
    if (!make_tables(o, limits)) {
        observer_destroy(o);
        return NULL;
    }
    watch_ports(o);
    return o;
}

void observer_destroy(struct observer *o)
{
    size_t position = 0;
    struct flow *f;

    if (!o)
        return;
    while ((f = flow_table_next(&o->flows, &position)))
        flows_cool(o, f);
    pool_finish(&o->cold);
    pool_finish(&o->facts);
    pool_finish(&o->watches);
    flow_table_finish(&o->flows);
    pages_free(o->taken);
    transactions_destroy(o->transactions);
    seen_destroy(o->seen);
    free(o);
}

void observer_use_policy(struct observer *o, const struct policy *policy)
{
    o->policy = policy;
    watch_ports(o);
}

void observer_use_shunt(struct observer *o, struct shunt_sink shunt)
{
    if (shunt.put && !o->taken)
        o->taken = pages_zeroed(o->flows.most * sizeof *o->taken);
    o->shunt = o->taken ? shunt : (struct shunt_sink){.put = NULL};
}

struct cold *observer_warm(struct observer *o, struct flow *f)
{
    f->cold = pool_get(&o->cold);
    if (!f->cold) {
        o->stats->flows_undecided++;
        f->flags |= COUNTING;
    }
    return f->cold;
}

static void run_timers(struct observer *o)
{
    transactions_expire(o->transactions, o->now, EXPIRE_WORK, o->stats);
    flows_run(o);
}

/* Time never goes back, whatever the packets say; timers fire before the packet that is later. */
static void advance(struct observer *o, nsec_t now)
{
    if (!o->wheel.started) {
        o->wheel.started = true;
        o->wheel.origin = now;
        o->now = now;
    }
    if (now <= o->now)
        return;
    o->now = now;
    if (wheel_tick(&o->wheel, now) > o->wheel.at)
        run_timers(o);
}

static void udp_packet(struct observer *o, const struct packet *p)
{
    if (p->sport == PORT_DNS || p->dport == PORT_DNS) {
        do53_datagram(o, p);
        return;
    }
    if (observer_watches(o, p->sport) || observer_watches(o, p->dport)) {
        quic_packet(o, p);
        return;
    }
    if (lease_port(p->sport) || lease_port(p->dport)) {
        lease_datagram(o, p);
        return;
    }
    if (vpn_datagram(o, p))
        return;
    if (p->dport != PORT_MDNS && p->dport != PORT_LLMNR && p->sport != PORT_MDNS &&
        p->sport != PORT_LLMNR)
        return;
    if (quic_is_dnscrypt(p->payload, p->payload_length))
        quic_packet(o, p);
    else
        o->stats->local_names++;
}

void observer_packet(struct observer *o, const struct packet *packet, struct stats *stats)
{
    o->stats = stats;
    advance(o, packet->time);
    switch (packet->proto) {
    case IP_PROTO_UDP:
        udp_packet(o, packet);
        break;
    case IP_PROTO_TCP:
        tcp_packet(o, packet);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        if (packet->proto == IP_PROTO_ICMPV6 && packet->icmp_type == ICMP6_ROUTER_ADVERTISEMENT)
            lease_advertisement(o, packet);
        else {
            stray_error(o, packet);
            icmp_packet(o, packet);
        }
        break;
    default:
        break;
    }
}

void observer_tick(struct observer *o, nsec_t now, struct stats *stats)
{
    o->stats = stats;
    advance(o, now);
    run_timers(o);
}

void observer_flush(struct observer *o, nsec_t now, struct stats *stats)
{
    o->stats = stats;
    advance(o, now);
    transactions_expire(o->transactions, o->now, UINT_MAX, o->stats);
    while (flows_run(o))
        ;
    flows_flush(o);
}
