/* One flat row for a table: what is asked for most as columns, and the whole line beside them. */
#include <stdlib.h>

#include "output/member.h"
#include "output/output.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Columns that are one member of the EVE document each. */
static const struct {
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
             {"community_id", "community_id"}},
  numbers[] = {{"revision", "sealdns.revision"},     {"severity", "alert.severity"},
               {"confidence", "sealdns.confidence"}, {"count", "sealdns.count"},
               {"server_port", "dest_port"},         {"flow_id", "flow_id"}},
  times[] = {{"time_ms", "timestamp"}, {"first_ms", "sealdns.first"}, {"last_ms", "sealdns.last"}};

static char *render(const json_t *eve)
{
    json_t *row = json_object();
    char *line = json_dumps(eve, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII), *out;
    int64_t seconds = member_milliseconds(eve, "timestamp") / 1000;

    json_object_set_new(row, "time", json_integer(seconds));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        json_object_set_new(row, times[i].column,
                            json_integer(member_milliseconds(eve, times[i].path)));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(row, texts[i].column,
                            json_string(or_empty(member_text(eve, texts[i].path))));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(row, numbers[i].column,
                            json_integer(member_integer(eve, numbers[i].path)));
    json_object_set_new(row, "eve", json_string(or_empty(line)));
    out = line ? json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : NULL;
    json_decref(row);
    free(line);
    return out;
}

const struct output_format format_row = {"row", render};
