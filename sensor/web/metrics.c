/* Prometheus, text format 0.0.4. Labels are of closed lists or of the policy (at most 64 zones and
 * 32 resolvers, `other` beyond), and no client's name is among them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/latency.h"
#include "model/stats.h"
#include "web/request.h"

/* A stranger's text within quotes: no policy file may break the format. */
static void put_label(FILE *to, const char *gap, const char *name, const char *value)
{
    fprintf(to, "%s%s=\"", gap, name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            fputc('\\', to);
        fputc(*value == '\n' ? ' ' : *value, to);
    }
    fputc('"', to);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static double number_of(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);

    return json_is_true(value) ? 1 : json_number_value(value);
}

static void head(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP sealdns_%s %s\n# TYPE sealdns_%s %s\n", name, help, name, type);
}

static void one(FILE *to, const char *name, const char *type, const char *help, double value)
{
    head(to, name, type, help);
    fprintf(to, "sealdns_%s %.17g\n", name, value);
}

/* What goes down again. */
static bool is_gauge(const char *name)
{
    return strcmp(name, "conversations") == 0 || strcmp(name, "shunted") == 0;
}

static void put_counters(FILE *to, const json_t *counters)
{
    char name[80];

    for (size_t i = 0; i < STATS_COUNT; i++) {
        bool gauge = is_gauge(stats_words[i].name);

        snprintf(name, sizeof name, "%s%s", stats_words[i].name, gauge ? "" : "_total");
        one(to, name, gauge ? "gauge" : "counter", stats_words[i].text,
            number_of(counters, stats_words[i].name));
    }
}

/* One metric of each element of a list, which a member of it names. */
struct series {
    const char *name, *type, *help, *key;
};

static void put_series(FILE *to, const json_t *list, const char *label, const char *from,
                       const struct series *s)
{
    const json_t *element;
    size_t i;

    head(to, s->name, s->type, s->help);
    json_array_foreach(list, i, element)
    {
        if (!json_object_get(element, s->key))
            continue;
        fprintf(to, "sealdns_%s", s->name);
        put_label(to, "{", label, text_of(element, from));
        fprintf(to, "} %.17g\n", number_of(element, s->key));
    }
}

static void put_all_series(FILE *to, const json_t *list, const char *label, const char *from,
                           const struct series *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_series(to, list, label, from, &s[i]);
}

static void put_interfaces(FILE *to, const json_t *list)
{
    static const struct series all[] = {
        {"interface_up", "gauge", "the interface is there and up", "up"},
        {"interface_packets_total", "counter", "frames read from it", "packets"},
        {"interface_kernel_drops_total", "counter", "frames the kernel dropped", "kernel_drops"},
        {"interface_observations_dropped_total", "counter", "observations its ring lost",
         "observations_dropped"},
    };

    put_all_series(to, list, "interface", "name", all, sizeof all / sizeof *all);
}

static void put_outputs(FILE *to, const json_t *list)
{
    static const struct series all[] = {
        {"output_lines_total", "counter", "lines an output took", "lines"},
        {"output_bytes_total", "counter", "octets of these lines", "bytes"},
        {"output_lost_total", "counter", "lines an output lost", "lost"},
        {"output_dropped_informational_total", "counter",
         "informational ones among them, for want of room", "dropped_informational"},
        {"output_told_total", "counter", "lines its receiver was told, repeats included", "told"},
        {"output_waiting", "gauge", "lines that wait in its spool", "waiting"},
        {"output_spool_bytes", "gauge", "octets of its spool", "spool_bytes"},
        {"output_connected", "gauge", "its receiver took what it was told last", "connected"},
        {"output_failures_total", "counter", "tries that its receiver did not take", "failures"},
    };

    put_all_series(to, list, "output", "id", all, sizeof all / sizeof *all);
}

static void put_events(FILE *to, const json_t *kinds)
{
    const json_t *severities, *count;
    const char *kind, *severity;

    head(to, "events_begun_total", "counter", "events by kind and first severity");
    json_object_foreach((json_t *)kinds, kind, severities)
    {
        json_object_foreach((json_t *)severities, severity, count)
        {
            fputs("sealdns_events_begun_total", to);
            put_label(to, "{", "kind", kind);
            put_label(to, ",", "severity", severity);
            fprintf(to, "} %.17g\n", json_number_value(count));
        }
    }
}

static void put_transports(FILE *to, const json_t *list)
{
    static const struct series all[] = {
        {"transport_queries_total", "counter",
         "queries by transport, of sealed DNS as estimated from records", "queries"},
        {"transport_flows_total", "counter", "flows by transport", "flows"},
        {"transport_flows_failed_total", "counter", "flows that ended before they worked",
         "flows_failed"},
    };

    put_all_series(to, list, "transport", "transport", all, sizeof all / sizeof *all);
}

