#include "detect/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "detect/draft.h"

bool groups_read(struct groups *g, const struct policy *p)
{
    uint64_t *of = calloc(p->resolver_count + 1, sizeof *of);

    free(g->of);
    g->of = of;
    g->count = of ? p->resolver_count : 0;
    for (size_t i = 0; i < g->count; i++)
        of[i] = hash_bytes(p->resolvers[i].id, strlen(p->resolvers[i].id), 0);
    if (!of)
        log_warning(
            "no memory for the resolvers' groups: each of their addresses counts by itself");
    return of != NULL;
}

void groups_free(struct groups *g)
{
    free(g->of);
}

uint64_t groups_at(const struct groups *g, int16_t resolver, const struct addr *server)
{
    if (resolver >= 0 && (size_t)resolver < g->count)
        return g->of[resolver];
    return hash_bytes(server->b, sizeof server->b, 1);
}

bool groups_attempt(const struct policy *p, const struct observation *o)
{
    bool shared;

    if (transport_is_sealed(o->transport))
        return true;
    if (transport_is_clear(o->transport))
        return false;
    if (o->server_port == 853)
        return true;
    return o->server_port == 443 && o->note.resolver >= 0 &&
           policy_resolver_at(p, &o->server, &shared) >= 0 && !shared;
}

bool groups_cut(const struct policy *p, const struct observation *o)
{
    enum action a;

    if (p->mode != MODE_ENFORCE || !policy_acts_on(p, o->note.zone, &o->client))
        return false;
    a = policy_kernel(p, o->note.zone, &o->client, &o->server, o->server_port, o->time);
    return (a == ACTION_REJECT || a == ACTION_DROP) &&
           !policy_exception_for(p, &o->client, o->station, o->note.resolver, o->time);
}
