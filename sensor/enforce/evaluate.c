#include "enforce/evaluate.h"

#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>

#define DEEPEST 16 /* jumps in the kernel */

static bool element_holds(const struct set *s, const struct set_element *e,
                          const struct evaluated_packet *p, const struct addr *a)
{
    if (s->kind == SET_PORT)
        return e->port == p->port;
    if ((s->kind == SET_PAIR || s->kind == SET_PAIRED) && !addr_equal(&e->server, &p->destination))
        return false;
    return memcmp(e->low.b, a->b, 16) <= 0 && memcmp(a->b, e->high.b, 16) <= 0;
}

/* a: the address looked up (the source of a pair). */
static const struct set_element *find(const struct set *s, const struct evaluated_packet *p,
                                      const struct addr *a)
{
    if (s->kind != SET_PORT && s->v4 != addr_is_v4(a))
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (element_holds(s, s->elements + i, p, a))
            return s->elements + i;
    return NULL;
}

static bool asks(const struct pattern *q, const struct evaluated_packet *p)
{
    if (p->protocol != IPPROTO_UDP || !p->dns || p->dns_length < q->length)
        return false;
    for (size_t i = 0; i < q->length; i++)
        if ((p->dns[i] & q->mask[i]) != q->value[i])
            return false;
    return true;
}

static bool matches(const struct ruleset *r, const struct match *m,
                    const struct evaluated_packet *p)
{
    struct addr station;

    switch (m->kind) {
    case MATCH_IIFNAME:
        return strcmp(m->iface, p->iface) == 0;
    case MATCH_OIFNAME: /* of what was redirected, on its way out: not walked */
    case MATCH_DNAT:
        return false;
    case MATCH_LOCAL:
        return p->to_gateway;
    case MATCH_FAMILY:
        return m->v4 == addr_is_v4(&p->source);
    case MATCH_SHARE:
        return m->v4 == addr_is_v4(&p->source) && rollout_place(&p->source, m->seed) < m->port;
    case MATCH_PORT:
        return m->port == p->port;
    case MATCH_UDP_PORT:
        return p->protocol == IPPROTO_UDP && m->port == p->port;
    case MATCH_TCP_PORT:
        return p->protocol == IPPROTO_TCP && m->port == p->port;
    case MATCH_SYN: /* before routing only a connection's first packet is walked */
        return p->protocol == IPPROTO_TCP && p->hook == NF_INET_PRE_ROUTING;
    case MATCH_QUESTION:
        return asks(r->patterns + m->set, p);
    case MATCH_PORT_SET:
    case MATCH_SOURCE:
    case MATCH_PAIR:
        return find(r->sets + m->set, p, &p->source) != NULL;
    case MATCH_STATION:
        station = addr_of_station(p->station);
        return p->station && find(r->sets + m->set, p, &station) != NULL;
    case MATCH_DESTINATION:
        return find(r->sets + m->set, p, &p->destination) != NULL;
    }
    return false;
}

enum walk { WALK_ON, WALK_BACK, WALK_ENDED };

struct evaluation {
    const struct ruleset *r;
    const struct evaluated_packet *packet;
    const struct rule *last;
    unsigned depth;
};

static enum walk walk_chain(struct evaluation *v, size_t chain);

static enum walk walk_into(struct evaluation *v, size_t chain)
{
    enum walk w = WALK_ENDED;

    if (v->depth++ < DEEPEST)
        w = walk_chain(v, chain);
    v->depth--;
    return w;
}

/* A goto that falls off its chain goes back to where the last jump came from. */
static enum walk walk_goto(struct evaluation *v, size_t chain)
{
    enum walk w = walk_into(v, chain);

    return w == WALK_ON ? WALK_BACK : w;
}

static enum walk walk_rule(struct evaluation *v, const struct rule *rule)
{
    const struct set_element *e;

    for (size_t i = 0; i < rule->match_count; i++)
        if (!matches(v->r, rule->matches + i, v->packet))
            return WALK_ON;
    switch (rule->statement) {
    case STATEMENT_COUNT:
    case STATEMENT_LOG:
        return WALK_ON;
    case STATEMENT_RETURN:
        return WALK_BACK;
    case STATEMENT_JUMP:
        return walk_into(v, rule->target) == WALK_ENDED ? WALK_ENDED : WALK_ON;
    case STATEMENT_GOTO:
        return walk_goto(v, rule->target);
    case STATEMENT_ZONES:
        e = find(v->r->sets + rule->target, v->packet, &v->packet->source);
        return e ? walk_goto(v, e->chain) : WALK_ON;
    default:
        v->last = rule;
        return WALK_ENDED;
    }
}

static enum walk walk_chain(struct evaluation *v, size_t chain)
{
    enum walk w = WALK_ON;

    for (size_t i = 0; i < v->r->rule_count && w == WALK_ON; i++)
        if (v->r->rules[i].chain == chain)
            w = walk_rule(v, v->r->rules + i);
    return w;
}

const struct rule *ruleset_evaluate(const struct ruleset *r, const struct evaluated_packet *p)
{
    struct evaluation v = {.r = r, .packet = p};

    for (size_t i = 0; i < r->chain_count; i++)
        if (r->chains[i].base && r->chains[i].hook == p->hook)
            walk_chain(&v, i);
    return v.last;
}

const struct rule *ruleset_acting(const struct ruleset *r, const struct policy *p,
                                  struct evaluated_packet *first)
{
    bool gateway = policy_is_gateway(p, &first->source);
    const struct rule *rule;

    first->to_gateway = policy_is_gateway(p, &first->destination);
    first->hook = NF_INET_PRE_ROUTING;
    rule = gateway ? NULL : ruleset_evaluate(r, first);
    if (rule && rule->statement == STATEMENT_DNAT)
        return rule;
    first->hook = gateway             ? NF_INET_LOCAL_OUT
                  : first->to_gateway ? NF_INET_LOCAL_IN
                                      : NF_INET_FORWARD;
    return ruleset_evaluate(r, first);
}
