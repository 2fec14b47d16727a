/* What reports ask of many sensors' hours and events. As store/summary.h has it for one: days are
 * whole, zones of one name are one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "fleet/ask.h"
#include "model/names.h"

#define DAY (86400 * NSEC_S)

/* Columns of a row of clients. */
enum { DNS_TRANSPORTS = TRANSPORT_DNSCRYPT - TRANSPORT_DO53_UDP + 1 };

#define SUMS "sum(flows), sum(flows_failed), sum(queries), sum(responses)"

struct wanted {
    const struct summary_period *period;
    nsec_t since, step;
    int limit;
};

struct telling {
    const struct wanted *wanted;
    int (*zone)(void *context, const struct zone_row *row);
    int (*server)(void *context, const struct server_row *row);
    int (*client)(void *context, const struct client_row *row);
    int (*closure)(void *context, const struct closure_row *row);
    void *context;
};

static nsec_t seconds_of(const char *field)
{
    return (nsec_t)(field_number(field) % UINT32_MAX) * NSEC_S;
}

static enum transport transport_at(const char *field)
{
    int t = transport_of(field);

    return t < 0 ? TRANSPORT_UNKNOWN : (enum transport)t;
}

static struct summary_counts counts_at(const struct answer_row *a, int at)
{
    return (struct summary_counts){field_number(a->fields[at]), field_number(a->fields[at + 1]),
                                   field_number(a->fields[at + 2]),
                                   field_number(a->fields[at + 3])};
}

static void put_hours(FILE *to, const struct fleet *f, const struct wanted *w)
{
    fprintf(to,
            " FROM conversations FINAL WHERE hour >= toDateTime(%" PRId64
            ") AND hour < toDateTime(%" PRId64 ") AND ",
            w->since / NSEC_S, w->period->until / NSEC_S);
    put_dns(to);
    put_sensor(to, f);
    if (w->period->zone) {
        fputs(" AND zone = ", to);
        put_quoted(to, w->period->zone);
    }
}

static void put_zones(FILE *to, const struct fleet *f, const void *what)
{
    const struct wanted *w = what;

    fprintf(to,
            "SELECT toUInt32(hour) - toUInt32(hour) %% %" PRId64
            " AS at, zone, transport, approved, " SUMS,
            w->step / NSEC_S);
    put_hours(to, f, w);
    fputs(" GROUP BY at, zone, transport, approved ORDER BY at, zone, transport, approved", to);
}

static int take_zone(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct zone_row row = {.time = seconds_of(a->fields[0]),
                           .zone = a->fields[1],
                           .transport = transport_at(a->fields[2]),
                           .approved = field_number(a->fields[3]) != 0,
                           .counts = counts_at(a, 4)};

    return t->zone(t->context, &row);
}

int fleet_zones(void *fleet, const struct summary_period *p, nsec_t step,
                int (*fn)(void *context, const struct zone_row *row), void *context)
{
    struct wanted w = {.period = p, .since = p->since - p->since % step, .step = step};
    struct telling t = {.zone = fn, .context = context};
    struct question q = {.fields = 8, .row = take_zone, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_zones, &w, &q, &stopped);
}

static void put_servers(FILE *to, const struct fleet *f, const void *what)
{
    const struct wanted *w = what;

    fputs("SELECT server, server_port, transport, max(resolver), max(name), max(approved), " SUMS,
          to);
    put_hours(to, f, w);
    fprintf(to,
            " AND server != '' GROUP BY server, server_port, transport"
            " ORDER BY sum(queries) DESC, server, server_port, transport LIMIT %d",
            w->limit);
}

static int take_server(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct server_row row = {.server = a->fields[0],
                             .server_port = (uint16_t)field_number(a->fields[1]),
                             .transport = transport_at(a->fields[2]),
                             .resolver = a->fields[3],
                             .name = a->fields[4],
                             .approved = field_number(a->fields[5]) != 0,
                             .counts = counts_at(a, 6)};

    return t->server(t->context, &row);
}

int fleet_servers(void *fleet, const struct summary_period *p, int limit,
                  int (*fn)(void *context, const struct server_row *row), void *context)
{
    struct wanted w = {.period = p, .since = p->since - p->since % DAY, .limit = limit};
    struct telling t = {.server = fn, .context = context};
    struct question q = {.fields = 10, .row = take_server, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_servers, &w, &q, &stopped);
}

/* Machines of two networks may have one address: a client is one of a sensor's. */
static void put_clients(FILE *to, const struct fleet *f, const void *what)
{
    const struct wanted *w = what;

    fputs("SELECT client, max(zone), sumIf(queries, transport LIKE 'do53%' AND approved = 0) AS "
          "clear, sumIf(queries, transport NOT LIKE 'do53%' AND approved = 0)",
          to);
    for (unsigned t = TRANSPORT_DO53_UDP; t <= TRANSPORT_DNSCRYPT; t++)
        fprintf(to, ", sumIf(queries, transport = '%s')", transport_name(t));
    put_hours(to, f, w);
    fprintf(to,
            " AND client != '' GROUP BY host, client HAVING clear > 0 ORDER BY clear DESC, client,"
            " host LIMIT %d",
            w->limit);
}

static int take_client(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct client_row row = {.client = a->fields[0],
                             .zone = a->fields[1],
                             .clear_unapproved = field_number(a->fields[2]),
                             .sealed_unapproved = field_number(a->fields[3])};

    for (unsigned n = TRANSPORT_DO53_UDP; n <= TRANSPORT_DNSCRYPT; n++)
        row.queries[n] = field_number(a->fields[4 + n - TRANSPORT_DO53_UDP]);
    return t->client(t->context, &row);
}

