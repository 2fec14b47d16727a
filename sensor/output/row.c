/* One flat row for a table: what is asked for most as columns, and the whole line beside them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
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

static void put_columns(struct json_writer *w, const json_t *eve, const struct column *text,
                        const struct column *number)
{
    json_integer_member(w, "time", member_milliseconds(eve, "timestamp") / 1000);
    for (const struct column *c = times; c->column; c++)
        json_integer_member(w, c->column, member_milliseconds(eve, c->path));
    for (const struct column *c = text; c->column; c++)
        json_string_member(w, c->column, or_empty(member_text(eve, c->path)));
    for (const struct column *c = number; c->column; c++)
        json_integer_member(w, c->column, member_integer(eve, c->path));
}

static void put_answers(struct json_writer *w, const json_t *eve, const char *path)
{
    const json_t *one;
    size_t i;

    json_array_foreach(member(eve, path), i, one)
        json_string_member(w, NULL, or_empty(json_string_value(one)));
}

static void put_query(struct json_writer *w, const json_t *eve)
{
    put_columns(w, eve, dns_texts, dns_numbers);
    json_open(w, "answers", '[');
    put_answers(w, eve, "dns.grouped.A");
    put_answers(w, eve, "dns.grouped.AAAA");
    json_close(w, ']');
}

static char *render_line(const json_t *eve, const char *line)
{
    size_t size = 8 * strlen(line) + 4096; /* an octet is written as six at most, and twice */
    struct json_writer w = json_writer_over(malloc(size), size);

    if (!w.text)
        return NULL;
    json_open(&w, NULL, '{');
    if (member_is_dns(eve)) {
        put_query(&w, eve);
    } else {
        put_columns(&w, eve, texts, numbers);
        json_string_member(&w, "eve", line);
    }
    json_close(&w, '}');
    if (!w.full)
        return w.text;
    free(w.text);
    return NULL;
}

static char *render(const json_t *eve)
{
    char *line = json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    char *row = line ? render_line(eve, line) : NULL;

    free(line);
    return row;
}

const struct output_format format_row = {
    .name = "row", .render = render, .render_line = render_line};
