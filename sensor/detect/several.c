/* An address behind which several clients are (NAT in front of the sensor): what the sensor cannot
 * see. Profiles and baselines of such an address are of all of them together, and it says so. */
#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE      "several-clients"
#define ADDRESSES 2048

struct address {
    struct tally_item item; /* first; counts queries */
    struct sighting seen;
    uint8_t ttl, another; /* of its queries: the first, and the last that was another */
};

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct tallied *t = context;
    struct address *a = (struct address *)item;
    struct finding f;

    (void)now;
    draft(&f, t->policy, RULE, KIND_SENSOR, &a->seen, SEVERITY_INFORMATIONAL);
    tally_finding(item, &f);
    f.server = (struct addr){.w = {0, 0}};
    f.server_port = 0;
    evidence_string(&f.evidence, "client_is", "several clients");
    evidence_integer(&f.evidence, "ttl", a->ttl);
    if (a->another)
        evidence_integer(&f.evidence, "another_ttl", a->another);
    tallied_say(t, &f);
}

static void *several_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct tallied),
                                               .item_size = sizeof(struct address),
                                               .capacity = ADDRESSES,
                                               .tell = tell};

    return tallied_create(&shape, setup);
}

static void several_observe(void *state, const struct observation *o)
{
    struct tallied *t = state;
    struct tally_key key = {.client = o->client, .server = o->client, .zone = o->note.zone};
    struct address *a;

    if (!(o->note.roles & ROLE_SEVERAL) || o->kind != OBSERVE_DNS ||
        dns_is_response(&o->dns.message))
        return;
    a = (struct address *)tally_at(t->tally, &key, o->time);
    a->seen = sighting_of(o);
    if (!a->item.total)
        a->ttl = o->ttl;
    else if (o->ttl != a->ttl)
        a->another = o->ttl;
    tally_add(t->tally, &a->item, 1, o->time);
}

const struct detector detector_several = {.name = RULE,
                                          .reads = READ_SEVERAL,
                                          .create = several_create,
                                          .destroy = tallied_destroy,
                                          .use_policy = tallied_use_policy,
                                          .observe = several_observe,
                                          .tick = tallied_tick,
                                          .flush = tallied_flush,
                                          .bytes = tallied_bytes};