int fleet_clear_clients(void *fleet, const struct summary_period *p, int limit,
                        int (*fn)(void *context, const struct client_row *row), void *context)
{
    struct wanted w = {.period = p, .since = p->since - p->since % DAY, .limit = limit};
    struct telling t = {.client = fn, .context = context};
    struct question q = {.fields = 4 + DNS_TRANSPORTS, .row = take_client, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_clients, &w, &q, &stopped);
}

static void put_closures(FILE *to, const struct fleet *f, const void *what)
{
    const struct wanted *w = what;

    fprintf(to,
            "SELECT k, s, count(), sum(ended), toUInt64(if(sum(ended) = 0, 0, sum(lasted) / "
            "greatest(sum(ended), 1))), toUInt64(max(lasted)) FROM (SELECT argMax(kind, revision) "
            "AS k, argMax(severity, revision) AS s, argMax(state, revision) = 'final' AS ended, "
            "if(ended, greatest(argMax(last_ms, revision) - argMax(first_ms, revision), "
            "toInt64(0)), toInt64(0)) AS lasted FROM events WHERE time >= toDateTime(%" PRId64 ")",
            w->since / NSEC_S);
    put_sensor(to, f);
    fprintf(to,
            " GROUP BY host, id HAVING argMax(time_ms, revision) >= %" PRId64
            " AND argMax(time_ms, revision) < %" PRId64 ") WHERE k NOT IN ('%s', '%s')"
            " GROUP BY k, s ORDER BY s, count() DESC, k",
            w->since / NSEC_MS, w->period->until / NSEC_MS, kind_name(KIND_SENSOR),
            kind_name(KIND_ENFORCEMENT));
}

static int take_closure(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct closure_row row = {.kind = a->fields[0],
                              .severity = (int)field_number(a->fields[1]),
                              .events = (int64_t)field_number(a->fields[2]),
                              .ended = (int64_t)field_number(a->fields[3]),
                              .mean = (nsec_t)field_number(a->fields[4]) * NSEC_MS,
                              .longest = (nsec_t)field_number(a->fields[5]) * NSEC_MS};

    return t->closure(t->context, &row);
}

int fleet_closures(void *fleet, const struct summary_period *p,
                   int (*fn)(void *context, const struct closure_row *row), void *context)
{
    struct wanted w = {.period = p, .since = p->since};
    struct telling t = {.closure = fn, .context = context};
    struct question q = {.fields = 6, .row = take_closure, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_closures, &w, &q, &stopped);
}

/* --- what was told -----------------------------------------------------------------------------
 */

/* Revisions come event by event. What was seen since the one before counts on its day; the event
 * itself on the day it began, as it was told last. */
struct revisions {
    int (*fn)(void *context, const struct told_row *row);
    void *context;
    nsec_t since;
    char host[64], id[64]; /* of the event that is read; "": none yet */
    char zone[64], kind[32], verdict[32];
    nsec_t began;
    int severity;
    int64_t count;
    int stop;
};

static void tell(struct revisions *r, nsec_t time, int64_t events, int64_t count)
{
    struct told_row row = {.day = time - time % DAY,
                           .zone = r->zone,
                           .kind = r->kind,
                           .verdict = r->verdict,
                           .severity = r->severity,
                           .events = events,
                           .count = count};

    if (!r->stop && row.day >= r->since)
        r->stop = r->fn(r->context, &row);
}

static void end_event(struct revisions *r)
{
    if (r->id[0])
        tell(r, r->began, 1, 0);
    r->count = 0;
}

static int take_revision(void *context, const struct answer_row *a)
{
    struct revisions *r = context;
    int64_t count = (int64_t)field_number(a->fields[7]);
    int severity = (int)field_number(a->fields[4]);

    if (strcmp(r->id, a->fields[1]) != 0 || strcmp(r->host, a->fields[0]) != 0)
        end_event(r);
    text_copy(r->host, sizeof r->host, a->fields[0]);
    text_copy(r->id, sizeof r->id, a->fields[1]);
    text_copy(r->zone, sizeof r->zone, a->fields[2]);
    text_copy(r->kind, sizeof r->kind, a->fields[3]);
    text_copy(r->verdict, sizeof r->verdict, a->fields[5]);
    r->severity = severity ? severity : SEVERITY_INFORMATIONAL; /* what is no alert has none */
    r->began = (nsec_t)(field_number(a->fields[6]) % INT64_C(9000000000000)) * NSEC_MS;
    tell(r, (nsec_t)(field_number(a->fields[8]) % INT64_C(9000000000000)) * NSEC_MS, 0,
         count - r->count);
    r->count = count;
    return r->stop;
}

static void put_revisions(FILE *to, const struct fleet *f, const void *what)
{
    const struct wanted *w = what;

    fprintf(to,
            "SELECT host, id, zone, kind, severity, verdict, first_ms, count, last_ms FROM events "
            "FINAL WHERE first_ms < %" PRId64 " AND id IN (SELECT id FROM events WHERE last_ms >= "
            "%" PRId64 ")",
            w->period->until / NSEC_MS, w->since / NSEC_MS);
    put_sensor(to, f);
    fputs(" ORDER BY host, id, revision", to);
}

int fleet_told(void *fleet, const struct summary_period *p,
               int (*fn)(void *context, const struct told_row *row), void *context)
{
    struct wanted w = {.period = p, .since = p->since - p->since % DAY};
    struct revisions r = {.fn = fn, .context = context, .since = w.since};
    struct question q = {.fields = 9, .row = take_revision, .context = &r};
    int stopped, status = ask_as_written(fleet, put_revisions, &w, &q, &stopped);

    if (status == SD_OK)
        end_event(&r);
    return status;
}
