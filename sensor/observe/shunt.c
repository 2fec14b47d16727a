#include "observe/shunt.h"

#include "model/policy.h"
#include "observe/tell.h"

enum { PORT_HTTPS = 443 };

static struct shunt_flow flow_of(const struct flow *f)
{
    return (struct shunt_flow){.low = f->low,
                               .high = f->high,
                               .low_port = f->low_port,
                               .high_port = f->high_port,
                               .vlan = f->vlan,
                               .proto = f->proto};
}

/* Port 4789 and the like make a tunnel of a datagram that looks like one (decode/udp_tunnel.c): the
 * kernel's filter does not look, so no client has such a port. Tunnels' own ports are all below. */
static bool is_plain_client(const struct observer *o, const struct flow *f)
{
    enum { TUNNELS_MOST = 8472 };
    uint16_t port = flow_port(f, SIDE_CLIENT);

    return (f->proto == IP_PROTO_TCP || port > TUNNELS_MOST) && observer_rank(o, port) == 2;
}

static bool is_decided(const struct flow *f)
{
    enum { BOTH = CLIENT_SPOKE | SERVER_SPOKE, ENDING = CLIENT_FIN | SERVER_FIN };

    return (f->flags & (COUNTING | NAMED | BOTH)) == (COUNTING | NAMED | BOTH) &&
           !(f->flags & (ENDING | SHUNTED | SHUNT_REFUSED)) &&
           (f->stage == STAGE_OPEN || f->stage == STAGE_WORKING) && f->ttl_server != 0 &&
           (f->transport == TRANSPORT_TLS || f->transport == TRANSPORT_QUIC ||
            f->transport == TRANSPORT_OTHER);
}

static bool is_wanted(const struct observer *o)
{
    return o->shunt.put && o->policy && o->policy->shunt;
}

static void put(struct observer *o, struct flow *f)
{
    struct shunt_flow flow = flow_of(f);

    if (o->shunt.put(o->shunt.context, &flow)) {
        o->taken[f - o->flows.flows] = (struct shunt_counts){.packets = 0};
        f->flags |= SHUNTED;
        o->stats->shunted++;
        o->stats->shunts++;
    } else {
        f->flags |= SHUNT_REFUSED; /* else each packet would ask again */
        o->stats->shunts_refused++;
    }
}

void shunt_offer(struct observer *o, struct flow *f)
{
    if (!is_wanted(o) || !is_decided(f) || flow_port(f, SIDE_SERVER) != PORT_HTTPS ||
        f->tunnel != 0 || !is_plain_client(o, f))
        return;
    put(o, f);
}

static void see_last(const struct observer *o, struct flow *f, nsec_t last)
{
    uint32_t tick;

    if (last == 0)
        return;
    tick = (uint32_t)wheel_tick(&o->wheel, last < o->now ? last : o->now);
    if ((int32_t)(tick - f->last) > 0)
        f->last = tick;
}

static uint32_t piece(uint64_t *left, uint32_t have)
{
    uint64_t room = INT32_MAX - have, n = *left < room ? *left : room;

    *left -= n;
    return (uint32_t)n;
}

/* The flow's own counts are of 32 bits: what is more is told in between. */
static void add(struct observer *o, struct flow *f, const struct shunt_counts *counts)
{
    bool low = f->flags & CLIENT_LOW;
    uint64_t out = low ? counts->bytes_low : counts->bytes_high;
    uint64_t in = low ? counts->bytes_high : counts->bytes_low;

    f->packets += (uint32_t)counts->packets;
    for (;;) {
        f->bytes_out += piece(&out, f->bytes_out);
        f->bytes_in += piece(&in, f->bytes_in);
        if (out == 0 && in == 0)
            return;
        tell_progress(o, f);
    }
}

/* The kernel counts on; what came since the last look is added. */
static void settle(struct observer *o, struct flow *f, bool last)
{
    struct shunt_flow flow = flow_of(f);
    struct shunt_counts *taken = o->taken + (f - o->flows.flows), now, since;

    if (!(last ? o->shunt.take : o->shunt.read)(o->shunt.context, &flow, &now))
        return;
    since = (struct shunt_counts){.packets = now.packets - taken->packets,
                                  .bytes_low = now.bytes_low - taken->bytes_low,
                                  .bytes_high = now.bytes_high - taken->bytes_high};
    *taken = now;
    see_last(o, f, now.last);
    add(o, f, &since);
}

void shunt_end(struct observer *o, struct flow *f)
{
    if (!(f->flags & SHUNTED))
        return;
    f->flags &= (uint16_t)~SHUNTED;
    o->stats->shunted--;
    settle(o, f, true);
}

void shunt_merge(struct observer *o, struct flow *f)
{
    if (!(f->flags & SHUNTED))
        return;
    if (!is_wanted(o)) {
        shunt_end(o, f);
        return;
    }
    settle(o, f, false);
}
