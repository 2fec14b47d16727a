#include <stdio.h>

#include "conf/conf.h"

#define FEW 4 /* of which half is soon gone on purpose */

struct counts {
    size_t entries, addresses; /* of the catalogue, also where the policy took them over */
    size_t resolvers, zones, networks;
};

static struct counts counts_of(const struct policy *p)
{
    struct counts c = {.zones = p->zone_count};

    for (size_t i = 0; i < p->resolver_count; i++) {
        const struct policy_resolver *r = p->resolvers + i;

        c.resolvers += r->from_policy;
        if (r->from_policy && !r->catalog[0])
            continue;
        c.entries++;
        c.addresses += r->address_count;
    }
    for (size_t z = 0; z < p->zone_count; z++)
        c.networks += p->zones[z].network_count;
    return c;
}

bool conf_shrank(const struct policy *old, const struct policy *anew, char *why, size_t size)
{
    const struct counts before = counts_of(old), after = counts_of(anew);
    const struct {
        const char *what;
        size_t before, after;
    } lists[] = {{"the catalogue's resolvers", before.entries, after.entries},
                 {"the catalogue's addresses", before.addresses, after.addresses},
                 {"the policy's resolvers", before.resolvers, after.resolvers},
                 {"the zones", before.zones, after.zones},
                 {"the zones' networks", before.networks, after.networks}};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].before >= FEW && 2 * lists[i].after <= lists[i].before) {
            snprintf(why, size, "%s shrank from %zu to %zu", lists[i].what, lists[i].before,
                     lists[i].after);
            return true;
        }
    return false;
}
