/* The Open Cybersecurity Schema Framework 1.3: an alert is a Detection Finding (class 2004) with
 * the profile security_control; what the sensor says of itself and its rules is one as well,
 * severity informational. What it has no name for is `unmapped`, as in EVE. */
#include <stdlib.h>
#include <string.h>

#include "output/dns_words.h"
#include "output/member.h"
#include "output/output.h"

#define SCHEMA "1.3.0"

enum { CATEGORY = 2, CLASS = 2004 };
enum { CATEGORY_NETWORK = 4, CLASS_DNS = 4003 };
enum { ACTIVITY_QUERY = 1, ACTIVITY_RESPONSE = 2, ACTIVITY_TRAFFIC = 6 };
enum { ACTIVITY_CREATE = 1, ACTIVITY_UPDATE, ACTIVITY_CLOSE };

static int activity_of(const json_t *eve)
{
    const char *state = member_text(eve, "sealdns.state");

    if (state && strcmp(state, "final") == 0)
        return ACTIVITY_CLOSE;
    return member_integer(eve, "sealdns.revision") > 1 ? ACTIVITY_UPDATE : ACTIVITY_CREATE;
}

/* Of EVE's 1 (high) to 4 (informational) to OCSF's 1 (informational) to 4 (high). */
static int severity_of_alert(const json_t *eve)
{
    json_int_t severity = member_integer(eve, "alert.severity");

    return severity >= 1 && severity <= 4 ? (int)(5 - severity) : 1;
}

static const char *severity_caption(int severity)
{
    static const char *const captions[] = {"Unknown", "Informational", "Low", "Medium", "High"};

    return captions[severity];
}

static const char *activity_caption(int activity)
{
    static const char *const captions[] = {"Unknown", "Create", "Update", "Close"};

    return captions[activity];
}

/* RFC 8259 strings of EVE stay strings; times are milliseconds. */
static json_t *time_at(const json_t *eve, const char *path)
{
    int64_t t = member_milliseconds(eve, path);

    return t ? json_integer(t) : NULL;
}

static json_t *metadata_part(const json_t *eve)
{
    return json_pack("{s:s, s:[s], s:{s:s, s:s, s:s}, s:o*, s:O*, s:s, s:s*}", "version", SCHEMA,
                     "profiles", "security_control", "product", "name", "sealdns", "vendor_name",
                     "sealdns", "version", SEALDNS_VERSION, "uid", member_revision(eve),
                     "correlation_uid", member(eve, "community_id"), "log_name", "eve",
                     "event_code", member_text(eve, "sealdns.rule"));
}

static json_t *attacks_part(const json_t *eve)
{
    const json_t *techniques = member(eve, "alert.metadata.mitre_technique_id");
    json_t *attacks = json_array(), *technique;
    size_t i;

    json_array_foreach(techniques, i, technique)
    {
        const char *id = json_string_value(technique);
        bool sub = id && strchr(id, '.');

        json_array_append_new(
            attacks, json_pack("{s:{s:O}}", sub ? "sub_technique" : "technique", "uid", technique));
    }
    if (json_array_size(attacks))
        return attacks;
    json_decref(attacks);
    return NULL;
}

static json_t *finding_part(const json_t *eve, const char *sentence)
{
    const char *title = member_text(eve, "alert.signature");

    return json_pack("{s:s*, s:s, s:s, s:o*, s:o*, s:{s:s, s:i, s:s*, s:O*}, s:[s*], s:o*}", "uid",
                     member_text(eve, "sealdns.id"), "title", title ? title : sentence, "desc",
                     sentence, "first_seen_time", time_at(eve, "sealdns.first"), "last_seen_time",
                     time_at(eve, "sealdns.last"), "analytic", "type", "Rule", "type_id", 1, "name",
                     member_text(eve, "sealdns.rule"), "uid", member(eve, "sealdns.rule"), "types",
                     member_text(eve, "sealdns.kind"), "attacks", attacks_part(eve));
}

