#include "detect/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct sighting sighting_of(const struct observation *o)
{
    return (struct sighting){.client = o->client,
                             .server = o->server,
                             .flow_id = o->flow_id,
                             .station = o->station,
                             .time = o->time,
                             .vlan = o->vlan,
                             .iface = o->iface,
                             .client_port = o->client_port,
                             .server_port = o->server_port,
                             .zone = o->note.zone,
                             .resolver = o->note.resolver,
                             .transport = o->transport,
                             .proto = o->proto,
                             .roles = o->note.roles};
}

void draft(struct finding *f, const struct policy *p, const char *rule, enum kind kind,
           const struct sighting *s, enum severity otherwise)
{
    const struct policy_detection *d = policy_detection_named(p, rule);

    memset(f, 0, offsetof(struct finding, evidence));
    evidence_clear(&f->evidence);
    snprintf(f->rule, sizeof f->rule, "%s", rule);
    f->kind = (uint8_t)kind;
    f->severity = (uint8_t)(d ? d->severity : otherwise);
    f->confidence = 100;
    f->transport = s->transport;
    f->proto = s->proto;
    f->cut = ACTION_ALERT;
    f->vlan = s->vlan;
    f->iface = s->iface;
    f->client_port = s->client_port;
    f->server_port = s->server_port;
    f->zone = s->zone;
    f->resolver = s->resolver;
    f->client = s->client;
    f->server = s->server;
    f->flow_id = s->flow_id;
    f->station = s->station;
    f->count = 1;
    f->time = s->time;
}

const struct policy_zone *draft_zone(const struct policy *p, int16_t zone)
{
    return p->zones + (zone >= 0 && (size_t)zone < p->zone_count ? zone : ZONE_DEFAULT);
}

enum severity draft_severity(const struct policy *p, const char *rule, const char *threshold,
                             enum severity otherwise)
{
    int64_t value = policy_threshold(p, rule, threshold, otherwise);

    return value > SEVERITY_NONE && value < SEVERITY_COUNT ? (enum severity)value : otherwise;
}

uint32_t draft_threshold(const struct policy *p, const char *rule, const char *name,
                         uint32_t otherwise)
{
    int64_t value = policy_threshold(p, rule, name, otherwise);

    return (uint32_t)(value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : value);
}

bool draft_is_ordinary(const struct policy *p, const char *rule, const char *name)
{
    const struct policy_detection *d = policy_detection_named(p, rule);

    for (size_t i = 0; i < p->internal_domain_count; i++)
        if (text_name_below(name, p->internal_domains[i]))
            return true;
    for (size_t i = 0; d && i < d->ordinary_count; i++)
        if (text_name_below(name, d->ordinary[i]))
            return true;
    return false;
}

nsec_t draft_idle(const struct policy *p, const char *rule)
{
    int64_t seconds = policy_threshold(p, rule, "idle_s", 600);

    return (seconds > 0 ? seconds : 600) * NSEC_S;
}

void draft_name(const struct dns_message *m, char *out, size_t size)
{
    char text[DNS_NAME_TEXT];
    int length = text_name(m->qname, m->qname_length, text, sizeof text);

    out[0] = '\0';
    if (!m->has_question || length < 0)
        return;
    snprintf(out, size, "%.*s", (int)size - 1, text);
    if ((size_t)length >= size)
        out[size - 2] = '~';
}

void draft_text(char *to, size_t size, const char *from)
{
    if (from[0])
        snprintf(to, size, "%.*s", (int)size - 1, from);
}

void draft_proven(struct finding *f)
{
    f->proof = PROOF_ACTED;
    if (f->cut <= ACTION_ALERT) /* it worked before */
        f->cut = ACTION_REJECT;
    evidence_string(&f->evidence, "proof", "kernel-log");
}

void draft_identified_by(unsigned bits, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < EVIDENCE_SOURCE_COUNT && used < size; i++)
        if (bits & BY(i))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
                                     evidence_source_name(i));
}

bool transport_is_sealed(unsigned transport)
{
    return transport >= TRANSPORT_DOT && transport <= TRANSPORT_DNSCRYPT;
}

bool transport_is_clear(unsigned transport)
{
    return transport == TRANSPORT_DO53_UDP || transport == TRANSPORT_DO53_TCP;
}

void draft_sni(struct evidence *e, const char *name, bool outer)
{
    if (!name[0])
        return;
    evidence_string(e, "sni", name);
    if (outer)
        evidence_string(e, "sni_trust", "outer");
}
