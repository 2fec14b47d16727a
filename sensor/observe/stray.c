#include "observe/stray.h"

#include "base/hash.h"
#include "observe/flow.h"
#include "observe/seen.h"
#include "observe/tell.h"

enum { UNREACHABLE = 3, PORT = 3, V6_UNREACHABLE = 1, V6_PORT = 4 }; /* RFC 792, RFC 4443 3.1 */

/* Late answers come to ports that are closed by then: from those somebody had asked. */
static bool was_asked(struct observer *o, const struct packet *p, uint64_t tuple)
{
    return seen_message(o->seen, tuple, (uint32_t)(p->time / NSEC_S), false).asked;
}

static struct observation *begin(struct observer *o, const struct packet *p)
{
    struct observation *out = tell_begin(o, OBSERVE_STRAY, p);

    out->transport = TRANSPORT_DO53_UDP;
    out->server_port = PORT_DNS;
    return out;
}

void stray_datagram(struct observer *o, const struct packet *p, uint64_t tuple)
{
    struct observation *out;

    if (p->sport != PORT_DNS || p->dport == PORT_DNS || was_asked(o, p, tuple))
        return;
    out = begin(o, p);
    out->client = p->dst;
    out->server = p->src;
    out->client_port = p->dport;
    out->station = p->dst_station;
    tell_put(o);
}

void stray_error(struct observer *o, const struct packet *p)
{
    bool v4 = p->proto == IP_PROTO_ICMP;
    struct observation *out;
    struct flow_key key;
    bool low;

    if (p->icmp_type != (v4 ? UNREACHABLE : V6_UNREACHABLE) ||
        p->icmp_code != (v4 ? PORT : V6_PORT) || p->quote.proto != IP_PROTO_UDP ||
        p->quote.sport != PORT_DNS || p->quote.dport == PORT_DNS ||
        !addr_equal(&p->src, &p->quote.dst))
        return;
    flow_key_quoted(p, &key, &low);
    if (was_asked(o, p, hash_bytes(&key, sizeof key, o->seed)))
        return;
    out = begin(o, p);
    out->client = p->src;
    out->server = p->quote.src;
    out->client_port = p->quote.dport;
    out->station = p->src_station;
    tell_put(o);
}