static json_t *endpoint(json_t *ip, json_t *port, json_t *name, json_t *mac)
{
    if (!ip)
        return NULL;
    return json_pack("{s:O, s:O*, s:O*, s:O*}", "ip", ip, "port", port, "hostname", name, "mac",
                     mac);
}

static json_t *connection_part(const json_t *eve)
{
    const char *proto = member_text(eve, "proto");
    bool udp = proto && strcmp(proto, "UDP") == 0;

    if (!proto)
        return NULL;
    return json_pack("{s:i, s:s, s:s, s:i, s:O*}", "direction_id", 2, "direction", "Outbound",
                     "protocol_name", udp ? "udp" : "tcp", "protocol_num", udp ? 17 : 6, "uid",
                     member(eve, "community_id"));
}

static json_t *query_part(const json_t *eve)
{
    json_t *name = member(eve, "dns.queries.0.rrname");

    if (!name)
        return NULL;
    return json_pack("{s:O, s:O*, s:s}", "hostname", name, "type",
                     member(eve, "dns.queries.0.rrtype"), "class", "IN");
}

/* tls.version is required where there is a tls. */
static json_t *tls_part(const json_t *eve)
{
    const char *version = member_text(eve, "tls.version");

    if (!version)
        return NULL;
    return json_pack("{s:s, s:O*}", "version", version + strlen("TLS "), "sni",
                     member(eve, "tls.sni"));
}

static json_t *evidences_part(const json_t *eve)
{
    json_t *sni = member(eve, "tls.sni");

    return json_pack("[{s:o*, s:o*, s:o*, s:o*, s:o*, s:O*}]", "src_endpoint",
                     endpoint(member(eve, "src_ip"), member(eve, "src_port"),
                              member(eve, "sealdns.client_name"),
                              member(eve, "sealdns.client_mac")),
                     "dst_endpoint",
                     endpoint(member(eve, "dest_ip"), member(eve, "dest_port"),
                              sni ? sni : member(eve, "quic.sni"), NULL),
                     "connection_info", connection_part(eve), "query", query_part(eve), "tls",
                     tls_part(eve), "data", member(eve, "sealdns.evidence"));
}

static void observe(json_t *list, const char *name, int type, const char *caption,
                    const char *value)
{
    if (value)
        json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s}", "name", name, "type_id", type,
                                              "type", caption, "value", value));
}

static json_t *observables_part(const json_t *eve)
{
    json_t *list = json_array();

    observe(list, "evidences[].src_endpoint.ip", 2, "IP Address", member_text(eve, "src_ip"));
    observe(list, "evidences[].dst_endpoint.ip", 2, "IP Address", member_text(eve, "dest_ip"));
    observe(list, "evidences[].query.hostname", 1, "Hostname",
            member_text(eve, "dns.queries.0.rrname"));
    observe(list, "evidences[].tls.sni", 1, "Hostname", member_text(eve, "tls.sni"));
    return list;
}

/* The profile security_control: action 1 allowed, 2 denied; disposition 2 blocked, 17 logged. */
static void control(json_t *document, const json_t *eve)
{
    const char *action = member_text(eve, "alert.action");
    bool denied = action && strcmp(action, "blocked") == 0;

    json_object_set_new(document, "action_id", json_integer(denied ? 2 : 1));
    json_object_set_new(document, "action", json_string(denied ? "Denied" : "Allowed"));
    json_object_set_new(document, "disposition_id", json_integer(denied ? 2 : 17));
    json_object_set_new(document, "disposition", json_string(denied ? "Blocked" : "Logged"));
}

/* RFC 1035 4.1.1, RFC 6895: the number of its word. */
static int rcode_of(const char *word)
{
    char text[DNS_WORD];

    for (unsigned i = 0; i < 16; i++)
        if (strcmp(dns_rcode_word((uint8_t)i, text), word) == 0)
            return (int)i;
    return 99;
}

static json_t *answers_part(const json_t *eve)
{
    static const char *const types[] = {"A", "AAAA"};
    json_t *list = json_array(), *one;
    size_t i;

    for (size_t t = 0; t < 2; t++)
        json_array_foreach(json_object_get(member(eve, "dns.grouped"), types[t]), i, one)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:O}", "class", "IN", "type", types[t], "rdata", one));
    if (json_array_size(list))
        return list;
    json_decref(list);
    return NULL;
}

