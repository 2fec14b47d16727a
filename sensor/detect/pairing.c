#include "detect/pairing.h"

static bool cuts(enum action a)
{
    return a == ACTION_REJECT || a == ACTION_DROP;
}

enum action pairing_action(const struct policy *p, const struct sighting *s)
{
    if (s->server_port != 443 ||
        policy_exception_for(p, &s->client, s->station, s->resolver, s->time))
        return ACTION_ALLOW;
    return policy_paired(p, s->zone, &s->client, &s->server, s->resolver, s->time);
}

void pairing_ask(const struct pair_sink *to, const struct policy *p, const struct sighting *s,
                 enum pair_proof proof)
{
    struct cut_pair pair = {.client = s->client,
                            .server = s->server,
                            .station = s->station,
                            .resolver = policy_resolver_hash(p, s->resolver),
                            .vlan = s->vlan,
                            .iface = s->iface,
                            .proof = (uint8_t)proof,
                            .transport = s->transport};

    if (!to->put || !p->pairs.timeout || p->mode == MODE_MONITOR || !pair_is_sound(&pair) ||
        !cuts(pairing_action(p, s)) ||
        cuts(policy_kernel(p, s->zone, &s->client, &s->server, s->server_port, s->time)))
        return;
    to->put(to->context, &pair);
}
