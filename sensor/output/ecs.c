/* The Elastic Common Schema, 8.11: names of fields, and the values that event.* allows. What it has
 * no name for stays under `sealdns`, as in EVE. */
#include <stdlib.h>
#include <string.h>

#include "output/member.h"
#include "output/output.h"

#define ECS "8.11.0"

static json_t *lower(const char *text)
{
    char copy[32] = "";

    for (size_t i = 0; text && text[i] && i + 1 < sizeof copy; i++)
        copy[i] = (char)(text[i] | (text[i] >= 'A' && text[i] <= 'Z' ? 0x20 : 0));
    return copy[0] ? json_string(copy) : NULL;
}

/* An empty object says nothing: left out. */
static json_t *unless_empty(json_t *object)
{
    if (json_object_size(object))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *unless_empty_list(json_t *list)
{
    if (json_array_size(list))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *event_of_query(const json_t *eve)
{
    json_int_t latency = member_integer(eve, "sealdns.latency_us");
    const char *rcode = member_text(eve, "dns.rcode");

    return json_pack("{s:o, s:s, s:[s], s:[s,s], s:s, s:s, s:s, s:s, s:s*, s:O*, s:O*, s:o*}", "id",
                     member_revision(eve), "kind", "event", "category", "network", "type",
                     "connection", "protocol", "module", "sealdns", "dataset", "sealdns.dns",
                     "provider", "sealdns", "action",
                     member_is_response(eve) ? "dns-response" : "dns-query", "outcome",
                     rcode ? strcmp(rcode, "NOERROR") == 0 ? "success" : "failure" : NULL, "start",
                     member(eve, "sealdns.first"), "end", member(eve, "sealdns.last"), "duration",
                     latency ? json_integer(latency * 1000) : NULL);
}

/* ECS event.category network, intrusion_detection and configuration, and the types they allow. */
static json_t *event_part(const json_t *eve)
{
    const char *action = member_text(eve, "alert.action");
    bool alert = member_is_alert(eve), denied = action && strcmp(action, "blocked") == 0;
    json_t *category = alert ? json_pack("[s,s]", "network", "intrusion_detection")
                             : json_pack("[s]", "configuration");

    return json_pack("{s:o, s:s, s:o, s:[s], s:s, s:s, s:s, s:s*, s:s*, s:O*, s:O*, s:O*}", "id",
                     member_revision(eve), "kind", alert ? "alert" : "event", "category", category,
                     "type",
                     denied  ? "denied"
                     : alert ? "allowed"
                             : "info",
                     "module", "sealdns", "dataset", "sealdns.alert", "provider", "sealdns",
                     "action", member_text(eve, "sealdns.kind"), "code",
                     member_text(eve, "sealdns.rule"), "start", member(eve, "sealdns.first"), "end",
                     member(eve, "sealdns.last"), "severity", member(eve, "alert.severity"));
}

static json_t *rule_part(const json_t *eve)
{
    json_t *id = member(eve, "alert.signature_id"), *revision = member(eve, "alert.rev");

    return json_pack("{s:o*, s:s*, s:s*, s:s, s:o*}", "id",
                     id ? json_sprintf("%lld", (long long)json_integer_value(id)) : NULL, "name",
                     member_text(eve, "alert.signature"), "category",
                     member_text(eve, "alert.category"), "ruleset", "sealdns", "version",
                     revision ? json_sprintf("%lld", (long long)json_integer_value(revision))
                              : NULL);
}

/* EUI-48 as ECS writes it: upper case, by hyphens. */
static json_t *mac_of(const char *text)
{
    char copy[18] = "";

    for (size_t i = 0; text && text[i] && i + 1 < sizeof copy; i++)
        copy[i] = (char)(text[i] == ':' ? '-' : text[i] >= 'a' ? text[i] - 0x20 : text[i]);
    return copy[0] ? json_string(copy) : NULL;
}

static json_t *client_part(const json_t *eve)
{
    return unless_empty(json_pack("{s:O*, s:O*, s:O*, s:o*, s:O*}", "ip", member(eve, "src_ip"),
                                  "address", member(eve, "src_ip"), "port", member(eve, "src_port"),
                                  "mac", mac_of(member_text(eve, "sealdns.client_mac")), "domain",
                                  member(eve, "sealdns.client_name")));
}

static json_t *server_part(const json_t *eve)
{
    json_t *name = member(eve, "tls.sni");

    return unless_empty(json_pack(
        "{s:O*, s:O*, s:O*, s:O*}", "ip", member(eve, "dest_ip"), "address", member(eve, "dest_ip"),
        "port", member(eve, "dest_port"), "domain", name ? name : member(eve, "quic.sni")));
}

static json_t *network_part(const json_t *eve)
{
    const char *transport = member_text(eve, "sealdns.transport");
    bool dns = transport && strcmp(transport, "tls") != 0 && strcmp(transport, "quic") != 0 &&
               strcmp(transport, "other") != 0;
    json_t *vlan = member(eve, "vlan.0"), *id = NULL;

    if (vlan)
        id = json_pack("{s:o}", "id", json_sprintf("%lld", (long long)json_integer_value(vlan)));
    return unless_empty(json_pack("{s:o*, s:s*, s:s*, s:O*, s:o*}", "transport",
                                  lower(member_text(eve, "proto")), "protocol",
                                  dns ? "dns" : transport, "application", transport, "community_id",
                                  member(eve, "community_id"), "vlan", id));
}

/* Flags of the header by their names, and addresses of the answer. */
static json_t *dns_flags(const json_t *eve)
{
    static const struct {
        const char *path, *name;
    } flags[] = {{"dns.aa", "AA"}, {"dns.tc", "TC"}, {"dns.rd", "RD"}, {"dns.ra", "RA"}};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (member(eve, flags[i].path))
            json_array_append_new(list, json_string(flags[i].name));
    return unless_empty_list(list);
}

static json_t *resolved(const json_t *eve)
{
    json_t *list = json_array();

    member_extend(list, eve, "dns.grouped.A");
    member_extend(list, eve, "dns.grouped.AAAA");
    return unless_empty_list(list);
}

static json_t *dns_part(const json_t *eve)
{
    json_t *id = member(eve, "dns.id"), *name = member(eve, "dns.queries.0.rrname"), *question;

    if (!member(eve, "dns"))
        return NULL;
    question = unless_empty(json_pack("{s:O*, s:O*, s:s*}", "name", name, "type",
                                      member(eve, "dns.queries.0.rrtype"), "class",
                                      name && id ? "IN" : NULL));
    return json_pack("{s:s, s:o*, s:O*, s:o*, s:o*, s:o*}", "type",
                     member_is_response(eve) ? "answer" : "query", "id",
                     id ? json_sprintf("%lld", (long long)json_integer_value(id)) : NULL,
                     "response_code", member(eve, "dns.rcode"), "header_flags", dns_flags(eve),
                     "question", question, "resolved_ip", resolved(eve));
}

static json_t *tls_part(const json_t *eve)
{
    const char *version = member_text(eve, "tls.version");
    json_t *client;

    if (!member(eve, "tls"))
        return NULL;
    client = unless_empty(json_pack("{s:O*, s:O*, s:O*}", "server_name", member(eve, "tls.sni"),
                                    "ja3", member(eve, "tls.ja3.hash"), "supported_alpns",
                                    member(eve, "tls.client_alpns")));
    return unless_empty(json_pack("{s:s*, s:s*, s:o*}", "version",
                                  version ? version + strlen("TLS ") : NULL, "version_protocol",
                                  version ? "tls" : NULL, "client", client));
}

static json_t *threat_part(const json_t *eve)
{
    json_t *techniques = member(eve, "alert.metadata.mitre_technique_id");

    if (!json_array_size(techniques))
        return NULL;
    return json_pack("{s:s, s:{s:O}}", "framework", "MITRE ATT&CK", "technique", "id", techniques);
}

static json_t *observer_part(const json_t *eve)
{
    const char *interface = member_text(eve, "in_iface");
    json_t *ingress = NULL;

    if (interface)
        ingress = json_pack("{s:{s:s}}", "interface", "name", interface);
    return json_pack("{s:s, s:s, s:s, s:s, s:O*, s:o*}", "type", "sensor", "vendor", "sealdns",
                     "product", "sealdns", "version", SEALDNS_VERSION, "name", member(eve, "host"),
                     "ingress", ingress);
}

static void relate(json_t *list, const json_t *value)
{
    if (json_is_string(value))
        json_array_append(list, (json_t *)value);
}

static json_t *related_part(const json_t *eve)
{
    json_t *addresses = json_array(), *hosts = json_array();

    relate(addresses, member(eve, "src_ip"));
    relate(addresses, member(eve, "dest_ip"));
    relate(hosts, member(eve, "dns.queries.0.rrname"));
    relate(hosts, member(eve, "tls.sni"));
    relate(hosts, member(eve, "sealdns.client_name"));
    return json_pack("{s:o, s:o}", "ip", addresses, "hosts", hosts);
}

static char *render(const json_t *eve)
{
    char time[TIME_TEXT], sentence[1024], *line;
    json_t *client = client_part(eve), *server = server_part(eve), *document;
    bool dns = member_is_dns(eve);

    document = json_pack(
        "{s:s, s:{s:s}, s:s, s:o, s:o*, s:O*, s:o*, s:O*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o, s:o, "
        "s:O}",
        "@timestamp", member_timestamp(eve, time), "ecs", "version", ECS, "message",
        member_sentence(eve, sentence, sizeof sentence), "event",
        dns ? event_of_query(eve) : event_part(eve), "rule", dns ? NULL : rule_part(eve), "source",
        client, "client", client, "destination", server, "server", server, "network",
        network_part(eve), "dns", dns_part(eve), "tls", tls_part(eve), "threat", threat_part(eve),
        "observer", observer_part(eve), "related", related_part(eve), "sealdns",
        member(eve, "sealdns"));
    line = document ? json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII)
                    : NULL;
    json_decref(document);
    return line;
}

const struct output_format format_ecs = {.name = "ecs", .render = render};