/* A line of the query log is DNS Activity (class 4003): a query, a response, or as a sum of what is
 * encrypted, traffic. */
static char *render_query(const json_t *eve)
{
    bool response = member_is_response(eve), sealed = member(eve, "sealdns.sealed") != NULL;
    int activity = sealed ? ACTIVITY_TRAFFIC : response ? ACTIVITY_RESPONSE : ACTIVITY_QUERY;
    const char *rcode = member_text(eve, "dns.rcode");
    json_t *metadata = metadata_part(eve), *document;
    char sentence[1024], *line;

    member_sentence(eve, sentence, sizeof sentence);
    json_object_del(metadata, "profiles"); /* nothing was decided */
    document = json_pack(
        "{s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:i, s:s, s:o, s:s, s:O*, s:o*, s:o*, s:o, s:o*, "
        "s:o*, s:o*, s:o*, s:o*, s:o*, s:s*, s:O*}",
        "category_uid", CATEGORY_NETWORK, "category_name", "Network Activity", "class_uid",
        CLASS_DNS, "class_name", "DNS Activity", "activity_id", activity, "activity_name",
        sealed     ? "Traffic"
        : response ? "Response"
                   : "Query",
        "type_uid", CLASS_DNS * 100 + activity, "severity_id", 1, "severity", "Informational",
        "time", json_integer(member_milliseconds(eve, "timestamp")), "message", sentence, "count",
        member(eve, "sealdns.count"), "start_time", time_at(eve, "sealdns.first"), "end_time",
        time_at(eve, "sealdns.last"), "metadata", metadata, "src_endpoint",
        endpoint(member(eve, "src_ip"), member(eve, "src_port"), NULL, NULL), "dst_endpoint",
        endpoint(member(eve, "dest_ip"), member(eve, "dest_port"), NULL, NULL), "connection_info",
        connection_part(eve), "query", query_part(eve), "answers", answers_part(eve), "rcode_id",
        rcode ? json_integer(rcode_of(rcode)) : NULL, "rcode", rcode, "unmapped",
        member(eve, "sealdns"));
    line = document ? json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII)
                    : NULL;
    json_decref(document);
    return line;
}

static char *render_finding(const json_t *eve)
{
    int activity = activity_of(eve), severity = severity_of_alert(eve);
    char sentence[1024], *line;
    json_t *document;

    member_sentence(eve, sentence, sizeof sentence);
    document = json_pack(
        "{s:i, s:s, s:s, s:i, s:i, s:s, s:i, s:i, s:s, s:i, s:o, s:s, s:O*, s:O*, s:o*, s:o*, s:s, "
        "s:o, s:o, s:o, s:o, s:O*}",
        "category_uid", CATEGORY, "category_name", "Findings", "class_name", "Detection Finding",
        "class_uid", CLASS, "activity_id", activity, "activity_name", activity_caption(activity),
        "type_uid", CLASS * 100 + activity, "severity_id", severity, "severity",
        severity_caption(severity), "status_id", activity == ACTIVITY_CLOSE ? 4 : 1, "time",
        json_integer(member_milliseconds(eve, "timestamp")), "message", sentence,
        "confidence_score", member(eve, "sealdns.confidence"), "count",
        member(eve, "sealdns.count"), "start_time", time_at(eve, "sealdns.first"), "end_time",
        time_at(eve, "sealdns.last"), "status", activity == ACTIVITY_CLOSE ? "Resolved" : "New",
        "metadata", metadata_part(eve), "finding_info", finding_part(eve, sentence), "evidences",
        evidences_part(eve), "observables", observables_part(eve), "unmapped",
        member(eve, "sealdns"));
    if (document)
        control(document, eve);
    line = document ? json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII)
                    : NULL;
    json_decref(document);
    return line;
}

static char *render(const json_t *eve)
{
    return member_is_dns(eve) ? render_query(eve) : render_finding(eve);
}

const struct output_format format_ocsf = {.name = "ocsf", .render = render};
