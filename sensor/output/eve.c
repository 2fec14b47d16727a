/* EVE, the native format: shaped so that pipelines made for Suricata take it as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "model/dns.h"
#include "output/community.h"
#include "output/output.h"

static void set_address(json_t *object, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT];

    if (!addr_is_zero(a))
        json_object_set_new(object, key, json_string(addr_text(a, text)));
}

static void set_time(json_t *object, const char *key, nsec_t t)
{
    char text[TIME_TEXT];

    json_object_set_new(object, key, json_string(time_text(t, text)));
}

/* Text of ours is ASCII; anything else would make the document invalid, so it is left out. */
static void set_text(json_t *object, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(object, key, json_string(text));
}

static const char *proto_name(const struct finding *f)
{
    return f->proto == 6 ? "TCP" : f->proto == 17 ? "UDP" : NULL;
}

static void set_flow(json_t *eve, const struct finding *f)
{
    char community[64];

    if (f->flow_id)
        json_object_set_new(eve, "flow_id", json_integer((json_int_t)f->flow_id));
    set_address(eve, "src_ip", &f->client);
    if (f->client_port)
        json_object_set_new(eve, "src_port", json_integer(f->client_port));
    set_address(eve, "dest_ip", &f->server);
    if (f->server_port)
        json_object_set_new(eve, "dest_port", json_integer(f->server_port));
    if (proto_name(f))
        json_object_set_new(eve, "proto", json_string(proto_name(f)));
    if (f->vlan)
        json_object_set_new(eve, "vlan", json_pack("[i]", f->vlan));
    if (f->client_port && f->server_port && community_id(f, community))
        json_object_set_new(eve, "community_id", json_string(community));
}

static json_t *metadata(const struct policy_detection *d)
{
    json_t *all = json_object(), *attack = json_array(), *controls = json_array();
    char copy[sizeof d->metadata], *rest = copy;

    memcpy(copy, d->metadata, sizeof copy);
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        if (!*word)
            continue;
        if (word[0] == 'T' && word[1] >= '0' && word[1] <= '9')
            json_array_append_new(attack, json_string(word));
        else
            json_array_append_new(controls, json_string(word));
    }
    json_object_set_new(all, "mitre_technique_id", attack);
    json_object_set_new(all, "control_id", controls);
    return all;
}

static json_t *alert(const struct event *e, const struct policy *policy)
{
    const struct finding *f = &e->finding;
    const struct policy_detection *d = policy ? policy_detection_named(policy, f->rule) : NULL;
    json_t *a = json_object();
    uint32_t signature = 8530000;

    if (d)
        signature = f->transport < TRANSPORT_COUNT && d->signatures[f->transport]
                        ? d->signatures[f->transport]
                        : d->signature_id;
    json_object_set_new(a, "action",
                        json_string(e->verdict == VERDICT_BLOCKED ? "blocked" : "allowed"));
    json_object_set_new(a, "gid", json_integer(1));
    json_object_set_new(a, "signature_id", json_integer(signature));
    json_object_set_new(a, "rev", json_integer(d ? d->revision : 1));
    json_object_set_new(a, "signature", json_string(d ? d->title : f->rule));
    json_object_set_new(a, "category", json_string(d ? d->category : ""));
    json_object_set_new(a, "severity", json_integer(f->severity));
    if (d)
        json_object_set_new(a, "metadata", metadata(d));
    return a;
}

