/* Which sensors there are, when each ran, what it lost: by the counters that they tell each minute.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "fleet/ask.h"
#include "model/names.h"

struct telling {
    const struct summary_period *period;
    int (*sensor)(void *context, const struct sensor_row *row);
    int (*counters)(void *context, const struct counters_row *row);
    void *context;
};

static nsec_t seconds_of(const char *field)
{
    return (nsec_t)(field_number(field) % UINT32_MAX) * NSEC_S;
}

/* Three tables, as a sensor may tell of one and not of another. */
static void put_sensors(FILE *to, const struct fleet *f, const void *what)
{
    const struct summary_period *p = what;
    int64_t since = p->since / NSEC_S, until = p->until / NSEC_S;

    fprintf(to,
            "SELECT host, max(last), argMax(counters, last), sum(queries), sum(sealed), sum(told) "
            "FROM (SELECT host, toUInt32(maxIf(time, time >= toDateTime(%" PRId64
            "))) AS last, argMaxIf(counters, time, time >= toDateTime(%" PRId64
            ")) AS counters, toUInt64(0) AS queries, toUInt64(0) AS sealed, toUInt64(0) AS told "
            "FROM stats WHERE time < toDateTime(%" PRId64 ") GROUP BY host",
            since, since, until);
    fprintf(to,
            " UNION ALL SELECT host, toUInt32(0), '', sum(queries), sumIf(queries, transport NOT "
            "LIKE 'do53%%'), toUInt64(0) FROM conversations FINAL WHERE hour >= toDateTime(%" PRId64
            ") AND hour < toDateTime(%" PRId64 ") AND ",
            since - since % 3600, until);
    put_dns(to);
    fprintf(to,
            " GROUP BY host UNION ALL SELECT host, toUInt32(0), '', toUInt64(0), toUInt64(0), "
            "uniqExact(id) FROM events WHERE last_ms >= %" PRId64 " AND first_ms < %" PRId64
            " GROUP BY host) WHERE 1",
            p->since / NSEC_MS, p->until / NSEC_MS);
    put_sensor(to, f);
    fputs(" GROUP BY host ORDER BY host", to);
}

static int take_sensor(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct sensor_row row = {.sensor = a->fields[0],
                             .last = seconds_of(a->fields[1]),
                             .counters = a->fields[2],
                             .queries = field_number(a->fields[3]),
                             .sealed = field_number(a->fields[4]),
                             .events = field_number(a->fields[5])};

    return t->sensor(t->context, &row);
}

int fleet_sensors(void *fleet, const struct summary_period *p,
                  int (*fn)(void *context, const struct sensor_row *row), void *context)
{
    struct telling t = {.sensor = fn, .context = context};
    struct question q = {.fields = 6, .row = take_sensor, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_sensors, p, &q, &stopped);
}

/* Minutes come sensor by sensor; one that told none in the period has one of zero, so that its gap
 * is the whole. */
struct minutes {
    const struct summary_period *period;
    nsec_t least, last; /* last: the minute before */
    char sensor[64];    /* "": none yet */
    int (*fn)(void *context, const struct gap_row *row);
    void *context;
    int stop;
};

static void put_gap(struct minutes *m, nsec_t to)
{
    struct gap_row gap = {.from = m->last, .to = to, .sensor = m->sensor};

    if (m->sensor[0] && !m->stop && gap.to - gap.from >= m->least)
        m->stop = m->fn(m->context, &gap);
}

static int take_minute(void *context, const struct answer_row *a)
{
    struct minutes *m = context;
    nsec_t time = seconds_of(a->fields[1]);

    if (strcmp(m->sensor, a->fields[0]) != 0) {
        put_gap(m, m->period->until);
        text_copy(m->sensor, sizeof m->sensor, a->fields[0]);
        m->last = m->period->since;
    }
    if (time == 0)
        return m->stop;
    put_gap(m, time);
    m->last = time;
    return m->stop;
}

static void put_minutes(FILE *to, const struct fleet *f, const void *what)
{
    const struct summary_period *p = what;

    fprintf(to,
            "SELECT host, at FROM (SELECT DISTINCT host, toUInt32(0) AS at FROM stats WHERE time < "
            "toDateTime(%" PRId64 ") UNION ALL SELECT DISTINCT host, toUInt32(time) AS at FROM "
            "stats WHERE time >= toDateTime(%" PRId64 ") AND time < toDateTime(%" PRId64
            ")) WHERE 1",
            p->until / NSEC_S, p->since / NSEC_S, p->until / NSEC_S);
    put_sensor(to, f);
    fputs(" ORDER BY host, at", to);
}

int fleet_gaps(void *fleet, const struct summary_period *p, nsec_t least,
               int (*fn)(void *context, const struct gap_row *row), void *context)
{
    struct minutes m = {.period = p, .least = least, .fn = fn, .context = context};
    struct question q = {.fields = 2, .row = take_minute, .context = &m};
    int stopped, status = ask_as_written(fleet, put_minutes, p, &q, &stopped);

    if (status == SD_OK)
        put_gap(&m, p->until);
    return status;
}

static void put_counters(FILE *to, const struct fleet *f, const void *what)
{
    const struct summary_period *p = what;

    fprintf(to,
            "SELECT host, toUInt32(max(time)) AS at, argMax(counters, time) FROM stats WHERE time "
            ">= toDateTime(%" PRId64 ") AND time < toDateTime(%" PRId64 ")",
            p->since / NSEC_S, p->until / NSEC_S);
    put_sensor(to, f);
    fputs(" GROUP BY host, intDiv(toUInt32(time), 3600) ORDER BY host, at", to);
}

static int take_counters(void *context, const struct answer_row *a)
{
    const struct telling *t = context;
    struct counters_row row = {
        .time = seconds_of(a->fields[1]), .json = a->fields[2], .sensor = a->fields[0]};

    return t->counters(t->context, &row);
}

int fleet_counters(void *fleet, const struct summary_period *p,
                   int (*fn)(void *context, const struct counters_row *row), void *context)
{
    struct telling t = {.counters = fn, .context = context};
    struct question q = {.fields = 3, .row = take_counters, .context = &t};
    int stopped;

    return ask_as_written(fleet, put_counters, p, &q, &stopped);
}
