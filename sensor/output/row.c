/* One flat row for a table: what is asked for most as columns, and the whole line beside them. */
#include <stdlib.h>

#include "output/member.h"
#include "output/output.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Columns that are one member of the EVE document each. */
static const struct column {
    const char *column, *path;
} texts[] = {{"host", "host"},
             {"kind", "sealdns.kind"},
             {"id", "sealdns.id"},
             {"state", "sealdns.state"},
             {"rule", "sealdns.rule"},
             {"verdict", "sealdns.verdict"},
             {"zone", "sealdns.zone"},
             {"client", "sealdns.client"},
             {"server", "sealdns.server"},
             {"resolver", "sealdns.resolver"},
             {"transport", "sealdns.transport"},
             {"signature", "alert.signature"},
             {"action", "alert.action"},
             {"cause", "sealdns.evidence.cause"},
             {"query", "dns.queries.0.rrname"},
             {"sni", "tls.sni"},
             {"community_id", "community_id"},
             {NULL, NULL}},
  numbers[] = {{"revision", "sealdns.revision"},
               {"severity", "alert.severity"},
               {"confidence", "sealdns.confidence"},
               {"count", "sealdns.count"},
               {"server_port", "dest_port"},
               {"flow_id", "flow_id"},
               {NULL, NULL}},
  times[] = {{"time_ms", "timestamp"},
             {"first_ms", "sealdns.first"},
             {"last_ms", "sealdns.last"},
             {NULL, NULL}};

/* Those of a line of the query log. */
static const struct column dns_texts[] = {{"host", "host"},
                                          {"id", "sealdns.id"},
                                          {"type", "dns.type"},
                                          {"client", "sealdns.client"},
                                          {"server", "sealdns.server"},
                                          {"proto", "proto"},
                                          {"transport", "sealdns.transport"},
                                          {"zone", "sealdns.zone"},
                                          {"resolver", "sealdns.resolver"},
                                          {"query", "dns.queries.0.rrname"},
                                          {"qtype", "dns.queries.0.rrtype"},
                                          {"rcode", "dns.rcode"},
                                          {NULL, NULL}},
                           dns_numbers[] = {
                               {"client_port", "src_port"},          {"server_port", "dest_port"},
                               {"count", "sealdns.count"},           {"sample", "sealdns.sample"},
                               {"latency_us", "sealdns.latency_us"}, {NULL, NULL}};

static void set_columns(json_t *row, const json_t *eve, const struct column *text,
                        const struct column *number)
{
    json_object_set_new(row, "time", json_integer(member_milliseconds(eve, "timestamp") / 1000));
    for (const struct column *c = times; c->column; c++)
        json_object_set_new(row, c->column, json_integer(member_milliseconds(eve, c->path)));
    for (const struct column *c = text; c->column; c++)
        json_object_set_new(row, c->column, json_string(or_empty(member_text(eve, c->path))));
    for (const struct column *c = number; c->column; c++)
        json_object_set_new(row, c->column, json_integer(member_integer(eve, c->path)));
}

static json_t *answers(const json_t *eve)
{
    json_t *list = json_array();

    member_extend(list, eve, "dns.grouped.A");
    member_extend(list, eve, "dns.grouped.AAAA");
    return list;
}

static char *render_query(const json_t *eve)
{
    json_t *row = json_object();
    char *out;

    set_columns(row, eve, dns_texts, dns_numbers);
    json_object_set_new(row, "answers", answers(eve));
    out = json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(row);
    return out;
}

static char *render(const json_t *eve)
{
    json_t *row;
    char *line, *out;

    if (member_is_dns(eve))
        return render_query(eve);
    row = json_object();
    line = json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    set_columns(row, eve, texts, numbers);
    json_object_set_new(row, "eve", json_string(or_empty(line)));
    out = line ? json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : NULL;
    json_decref(row);
    free(line);
    return out;
}

const struct output_format format_row = {"row", render};