static const char *version_name(uint16_t version)
{
    static const char *const tls[] = {"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};

    return version >= 0x0301 && version <= 0x0304 ? tls[version - 0x0301] : NULL;
}

static const char *type_name(uint16_t type, char text[16])
{
    static const struct {
        uint16_t type;
        const char *name;
    } known[] = {{1, "A"},     {2, "NS"},   {5, "CNAME"}, {6, "SOA"},    {10, "NULL"},  {12, "PTR"},
                 {15, "MX"},   {16, "TXT"}, {28, "AAAA"}, {33, "SRV"},   {41, "OPT"},   {64, "SVCB"},
                 {65, "HTTPS"}, {251, "IXFR"}, {252, "AXFR"}, {255, "ANY"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].type == type)
            return known[i].name;
    snprintf(text, 16, "TYPE%u", type); /* RFC 3597 5 */
    return text;
}

static json_t *dns(const struct finding *f)
{
    char text[16];

    return json_pack("{s:i,s:s,s:[{s:s,s:s}]}", "version", 3, "type", "request", "queries", "rrname",
                     f->name, "rrtype", type_name(f->qtype, text));
}

static json_t *tls(const struct finding *f)
{
    json_t *t = json_object();

    set_text(t, "sni", f->name);
    if (version_name(f->tls_version))
        json_object_set_new(t, "version", json_string(version_name(f->tls_version)));
    set_text(t, "client_alpns", f->alpn);
    if (f->ja3[0])
        json_object_set_new(t, "ja3", json_pack("{s:s}", "hash", f->ja3));
    return t;
}

static void set_protocol(json_t *eve, const struct finding *f)
{
    if (f->qtype)
        json_object_set_new(eve, "dns", dns(f));
    else if (f->transport == TRANSPORT_DOT || f->transport == TRANSPORT_DOH2 ||
             f->transport == TRANSPORT_TLS)
        json_object_set_new(eve, "tls", tls(f));
    else if (f->transport == TRANSPORT_DOQ || f->transport == TRANSPORT_DOH3)
        json_object_set_new(eve, "quic", json_pack("{s:s}", "sni", f->name));
}

static json_t *evidence(const struct finding *f)
{
    char text[EVIDENCE_SIZE + 4];
    json_t *object;

    snprintf(text, sizeof text, "{%s}", f->evidence.text);
    object = json_loads(text, 0, NULL);
    if (!object)
        object = json_object();
    if (f->evidence.truncated)
        json_object_set_new(object, "truncated", json_true());
    return object;
}

static json_t *own_part(const struct record *r, const struct policy *policy)
{
    const struct event *e = &r->event;
    const struct finding *f = &e->finding;
    json_t *s = json_object();

    json_object_set_new(s, "kind", json_string(kind_name(f->kind)));
    json_object_set_new(s, "id", json_string(e->id));
    json_object_set_new(s, "revision", json_integer(e->revision));
    json_object_set_new(s, "state", json_string(state_name(e->state)));
    set_address(s, "client", &f->client);
    set_address(s, "server", &f->server);
    set_text(s, "zone", r->zone);
    set_text(s, "resolver", r->resolver);
    if (f->transport)
        set_text(s, "transport", transport_name(f->transport));
    json_object_set_new(s, "rule", json_string(f->rule));
    json_object_set_new(s, "confidence", json_integer(f->confidence));
    json_object_set_new(s, "evidence", evidence(f));
    json_object_set_new(s, "verdict", json_string(verdict_name(e->verdict)));
    json_object_set_new(s, "count", json_integer((json_int_t)e->count));
    set_time(s, "first", e->first);
    set_time(s, "last", e->last);
    if (policy)
        set_text(s, "policy", policy->digest);
    return s;
}

static const char *in_iface(const struct finding *f, const struct policy *policy)
{
    return policy && f->iface < policy->interface_count ? policy->interfaces[f->iface] : "";
}

char *eve_render(const struct record *r, const struct policy *policy)
{
    const struct finding *f = &r->event.finding;
    bool own = f->kind == KIND_SENSOR || f->kind == KIND_ENFORCEMENT;
    char text[TIME_TEXT], *line;
    json_t *eve = json_object();

    json_object_set_new(eve, "timestamp", json_string(time_text_eve(f->time, text)));
    set_text(eve, "in_iface", in_iface(f, policy));
    json_object_set_new(eve, "event_type", json_string(own ? "sealdns" : "alert"));
    set_flow(eve, f);
    if (policy)
        set_text(eve, "host", policy->name);
    if (!own)
        json_object_set_new(eve, "alert", alert(&r->event, policy));
    set_protocol(eve, f);
    json_object_set_new(eve, "sealdns", own_part(r, policy));
    line = json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(eve);
    return line;
}

static char *render(const json_t *eve)
{
    return json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

const struct output_format format_eve = {"eve", render};
