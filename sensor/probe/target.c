/* Whom a policy wants to be asked, and what it makes of the answers. */
#include <string.h>

#include "base/text.h"
#include "probe/probe.h"

#define DOH_PATH "/dns-query" /* as RFC 8484 has it in its examples, and next to everybody */

uint16_t probe_port(enum transport transport)
{
    switch (transport) {
    case TRANSPORT_DO53_UDP:
    case TRANSPORT_DO53_TCP:
        return 53;
    case TRANSPORT_DOH2:
    case TRANSPORT_DOH3:
        return 443;
    default:
        return 853;
    }
}

/* A wildcard names nobody who could be asked for. */
static void take_names(struct probe_target *t, const struct policy_resolver *r)
{
    for (size_t i = 0; i < r->name_count && t->name_count < PROBE_NAMES; i++) {
        if (r->names[i][0] == '*' || strlen(r->names[i]) >= sizeof t->name[0])
            continue;
        text_copy(t->name[t->name_count++], sizeof t->name[0], r->names[i]);
    }
}

void probe_target_set(struct probe_target *t, const struct policy *p, int16_t resolver,
                      const struct addr *server, enum transport transport)
{
    const struct policy_resolver *r = resolver >= 0 ? &p->resolvers[resolver] : NULL;

    memset(t, 0, sizeof *t);
    t->server = *server;
    t->transport = (uint8_t)transport;
    t->port = probe_port(transport);
    text_copy(t->path, sizeof t->path, DOH_PATH);
    if (!r)
        return;
    text_copy(t->resolver, sizeof t->resolver, r->id);
    text_copy(t->ca, sizeof t->ca, r->ca);
    take_names(t, r);
    for (size_t i = 0; i < r->pin_count && t->pin_count < PROBE_PINS; i++)
        text_copy(t->pin[t->pin_count++], sizeof t->pin[0], r->pins[i]);
}

static bool approves(const struct policy *p, size_t zone, int16_t resolver)
{
    return policy_approves_any(p, (int16_t)zone, resolver, TRANSPORTS_CLEAR | TRANSPORTS_SEALED);
}

/* A zone that cuts other resolvers does not want its own to send clients to them. */
static bool holds_clients(const struct policy_zone *z)
{
    return z->unapproved > ACTION_ALERT || z->cleartext > ACTION_ALERT;
}

void probe_judge(const struct policy *p, const char *id, struct probe_observation *out)
{
    int16_t resolver = policy_resolver_called(p, id);
    int16_t designated = out->designated[0] ? policy_resolver_named(p, out->designated) : -1;

    for (size_t z = 0; resolver >= 0 && z < p->zone_count; z++) {
        if (!approves(p, z, resolver))
            continue;
        for (int c = CANARY_FIREFOX; holds_clients(p->zones + z) && c <= CANARY_RELAY_H2; c++)
            if (out->canary[c] == CANARY_POSITIVE)
                out->faults |= FAULT(FAULT_CANARY);
        if (out->designated[0] && designated != resolver &&
            (designated < 0 || !approves(p, z, designated)))
            out->faults |= FAULT(FAULT_DESIGNATES);
    }
}
