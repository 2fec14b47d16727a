#include "detect/downgrade.h"

#define CUT_APART (2 * NSEC_S) /* the log and the capture are read by themselves */

static enum origin origin_of_icmp(const struct downgrade *d, const struct observation *o)
{
    const struct addr *source = &o->flow.icmp_source;

    if (addr_is_zero(source))
        return ORIGIN_UNKNOWN;
    if (policy_is_gateway(d->policy, source))
        return ORIGIN_GATEWAY;
    return addr_equal(source, &o->server) ? ORIGIN_SERVER : ORIGIN_PATH;
}

/* The server as this client knows it goes before what others saw of it. */
static struct origin_known known_of(const struct downgrade *d, const struct sealed *s,
                                    const struct addr *server)
{
    struct origin_known known = {.rtt_us = servers_rtt_us(d->servers, server)};

    if (addr_equal(&s->ok_server, server))
        known.ttl = s->ok_ttl;
    if (!known.ttl)
        known.ttl = servers_ttl(d->servers, server);
    if (addr_equal(&s->server, server))
        known.ttl_after = s->heard_ttl;
    return known;
}

/* By the policy alone only what looks like our rules' doing. */
static bool own_rule_cuts(const struct downgrade *d, const struct observation *o, bool *certain)
{
    uint8_t cause = o->flow.cause;

    return own_cuts_explain(d->cuts, d->policy, o, certain) &&
           (*certain || cause == CAUSE_RESET || cause == CAUSE_TIMEOUT || cause == CAUSE_ICMP);
}

struct blame blame_of(const struct downgrade *d, const struct sealed *s,
                      const struct observation *o)
{
    struct origin_known known = known_of(d, s, &o->server);
    struct blame blame;
    bool certain, own = own_rule_cuts(d, o, &certain);

    origin_begin(&blame, o, own);
    blame.certain = certain;
    if (blame.cause == CAUSE_ICMP && blame.origin == ORIGIN_UNKNOWN)
        blame.origin = (uint8_t)origin_of_icmp(d, o);
    origin_judge(&blame, &known);
    return blame;
}

/* More signs (0: none) than before, or something that others are held against. */
static void judge_again(struct downgrade *d, struct sealed *s, uint8_t signs, nsec_t now)
{
    struct origin_known known = known_of(d, s, &s->server);
    uint8_t before = s->blame.signs;

    s->blame.signs |= signs;
    if (origin_judge(&s->blame, &known) || s->blame.signs != before)
        downgrade_blamed(d, s, now);
}

void blame_after(struct downgrade *d, struct sealed *s, const struct observation *o)
{
    if (s->failed && s->blame.flow_id == o->flow_id)
        judge_again(d, s, o->flow.signs, o->time);
}

void blame_heard(struct downgrade *d, struct sealed *s, const struct addr *server, uint8_t ttl,
                 nsec_t now)
{
    if (!s->failed || s->heard_ttl || !ttl || !addr_equal(&s->server, server))
        return;
    s->heard_ttl = ttl;
    judge_again(d, s, 0, now);
}

/* The kernel's word came after the failure that it explains. */
void blame_cut(struct downgrade *d, struct sealed *s, const struct observation *o)
{
    if (!s->failed || s->blame.certain || s->client_port != o->client_port ||
        s->server_port != o->server_port || s->proto != o->proto ||
        !addr_equal(&s->server, &o->server) || o->time > s->failed_last + CUT_APART)
        return;
    s->blame.certain = true;
    s->blame.cause = CAUSE_OWN_RULE;
    s->blame.origin = ORIGIN_GATEWAY;
    downgrade_blamed(d, s, o->time);
}
