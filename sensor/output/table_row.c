#include "output/table_row.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

static json_t *address(const struct addr *a)
{
    char text[ADDR_TEXT];

    return json_string(addr_is_zero(a) ? "" : addr_text(a, text));
}

static void put(json_t *row, const char *key, uint64_t value)
{
    json_object_set_new(row, key, json_integer((json_int_t)value));
}

static char *finish(json_t *row)
{
    char *line = json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

    json_decref(row);
    return line;
}

char *table_row_conversation(const struct hour_row *h, const char *host)
{
    const struct conversation *c = h->conversation;
    json_t *row =
        json_pack("{s:I,s:s,s:o,s:o,s:s,s:s,s:s,s:s}", "hour", (json_int_t)(h->hour / NSEC_S),
                  "host", host, "client", address(&c->key.client), "server",
                  address(&c->key.server), "transport", transport_name(c->key.transport), "zone",
                  h->zone, "resolver", h->resolver, "name", c->name);

    if (!row) /* a name that is no UTF-8 */
        return NULL;
    put(row, "server_port", c->key.server_port);
    put(row, "approved", c->approved);
    put(row, "identified_by", c->identified_by);
    put(row, "confidence", c->confidence);
    put(row, "estimated", c->queries_estimated);
    put(row, "first_ms", (uint64_t)(c->first / NSEC_MS));
    put(row, "last_ms", (uint64_t)(c->last / NSEC_MS));
    put(row, "flows", c->flows);
    put(row, "flows_failed", c->flows_failed);
    put(row, "queries", c->queries);
    put(row, "responses", c->responses);
    put(row, "bytes_out", c->bytes_out);
    put(row, "bytes_in", c->bytes_in);
    put(row, "part", (uint64_t)h->part);
    put(row, "told", (uint64_t)h->told);
    return finish(row);
}

char *table_row_stats(const struct record *r, const struct policy *p)
{
    static const char *const columns[] = {"packets", "kernel_drops", "observations_dropped",
                                          "records_dropped"};
    json_t *row = json_pack("{s:I,s:s}", "time", (json_int_t)(r->time / NSEC_S), "host", p->name);
    json_t *all = json_pack("{s:s,s:s,s:s}", "policy", p->digest, "mode", mode_name(p->mode),
                            "version", SEALDNS_VERSION);
    char *text;

    for (size_t i = 0; i < STATS_COUNT; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&r->stats + stats_words[i].offset, sizeof value);
        put(all, stats_words[i].name, value);
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        json_object_set(row, columns[i], json_object_get(all, columns[i]));
    text = finish(all);
    json_object_set_new(row, "counters", json_string(text ? text : "{}"));
    free(text);
    return finish(row);
}
