/* Who was asked, whether that was right, and how they do. */
#include <string.h>

#include "base/error.h"
#include "report/build.h"
#include "report/cells.h"

enum { SERVERS = 50, SERVERS_COUNTED = 100000 };

struct resolvers {
    json_t *rows;
    int shown, seen, unapproved;
};

static int see_server(void *context, const struct server_row *row)
{
    struct resolvers *r = context;

    r->seen++;
    r->unapproved += !row->approved;
    if (r->shown++ >= SERVERS)
        return 0;
    return json_array_append_new(
        r->rows,
        json_pack("[s,i,s,s,s,I,I,I]", row->server, row->server_port,
                  transport_name(row->transport), *row->name ? row->name : row->resolver,
                  row->approved ? "yes" : "no", (json_int_t)row->counts.queries,
                  (json_int_t)row->counts.responses, (json_int_t)row->counts.flows_failed));
}

static json_t *ms(const json_t *o, const char *key)
{
    json_t *us = json_object_get(o, key);

    return us ? json_sprintf("%.1f", json_number_value(us) / 1000) : json_null();
}

static int see_latency(void *context, const struct memory_row *row)
{
    json_t *o = json_loads(row->text, 0, NULL);

    if (o)
        json_array_append_new(
            context,
            json_pack("[s,s,O?,O?,o,o,o]", json_word(o, "resolver"), json_word(o, "transport"),
                      json_object_get(o, "connections"), json_object_get(o, "answers"),
                      ms(o, "handshake_p50_us"), ms(o, "answer_p50_us"), ms(o, "answer_p90_us")));
    json_decref(o);
    return 0;
}

struct probes {
    json_t *rows;
    int count, faults;
};

static int see_probe(void *context, const struct memory_row *row)
{
    struct probes *p = context;
    json_t *o = json_loads(row->text, 0, NULL);
    const char *faults = json_word(o, "faults"), *error = json_word(o, "error");

    p->count += o != NULL;
    p->faults += *faults || *error;
    if (o && json_array_size(p->rows) < SERVERS)
        json_array_append_new(p->rows, json_pack("[s,s,o,s,s,s,s]", json_word(o, "server"),
                                                 json_word(o, "transport"), build_time(row->time),
                                                 *faults  ? faults
                                                 : *error ? error
                                                          : "right",
                                                 json_word(o, "tls_version"),
                                                 json_word(o, "certificate_for"),
                                                 json_word(o, "not_after")));
    json_decref(o);
    return 0;
}

/* What the sensor itself measured and asked. */
static int learned(struct build *b, json_t *s, struct probes *p)
{
    const struct report_source *from = b->source;
    json_t *rows = section_table(s, "latency", "How they answer, as measured so far (ms)",
                                 "resolver:Resolver;transport:Transport;"
                                 "connections#:Connections;answers#:Answers;"
                                 "handshake_p50#:Handshake, half;answer_p50#:Answer, half;"
                                 "answer_p90#:Answer, nine of ten");
    int status = from->memory(from->reader, "latency", NULL, see_latency, rows);

    p->rows = section_table(s, "probes", "Last probes: who they proved to be",
                            "server:Server;transport:Transport;time@:Probed;result:Result;"
                            "tls:TLS;names:Certificate for;until:Until");
    return status == SD_OK ? from->memory(from->reader, "probe", NULL, see_probe, p) : status;
}

int build_resolvers(struct build *b)
{
    json_t *s = build_section(b, "resolvers", "Resolvers and their health");
    const struct report_source *from = b->source;
    struct resolvers r = {0};
    struct probes p = {0};
    int status;

    r.rows =
        section_table(s, "resolvers", "Servers that were asked, the most asked first",
                      "server:Server;port:Port;transport:Transport;name:Name;approved:Approved;"
                      "queries#:Queries;responses#:Answers;failed#:Failed flows");
    status = from->servers(from->reader, &b->period, SERVERS_COUNTED, see_server, &r);
    if (status == SD_OK && !build_is_of_fleet(b))
        status = learned(b, s, &p);
    section_say(s, "%d servers were asked, %d of them without being approved for it.", r.seen,
                r.unapproved);
    if (r.seen > SERVERS)
        section_say(s, "%d that were asked less are not listed.", r.seen - SERVERS);
    if (build_is_of_fleet(b))
        section_say(s, "How resolvers answer and what probes found each sensor knows itself: see "
                       "its own report.");
    else if (p.count)
        section_say(s, "%d probes are on record, %d of them found a fault.", p.count, p.faults);
    else
        section_say(s,
                    "No resolver was probed (policy: probe.interval); certificates were judged in "
                    "passing only.");
    build_measure(b, "resolvers_seen", r.seen);
    build_measure(b, "resolvers_unapproved", r.unapproved);
    if (!build_is_of_fleet(b)) {
        build_measure(b, "probes", p.count);
        build_measure(b, "probe_faults", p.faults);
    }
    return status;
}
