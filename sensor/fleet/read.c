/* Questions that a ClickHouse of 2018 understands as well as one of today. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fleet/ask.h"
#include "model/names.h"

#define HOUR 3600
#define DAY  86400

struct telling {
    int (*event)(void *context, const struct event_row *row);
    int (*blocked)(void *context, const struct blocked_row *row);
    const struct history_sink *sink;
    void *context;
};

static int take_event(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct event_row row = {.id = a->fields[0],
                            .revision = (uint32_t)field_number(a->fields[1]),
                            .time = (nsec_t)(field_number(a->fields[2]) % INT32_MAX) * NSEC_S,
                            .json = a->fields[3]};

    return t->event(t->context, &row);
}

/* What holds for every revision of an event; the newest is not much older than what it tells. */
static void put_conditions(FILE *to, const struct fleet *f, const struct event_filter *e)
{
    char client[ADDR_TEXT];

    fputs(" WHERE 1", to);
    put_sensor(to, f);
    if (e->since > DAY * NSEC_S)
        fprintf(to, " AND time >= toDateTime(%" PRId64 ")", e->since / NSEC_S - DAY);
    if (e->kind >= 0)
        fprintf(to, " AND kind = '%s'", kind_name((unsigned)e->kind));
    if (e->client)
        fprintf(to, " AND client = '%s'", addr_text(e->client, client));
}

/* What is asked of one revision, as a column or as that of the newest. */
static void put_bounds(FILE *to, const struct event_filter *e, const char *last, const char *first,
                       const char *severity)
{
    if (e->since)
        fprintf(to, " AND %s >= %" PRId64, last, e->since / NSEC_MS);
    if (e->until)
        fprintf(to, " AND %s <= %" PRId64, first, e->until / NSEC_MS);
    if (e->severity)
        fprintf(to, " AND %s BETWEEN 1 AND %d", severity, e->severity);
}

static void put_events(FILE *to, const struct fleet *f, const void *what)
{
    const struct event_filter *e = what;

    if (e->all_revisions) {
        fputs("SELECT id, revision, toUInt32(time), eve FROM events FINAL", to);
        put_conditions(to, f, e);
        put_bounds(to, e, "last_ms", "first_ms", "severity");
        fputs(" ORDER BY time_ms, host, id, revision", to);
        return;
    }
    fputs("SELECT id, max(revision) AS newest, toUInt32(argMax(time, revision)),"
          " argMax(eve, revision) FROM events",
          to);
    put_conditions(to, f, e);
    fputs(" GROUP BY host, id HAVING newest > 0", to);
    put_bounds(to, e, "argMax(last_ms, revision)", "argMax(first_ms, revision)",
               "argMax(severity, revision)");
    fputs(" ORDER BY argMax(time_ms, revision), host, id", to);
}

int fleet_events(void *fleet, const struct event_filter *filter,
                 int (*fn)(void *context, const struct event_row *row), void *context)
{
    struct telling t = {.event = fn, .context = context};
    struct question q = {.fields = 4, .row = take_event, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_events, filter, &q, &stopped);
}

static void put_text(FILE *to, const char *column, const char *text)
{
    if (!text)
        return;
    fprintf(to, " AND %s = ", column);
    put_quoted(to, text);
}

/* The newest of each event, the newest events first. */
static void put_search(FILE *to, const struct fleet *f, const void *what)
{
    const struct event_search *s = what;
    struct event_filter bounds = {
        .since = s->since, .until = s->until, .kind = s->kind, .severity = s->severity};

    fputs("SELECT id, max(revision) AS newest, toUInt32(argMax(time, revision)),"
          " argMax(eve, revision) FROM events",
          to);
    put_conditions(to, f, &bounds);
    put_text(to, "zone", s->zone);
    put_text(to, "client", s->client);
    put_text(to, "server", s->server);
    fputs(" GROUP BY host, id HAVING newest > 0", to);
    put_bounds(to, &bounds, "argMax(last_ms, revision)", "argMax(first_ms, revision)",
               "argMax(severity, revision)");
    fprintf(to, " ORDER BY argMax(time_ms, revision) DESC, host, id LIMIT %d", s->limit);
}

int fleet_search(void *fleet, const struct event_search *s, int64_t *next,
                 int (*fn)(void *context, const struct event_row *row), void *context)
{
    struct telling t = {.event = fn, .context = context};
    struct question q = {.fields = 4, .row = take_event, .context = &t};
    int stopped;

    *next = 0;
    return ask_as_written(fleet, put_search, s, &q, &stopped);
}

static struct history_text text_of(const char *field)
{
    return (struct history_text){field, (uint32_t)strlen(field)};
}

static int take_hour(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct history_row row = {.hour = (nsec_t)(field_number(a->fields[0]) % INT32_MAX) * NSEC_S,
                              .client = text_of(a->fields[1]),
                              .server = text_of(a->fields[2]),
                              .transport = text_of(a->fields[3]),
                              .zone = text_of(a->fields[4]),
                              .name = text_of(a->fields[5]),
                              .server_port = (uint16_t)field_number(a->fields[6]),
                              .gateway_resolver = field_number(a->fields[7]) != 0,
                              .flows = field_number(a->fields[8]),
                              .flows_failed = field_number(a->fields[9]),
                              .queries = field_number(a->fields[10]),
                              .responses = field_number(a->fields[11])};

    return t->sink->take(t->sink->context, &row);
}

static void put_history(FILE *to, const struct fleet *f, const void *what)
{
    int64_t since = *(const nsec_t *)what / NSEC_S, from = since - since % HOUR;

    fprintf(to,
            "SELECT toUInt32(hour), client, server, transport, argMax(zone, told), argMax(name, "
            "told), server_port, argMax(approved = 1 AND resolver = '' AND server_port = 53, told),"
            " sum(flows), sum(flows_failed), sum(queries), sum(responses) FROM conversations FINAL"
            " WHERE hour >= toDateTime(%" PRId64 ")",
            from > 0 ? from : 0);
    put_sensor(to, f);
    fputs(" GROUP BY host, hour, client, server, server_port, transport"
          " ORDER BY hour, client, server, server_port, transport, host",
          to);
}

int fleet_history(void *fleet, nsec_t since, const struct history_sink *sink)
{
    struct telling t = {.sink = sink};
    struct question q = {.fields = 12, .row = take_hour, .context = &t};
    int stopped = 0, status = ask_as_written(fleet, put_history, &since, &q, &stopped);

    return stopped ? stopped : status;
}

static int take_blocked(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct blocked_row row = {a->fields[0], a->fields[1], field_number(a->fields[2]) != 0};

    return t->blocked(t->context, &row);
}

static void put_blocked(FILE *to, const struct fleet *f, const void *what)
{
    const nsec_t *since = what;

    fprintf(to,
            "SELECT DISTINCT client, server, kind = '%s' FROM events WHERE time_ms >= %" PRId64
            " AND verdict = '%s' AND client != '' AND server != ''",
            kind_name(KIND_CLEARTEXT), *since / NSEC_MS, verdict_name(VERDICT_BLOCKED));
    put_sensor(to, f);
}

int fleet_blocked(void *fleet, nsec_t since,
                  int (*fn)(void *context, const struct blocked_row *row), void *context)
{
    struct telling t = {.blocked = fn, .context = context};
    struct question q = {.fields = 3, .row = take_blocked, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_blocked, &since, &q, &stopped);
}

int fleet_memory(void *fleet, const char *topic, const char *key,
                 int (*fn)(void *context, const struct memory_row *row), void *context)
{
    (void)fleet, (void)topic, (void)key, (void)fn, (void)context;
    return SD_OK;
}
