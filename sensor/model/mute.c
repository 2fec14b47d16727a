#include "model/mute.h"

#include <string.h>

#include "base/text.h"
#include "model/policy.h"

static bool fits(const struct policy_mute *m, const struct finding *f)
{
    if (m->rule[0] && strcmp(m->rule, f->rule) != 0)
        return false;
    if (m->kind >= 0 && m->kind != f->kind)
        return false;
    if (m->has_client && (addr_is_zero(&f->client) || !prefix_holds(&m->client, &f->client)))
        return false;
    if (m->has_server && (addr_is_zero(&f->server) || !prefix_holds(&m->server, &f->server)))
        return false;
    return !m->name[0] || (f->name[0] && text_name_below(f->name, m->name));
}

const struct policy_mute *policy_mute_for(const struct policy *p, const struct finding *f,
                                          nsec_t now)
{
    for (size_t i = 0; i < p->mute_count; i++)
        if (now <= p->mutes[i].until && fits(&p->mutes[i], f))
            return &p->mutes[i];
    return NULL;
}

bool mute_names(const struct policy_mute *m, const struct addr *a)
{
    return (m->has_client && prefix_holds(&m->client, a)) ||
           (m->has_server && prefix_holds(&m->server, a));
}
