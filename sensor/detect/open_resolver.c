/* A machine of our own network, the gateway included, that resolves for strangers: it answers an
 * outside source with data that is not its own (RA without AA, RFC 1035 4.1.1). Whoever may ask it
 * may use it to strike others and to poison its cache (RFC 5358).
 *
 * Worst case in bytes: 1,024 machines of about 500. */
#include "detect/machines.h"

#define RULE "open-resolver"

enum { AA = 0x0400, RA = 0x0080 };

struct open_resolver {
    struct tallied base; /* first */
    uint8_t confidence_one, confidence_two;
};

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct open_resolver *r = context;
    struct machine *m = (struct machine *)item;
    struct finding f;

    (void)now;
    machine_draft(m, r->base.policy, RULE, KIND_OPEN_RESOLVER, &f);
    f.confidence = addr_is_zero(&m->another) ? r->confidence_one : r->confidence_two;
    tallied_say(&r->base, &f);
}

static void open_resolver_use_policy(void *state, const struct policy *p)
{
    struct open_resolver *r = state;

    tallied_use_policy(r, p);
    r->confidence_one = (uint8_t)policy_threshold(p, RULE, "confidence_one", 70);
    r->confidence_two = (uint8_t)policy_threshold(p, RULE, "confidence_two", 95);
}

static void *open_resolver_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct open_resolver),
                                               .item_size = sizeof(struct machine),
                                               .capacity = MACHINES_MOST,
                                               .tell = tell};
    struct open_resolver *r = tallied_create(&shape, setup);

    if (r)
        open_resolver_use_policy(r, setup->policy);
    return r;
}

/* Data that the server has from others: not a refusal, a referral or a zone of its own. */
static bool resolves(const struct dns_message *m)
{
    return dns_is_response(m) && (m->flags & (AA | RA)) == RA && m->rcode == 0 && m->counts[1] > 0;
}

static void open_resolver_observe(void *state, const struct observation *o)
{
    struct open_resolver *r = state;
    struct machine *m;

    if (o->kind != OBSERVE_DNS || o->note.inside != INSIDE_SERVER || o->note.approved ||
        !resolves(&o->dns.message))
        return;
    m = machine_answers(&r->base, o);
    tally_add(r->base.tally, &m->item, 1, o->time);
}

const struct detector detector_open_resolver = {.name = RULE,
                                                .reads = READ_STRANGERS,
                                                .create = open_resolver_create,
                                                .destroy = tallied_destroy,
                                                .use_policy = open_resolver_use_policy,
                                                .observe = open_resolver_observe,
                                                .tick = tallied_tick,
                                                .flush = tallied_flush,
                                                .bytes = tallied_bytes};
