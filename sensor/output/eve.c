/* EVE, the native format: shaped so that pipelines made for Suricata take it as it is. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "model/mute.h"
#include "output/community.h"
#include "output/dns_words.h"
#include "output/output.h"

#define LINE 16384 /* more than the longest event: its parts are bounded */

static void set_address(struct json_writer *w, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT];

    if (!addr_is_zero(a))
        json_string_member(w, key, addr_text(a, text));
}

static void set_time(struct json_writer *w, const char *key, nsec_t t)
{
    char text[TIME_TEXT];

    json_string_member(w, key, time_text(t, text));
}

static void set_text(struct json_writer *w, const char *key, const char *text)
{
    if (text[0])
        json_string_member(w, key, text);
}

/* A key that is always there. */
static void set_text_or_null(struct json_writer *w, const char *key, const char *text)
{
    if (text[0])
        json_string_member(w, key, text);
    else
        json_raw_member(w, key, "null");
}

static void set_address_or_null(struct json_writer *w, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT];

    set_text_or_null(w, key, addr_is_zero(a) ? "" : addr_text(a, text));
}

static void set_number(struct json_writer *w, const char *key, uint64_t number)
{
    if (number)
        json_integer_member(w, key, (int64_t)number);
}

static const char *proto_name(const struct finding *f)
{
    return f->proto == 6 ? "TCP" : f->proto == 17 ? "UDP" : "";
}

static void set_flow(struct json_writer *w, const struct finding *f)
{
    char community[64];

    set_number(w, "flow_id", f->flow_id);
    set_address(w, "src_ip", &f->client);
    set_number(w, "src_port", f->client_port);
    set_address(w, "dest_ip", &f->server);
    set_number(w, "dest_port", f->server_port);
    set_text(w, "proto", proto_name(f));
    if (f->vlan) {
        json_open(w, "vlan", '[');
        json_integer_member(w, NULL, f->vlan);
        json_close(w, ']');
    }
    if (f->client_port && f->server_port && community_id(f, community))
        json_string_member(w, "community_id", community);
}

static bool is_technique(const char *word)
{
    return word[0] == 'T' && word[1] >= '0' && word[1] <= '9';
}

static void set_words(struct json_writer *w, const char *key, const struct policy_detection *d,
                      bool techniques)
{
    char copy[sizeof d->metadata], *rest = copy;

    memcpy(copy, d->metadata, sizeof copy);
    json_open(w, key, '[');
    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        if (*word && is_technique(word) == techniques)
            json_string_member(w, NULL, word);
    json_close(w, ']');
}

