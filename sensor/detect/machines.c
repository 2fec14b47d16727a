#include "detect/machines.h"

#include <stdio.h>

#include "base/hash.h"

int machine_askers(const struct machine *m)
{
    return __builtin_popcountll(m->askers);
}

struct machine *machine_answers(struct tallied *t, const struct observation *o)
{
    struct tally_key key = {.client = o->server};
    struct machine *m = (struct machine *)tally_at(t->tally, &key, o->time);

    if (!m->askers) {
        m->seen = sighting_of(o);
        m->qtype = o->dns.message.qtype;
        draft_name(&o->dns.message, m->name, sizeof m->name);
    } else if (addr_equal(&m->seen.client, &o->client)) {
        m->seen.zone = o->note.zone; /* places in the policy, which may be another by now */
        m->seen.resolver = o->note.resolver;
    } else if (addr_is_zero(&m->another)) {
        m->another = o->client;
        m->item.news = true;
    }
    m->askers |= UINT64_C(1) << (hash_bytes(&o->client, sizeof o->client, 0) & 63);
    return m;
}

void machine_draft(struct machine *m, const struct policy *p, const char *rule, enum kind kind,
                   struct finding *f)
{
    char text[ADDR_TEXT];

    draft(f, p, rule, kind, &m->seen, kind == KIND_OPEN_RESOLVER ? SEVERITY_MEDIUM : SEVERITY_LOW);
    tally_finding(&m->item, f);
    f->count = (uint32_t)(m->item.total - m->told);
    m->told = m->item.total;
    f->excepted =
        policy_exception_for(p, &m->item.key.client, f->station, f->resolver, f->time) != NULL;
    f->qtype = m->qtype;
    snprintf(f->name, sizeof f->name, "%s", m->name);
    evidence_string(&f->evidence, "server_is",
                    policy_is_gateway(p, &m->seen.server) ? "gateway" : "internal");
    evidence_integer(&f->evidence, "answers", (int64_t)m->item.total);
    evidence_integer(&f->evidence, "askers_at_least", machine_askers(m));
    if (!addr_is_zero(&m->another))
        evidence_string(&f->evidence, "another_asker", addr_text(&m->another, text));
    evidence_string(&f->evidence, "transport", transport_name(m->seen.transport));
}