/* The share that is sealed is that of protection="sealed". */
static void put_zones(FILE *to, const json_t *zones)
{
    static const struct {
        const char *key, *protection, *approved;
    } all[] = {{"clear_approved", "clear", "true"},
               {"clear_unapproved", "clear", "false"},
               {"sealed_approved", "sealed", "true"},
               {"sealed_unapproved", "sealed", "false"}};
    const json_t *zone;
    size_t at;

    head(to, "zone_queries_total", "counter",
         "queries by zone, how they went, and whether approved");
    json_array_foreach(zones, at, zone)
    {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            fputs("sealdns_zone_queries_total", to);
            put_label(to, "{", "zone", text_of(zone, "zone"));
            put_label(to, ",", "protection", all[i].protection);
            put_label(to, ",", "approved", all[i].approved);
            fprintf(to, "} %.17g\n", number_of(zone, all[i].key));
        }
    }
}

static void put_buckets(FILE *to, const char *name, const json_t *of, const char *resolver)
{
    const json_t *buckets = json_object_get(of, "buckets");
    double sum = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        sum += json_number_value(json_array_get(buckets, i));
        if (i % 2 && i < LATENCY_BUCKETS - 1)
            continue; /* one an octave */
        fprintf(to, "sealdns_%s_bucket", name);
        put_label(to, "{", "resolver", resolver);
        if (i < LATENCY_BUCKETS - 1)
            fprintf(to, ",le=\"%g\"} %.17g\n", latency_below(i) / 1e6, sum);
        else
            fprintf(to, ",le=\"+Inf\"} %.17g\n", sum);
    }
    fprintf(to, "sealdns_%s_sum", name);
    put_label(to, "{", "resolver", resolver);
    fprintf(to, "} %.17g\nsealdns_%s_count", number_of(of, "us") / 1e6, name);
    put_label(to, "{", "resolver", resolver);
    fprintf(to, "} %.17g\n", sum);
}

static void put_latencies(FILE *to, const json_t *resolvers)
{
    static const struct series all[] = {
        {"handshake_seconds", "histogram",
         "from a client's first packet to the end of the handshake", "handshake"},
        {"answer_seconds", "histogram", "from a query in clear text to its answer", "answer"},
    };
    const json_t *r;
    size_t at;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        head(to, all[i].name, all[i].type, all[i].help);
        json_array_foreach(resolvers, at, r)
        {
            put_buckets(to, all[i].name, json_object_get(r, all[i].key), text_of(r, "resolver"));
        }
    }
}

static void put_rules(FILE *to, const json_t *rules)
{
    one(to, "rules_installed", "gauge", "the ruleset is in the kernel",
        number_of(rules, "installed"));
    one(to, "rules_desired", "gauge", "the ruleset should be", number_of(rules, "desired"));
    one(to, "rules_drift", "gauge", "the kernel's rules are not as the policy says",
        number_of(rules, "drifted"));
    one(to, "rules_in_kernel", "gauge", "rules in the kernel", number_of(rules, "rules"));
    one(to, "rules_wanted", "gauge", "rules the policy means", number_of(rules, "rules_wanted"));
    one(to, "elements_installed", "gauge", "elements of sets in the kernel",
        number_of(rules, "elements"));
    one(to, "elements_desired", "gauge", "elements the policy means",
        number_of(rules, "elements_wanted"));
}

static void put_build(FILE *to, const json_t *status)
{
    head(to, "build_info", "gauge", "what runs");
    fputs("sealdns_build_info", to);
    put_label(to, "{", "version", SEALDNS_VERSION);
    put_label(to, ",", "mode", text_of(status, "mode"));
    put_label(to, ",", "policy", text_of(status, "policy"));
    fputs("} 1\n", to);
    one(to, "uptime_seconds", "gauge", "since it started", number_of(status, "uptime"));
}

static char *write_all(const json_t *status)
{
    const json_t *store = json_object_get(status, "store");
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    put_build(to, status);
    put_interfaces(to, json_object_get(status, "interfaces"));
    put_rules(to, json_object_get(status, "rules"));
    put_events(to, json_object_get(status, "events"));
    put_transports(to, json_object_get(status, "transports"));
    put_zones(to, json_object_get(status, "zones"));
    put_latencies(to, json_object_get(status, "latencies"));
    put_outputs(to, json_object_get(status, "feeds"));
    one(to, "store_rows_total", "counter", "rows written to the store", number_of(store, "rows"));
    one(to, "store_failed_total", "counter", "rows it did not take", number_of(store, "failed"));
    put_counters(to, json_object_get(status, "counters"));
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

static enum MHD_Result answer(const struct web_request *q)
{
    json_t *status = q->source->status(q->source->context);
    char *body = status ? write_all(status) : NULL;

    json_decref(status);
    if (!body)
        return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the sensor is starting");
    return web_text(q, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", body);
}

const struct web_route route_metrics = {"/metrics", .answer = answer};