static void set_alert(struct json_writer *w, const struct event *e, const struct policy *policy)
{
    const struct finding *f = &e->finding;
    const struct policy_detection *d = policy ? policy_detection_named(policy, f->rule) : NULL;
    uint32_t signature = 8530000;

    if (d)
        signature = f->transport < TRANSPORT_COUNT && d->signatures[f->transport]
                        ? d->signatures[f->transport]
                        : d->signature_id;
    json_open(w, "alert", '{');
    json_string_member(w, "action", e->verdict == VERDICT_BLOCKED ? "blocked" : "allowed");
    json_integer_member(w, "gid", 1);
    json_integer_member(w, "signature_id", signature);
    json_integer_member(w, "rev", d ? d->revision : 1);
    json_string_member(w, "signature", d ? d->title : f->rule);
    json_string_member(w, "category", d ? d->category : "");
    json_integer_member(w, "severity", f->severity);
    if (d) {
        json_open(w, "metadata", '{');
        set_words(w, "mitre_technique_id", d, true);
        set_words(w, "control_id", d, false);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static const char *version_name(uint16_t version)
{
    static const char *const tls[] = {"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};

    return version >= 0x0301 && version <= 0x0304 ? tls[version - 0x0301] : "";
}

static void set_dns(struct json_writer *w, const struct finding *f)
{
    char text[DNS_WORD];

    json_open(w, "dns", '{');
    json_integer_member(w, "version", 3);
    json_string_member(w, "type", "request");
    json_open(w, "queries", '[');
    json_open(w, NULL, '{');
    json_string_member(w, "rrname", f->name);
    json_string_member(w, "rrtype", dns_type_word(f->qtype, text));
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

static void set_alpns(struct json_writer *w, const struct finding *f)
{
    char copy[sizeof f->alpn], *rest = copy;

    if (!f->alpn[0])
        return;
    memcpy(copy, f->alpn, sizeof copy);
    json_open(w, "client_alpns", '[');
    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        if (*word)
            json_string_member(w, NULL, word);
    json_close(w, ']');
}

/* The outer name of ECH (RFC 9849) says nothing of whom the client talks to. */
static void set_sni(struct json_writer *w, const struct finding *f)
{
    set_text(w, "sni", f->name);
    if (f->sni_outer)
        json_string_member(w, "sni_trust", "outer");
}

static void set_tls(struct json_writer *w, const struct finding *f)
{
    json_open(w, "tls", '{');
    set_sni(w, f);
    set_text(w, "version", version_name(f->tls_version));
    set_alpns(w, f);
    if (f->ja3[0]) {
        json_open(w, "ja3", '{');
        json_string_member(w, "hash", f->ja3);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void set_protocol(struct json_writer *w, const struct finding *f)
{
    switch (f->qtype ? TRANSPORT_DO53_UDP : f->transport) {
    case TRANSPORT_DO53_UDP:
        if (f->qtype)
            set_dns(w, f);
        break;
    case TRANSPORT_DOT:
    case TRANSPORT_DOH2:
    case TRANSPORT_TLS:
        set_tls(w, f);
        break;
    case TRANSPORT_DOQ:
    case TRANSPORT_DOH3:
        json_open(w, "quic", '{');
        set_sni(w, f);
        json_close(w, '}');
        break;
    default:
        break;
    }
}

static void set_evidence(struct json_writer *w, const struct evidence *e)
{
    json_open(w, "evidence", '{');
    if (e->used)
        json_raw_member(w, NULL, e->text);
    if (e->truncated)
        json_raw_member(w, "truncated", "true");
    json_close(w, '}');
}

/* Who the client is, where that is known. */
static void set_client(struct json_writer *w, const struct client_identity *c)
{
    char mac[STATION_TEXT];

    set_text(w, "client_name", c->host);
    if (c->station)
        json_string_member(w, "client_mac", station_text(c->station, mac));
}

/* Whose decision it was that nobody is told. */
static void set_muted(struct json_writer *w, const struct finding *f, const struct policy *policy)
{
    const struct policy_mute *m = policy ? policy_mute_for(policy, f, f->time) : NULL;

    if (f->muted == SEVERITY_NONE)
        return;
    json_open(w, "muted", '{');
    json_integer_member(w, "severity", f->muted);
    if (m) { /* else the policy has changed meanwhile */
        json_string_member(w, "owner", m->owner);
        json_string_member(w, "reason", m->reason);
        set_time(w, "until", m->until);
    }
    json_close(w, '}');
}

static void set_own_part(struct json_writer *w, const struct record *r, const struct policy *policy)
{
    const struct event *e = &r->event;
    const struct finding *f = &e->finding;

    json_open(w, "sealdns", '{');
    json_string_member(w, "kind", kind_name(f->kind));
    json_string_member(w, "id", e->id);
    json_integer_member(w, "revision", e->revision);
    json_string_member(w, "state", state_name(e->state));
    set_address_or_null(w, "client", &f->client);
    set_client(w, &r->client);
    set_address_or_null(w, "server", &f->server);
    set_text_or_null(w, "zone", r->zone);
    set_text(w, "resolver", r->resolver);
    if (f->transport)
        json_string_member(w, "transport", transport_name(f->transport));
    json_string_member(w, "rule", f->rule);
    json_integer_member(w, "confidence", f->confidence);
    set_evidence(w, &f->evidence);
    json_string_member(w, "verdict", verdict_name(e->verdict));
    json_integer_member(w, "count", (int64_t)e->count);
    set_time(w, "first", e->first);
    set_time(w, "last", e->last);
    set_muted(w, f, policy);
    if (policy)
        set_text(w, "policy", policy->digest);
    json_close(w, '}');
}

static const char *in_iface(const struct finding *f, const struct policy *policy)
{
    return policy && f->iface < policy->interface_count ? policy->interfaces[f->iface] : "";
}

char *eve_render(const struct record *r, const struct policy *policy)
{
    const struct finding *f = &r->event.finding;
    bool own = f->kind == KIND_SENSOR || f->kind == KIND_ENFORCEMENT;
    char line[LINE], text[TIME_TEXT];
    struct json_writer w = json_writer_over(line, sizeof line);

    json_open(&w, NULL, '{');
    json_string_member(&w, "timestamp", time_text_eve(f->time, text));
    set_text(&w, "in_iface", in_iface(f, policy));
    json_string_member(&w, "event_type", own ? "sealdns" : "alert");
    set_text(&w, "capture_file", r->capture);
    set_flow(&w, f);
    if (policy)
        set_text(&w, "host", policy->name);
    if (!own)
        set_alert(&w, &r->event, policy);
    set_protocol(&w, f);
    set_own_part(&w, r, policy);
    json_close(&w, '}');
    assert(!w.full);
    return strdup(line);
}

static char *render(const json_t *eve)
{
    return json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
}

const struct output_format format_eve = {.name = "eve", .render = render};
