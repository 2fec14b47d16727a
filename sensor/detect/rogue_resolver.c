/* A machine inside that nobody knows as a resolver answers clients on port 53 with recursion
 * available: a forgotten forwarder, or somebody who wants to be asked. It says something only where
 * it is known who resolves here: the gateway, a resolver of the policy that is inside, a role.
 *
 * Worst case in bytes: 1,024 machines of about 500. */
#include "detect/machines.h"

#define RULE "rogue-resolver"

enum { RA = 0x0080, NXDOMAIN = 3, BOTH_INSIDE = INSIDE_CLIENT | INSIDE_SERVER };

struct rogue_resolver {
    struct tallied base; /* first */
    uint64_t answers_min;
    int askers_many;
    uint8_t severity_many;
    bool known; /* who resolves here */
};

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct rogue_resolver *r = context;
    struct machine *m = (struct machine *)item;
    struct finding f;

    (void)now;
    if (item->total < r->answers_min)
        return;
    machine_draft(m, r->base.policy, RULE, KIND_UNAPPROVED_RESOLVER, &f);
    if (machine_askers(m) >= r->askers_many && r->severity_many < f.severity)
        f.severity = r->severity_many;
    f.confidence = 90;
    tallied_say(&r->base, &f);
}

/* Without any of them every resolver of the house is unknown, and none of them strange. */
static bool somebody_is_known(const struct policy *p)
{
    if (p->gateway_count || p->role_count)
        return true;
    for (size_t i = 0; i < p->resolver_count; i++)
        for (size_t k = 0; p->resolvers[i].from_policy && k < p->resolvers[i].address_count; k++)
            if (policy_is_inside(p, &p->resolvers[i].addresses[k].addr))
                return true;
    return false;
}

static void rogue_resolver_use_policy(void *state, const struct policy *p)
{
    struct rogue_resolver *r = state;

    tallied_use_policy(r, p);
    r->answers_min = (uint64_t)policy_threshold(p, RULE, "answers_min", 3);
    r->askers_many = (int)policy_threshold(p, RULE, "askers_many", 3);
    r->severity_many = (uint8_t)draft_severity(p, RULE, "severity_many", SEVERITY_MEDIUM);
    r->known = somebody_is_known(p);
}

static void *rogue_resolver_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct rogue_resolver),
                                               .item_size = sizeof(struct machine),
                                               .capacity = MACHINES_MOST,
                                               .tell = tell};
    struct rogue_resolver *r = tallied_create(&shape, setup);

    if (r)
        rogue_resolver_use_policy(r, setup->policy);
    return r;
}

static bool resolves(const struct dns_message *m)
{
    return dns_is_response(m) && m->flags & RA &&
           (m->rcode == NXDOMAIN || (m->rcode == 0 && m->counts[1] > 0));
}

static bool is_known(const struct rogue_resolver *r, const struct addr *server)
{
    return policy_is_gateway(r->base.policy, server) ||
           policy_roles_of(r->base.policy, server) & (ROLE_RECURSIVE | ROLE_FORWARDER);
}

static void rogue_resolver_observe(void *state, const struct observation *o)
{
    struct rogue_resolver *r = state;
    struct machine *m;
    int askers;

    if (o->kind != OBSERVE_DNS || o->note.inside != BOTH_INSIDE || o->note.approved ||
        o->note.resolver >= 0 || !r->known || !resolves(&o->dns.message))
        return;
    if (o->dns.match != ANSWER_MATCHED || addr_equal(&o->client, &o->server) ||
        is_known(r, &o->server))
        return;
    m = machine_answers(&r->base, o);
    askers = machine_askers(m);
    m->item.news |= m->item.total + 1 == r->answers_min || (askers == r->askers_many && !m->many);
    m->many |= askers >= r->askers_many;
    tally_add(r->base.tally, &m->item, 1, o->time);
}

const struct detector detector_rogue_resolver = {.name = RULE,
                                                 .reads = READ_NEIGHBOURS,
                                                 .create = rogue_resolver_create,
                                                 .destroy = tallied_destroy,
                                                 .use_policy = rogue_resolver_use_policy,
                                                 .observe = rogue_resolver_observe,
                                                 .tick = tallied_tick,
                                                 .flush = tallied_flush,
                                                 .bytes = tallied_bytes};
