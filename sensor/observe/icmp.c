#include "observe/icmp.h"

#include "model/policy.h"
#include "observe/flows.h"

enum { UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, TIME_EXCEEDED = 11 }; /* RFC 792 */
enum { V6_UNREACHABLE = 1, V6_TIME_EXCEEDED = 3, V6_PARAMETER = 4 };    /* RFC 4443 */

/* An error that tells the sender that its packet did not arrive. */
static bool refuses(const struct packet *p)
{
    if (p->proto == IP_PROTO_ICMP)
        return (p->icmp_type == UNREACHABLE && p->icmp_code != FRAGMENTATION_NEEDED) ||
               p->icmp_type == TIME_EXCEEDED;
    return p->icmp_type == V6_UNREACHABLE || p->icmp_type == V6_TIME_EXCEEDED ||
           p->icmp_type == V6_PARAMETER;
}

static uint8_t origin_of(const struct observer *o, const struct flow *f, const struct packet *p)
{
    if (o->policy && policy_is_gateway(o->policy, &p->src))
        return ORIGIN_GATEWAY;
    return addr_equal(&p->src, flow_addr(f, SIDE_SERVER)) ? ORIGIN_SERVER : ORIGIN_PATH;
}

void icmp_packet(struct observer *o, const struct packet *p)
{
    struct flow_key key;
    struct flow *f;
    bool low;

    if (!refuses(p) || (p->quote.proto != IP_PROTO_TCP && p->quote.proto != IP_PROTO_UDP))
        return;
    if (observer_rank(o, p->quote.sport) == 2 && observer_rank(o, p->quote.dport) == 2)
        return;
    flow_key_quoted(p, &key, &low);
    f = flows_find(o, &key);
    if (!f || f->attempts == 0 || flow_sender(f, low) != SIDE_CLIENT || f->stage >= STAGE_WORKING)
        return;
    flows_fail(o, f,
               &(struct fault){.cause = CAUSE_ICMP,
                               .origin = origin_of(o, f, p),
                               .ttl = p->ttl,
                               .icmp_type = p->icmp_type,
                               .icmp_code = p->icmp_code,
                               .icmp_source = p->src});
}
