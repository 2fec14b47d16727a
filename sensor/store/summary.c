#include "store/summary.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "store/read.h"
#include "store/rollup.h"

#define DAY (86400 * NSEC_S)

#define LIVE                                                                                       \
    " FROM conversations WHERE hour >= max(?1, (SELECT until FROM rolled)) AND hour < ?2"          \
    " AND " ROLLUP_DNS
#define COUNTS "flows, flows_failed, queries, responses"
#define SUMS   "sum(flows), sum(flows_failed), sum(queries), sum(responses)"
#define OF_CLIENT                                                                                  \
    "do53_udp, do53_tcp, dot, doq, doh2, doh3, dnscrypt, clear_unapproved, sealed_unapproved"
#define LIVE_OF(transport) "iif(transport = '" transport "', queries, 0)"
#define LIVE_OF_CLIENT                                                                             \
    LIVE_OF("do53-udp")                                                                            \
    ", " LIVE_OF("do53-tcp") ", " LIVE_OF("dot") ", " LIVE_OF("doq") ", " LIVE_OF(                 \
        "doh2") ", " LIVE_OF("doh3") ", " LIVE_OF("dnscrypt") ", iif(transport LIKE 'do53%' AND "  \
                                                              "NOT approved, queries, 0)"          \
                                                              ", iif(transport NOT LIKE 'do53%' "  \
                                                              "AND NOT approved, queries, 0)"
#define SUMS_OF_CLIENT                                                                             \
    "sum(do53_udp), sum(do53_tcp), sum(dot), sum(doq), sum(doh2), sum(doh3), sum(dnscrypt),"       \
    " sum(clear_unapproved), sum(sealed_unapproved)"

static struct summary_counts counts_at(sqlite3_stmt *q, int at)
{
    return (struct summary_counts){count_at(q, at), count_at(q, at + 1), count_at(q, at + 2),
                                   count_at(q, at + 3)};
}

/* ?1 and ?2: since, until; ?3: the zone. NULL: it is an older store. */
static sqlite3_stmt *prepare(struct store_reader *r, const char *text, nsec_t since,
                             const struct summary_period *p)
{
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(q, 1, since);
    sqlite3_bind_int64(q, 2, p->until);
    if (p->zone)
        sqlite3_bind_text(q, 3, p->zone, -1, SQLITE_STATIC);
    return q;
}

static int finish(sqlite3_stmt *q, int code, int stop)
{
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_zones(struct store_reader *r, const struct summary_period *p, nsec_t step,
                int (*fn)(void *context, const struct zone_row *row), void *context)
{
    static const char text[] =
        "SELECT hour - hour % ?4, zone, transport, approved, " SUMS " FROM (SELECT hour, zone,"
        " transport, approved, " COUNTS " FROM zone_hours WHERE hour >= ?1 AND hour < ?2"
        " UNION ALL SELECT hour, coalesce(zone, ''), transport, approved, " COUNTS LIVE
        ") WHERE ?3 IS NULL OR zone = ?3 GROUP BY 1, 2, 3, 4";
    sqlite3_stmt *q = prepare(r, text, p->since - p->since % step, p);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_OK;
    sqlite3_bind_int64(q, 4, step);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct zone_row row = {.time = sqlite3_column_int64(q, 0),
                               .zone = text_at(q, 1),
                               .transport = transport_at(q, 2),
                               .approved = sqlite3_column_int(q, 3) != 0,
                               .counts = counts_at(q, 4)};

        stop = fn(context, &row);
    }
    return finish(q, code, stop);
}

int store_servers(struct store_reader *r, const struct summary_period *p, int limit,
                  int (*fn)(void *context, const struct server_row *row), void *context)
{
    static const char text[] =
        "SELECT server, server_port, transport, max(resolver), max(name), max(approved), " SUMS
        " FROM (SELECT zone, server, server_port, transport, resolver, name, approved, " COUNTS
        " FROM server_days WHERE day >= ?1 AND day < ?2 UNION ALL SELECT coalesce(zone, ''), "
        "server,"
        " server_port, transport, resolver, name, approved, " COUNTS LIVE " AND server <> ''"
        ") WHERE ?3 IS NULL OR zone = ?3 GROUP BY 1, 2, 3 ORDER BY sum(queries) DESC, 1, 2, 3"
        " LIMIT ?4";
    sqlite3_stmt *q = prepare(r, text, p->since - p->since % DAY, p);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_OK;
    sqlite3_bind_int(q, 4, limit);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct server_row row = {.server = text_at(q, 0),
                                 .server_port = (uint16_t)sqlite3_column_int(q, 1),
                                 .transport = transport_at(q, 2),
                                 .resolver = text_at(q, 3),
                                 .name = text_at(q, 4),
                                 .approved = sqlite3_column_int(q, 5) != 0,
                                 .counts = counts_at(q, 6)};

        stop = fn(context, &row);
    }
    return finish(q, code, stop);
}

/* From its start, or that of the next one. */
static nsec_t month_of(nsec_t t, int next)
{
    time_t seconds = (time_t)(t / NSEC_S);
    struct tm date;

    gmtime_r(&seconds, &date);
    date = (struct tm){.tm_year = date.tm_year, .tm_mon = date.tm_mon + next, .tm_mday = 1};
    return (nsec_t)timegm(&date) * NSEC_S;
}

static int read_clients(sqlite3_stmt *q, int (*fn)(void *context, const struct client_row *row),
                        void *context)
{
    static const enum transport order[] = {TRANSPORT_DO53_UDP, TRANSPORT_DO53_TCP, TRANSPORT_DOT,
                                           TRANSPORT_DOQ,      TRANSPORT_DOH2,     TRANSPORT_DOH3,
                                           TRANSPORT_DNSCRYPT};
    int code = SQLITE_DONE, stop = 0;

    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct client_row row = {
            .day = sqlite3_column_int64(q, 0), .client = text_at(q, 1), .zone = text_at(q, 2)};

        for (int i = 0; i < 7; i++)
            row.queries[order[i]] = count_at(q, 3 + i);
        row.clear_unapproved = count_at(q, 10);
        row.sealed_unapproved = count_at(q, 11);
        stop = fn(context, &row);
    }
    return finish(q, code, stop);
}

/* Whole months come from their sums, the days at both ends from theirs. */
int store_clear_clients(struct store_reader *r, const struct summary_period *p, int limit,
                        int (*fn)(void *context, const struct client_row *row), void *context)
{
    static const char text[] =
        "SELECT 0, client, max(zone), " SUMS_OF_CLIENT " FROM (SELECT client, zone, " OF_CLIENT
        " FROM client_months WHERE month >= ?5 AND month < ?6"
        " UNION ALL SELECT client, zone, " OF_CLIENT
        " FROM client_days WHERE day >= ?1 AND day < min(?5, ?2)"
        " UNION ALL SELECT client, zone, " OF_CLIENT
        " FROM client_days WHERE day >= max(?6, ?1) AND day < ?2"
        " UNION ALL SELECT client, coalesce(zone, ''), " LIVE_OF_CLIENT LIVE " AND client <> ''"
        ") WHERE ?3 IS NULL OR zone = ?3 GROUP BY client HAVING sum(clear_unapproved) > 0"
        " ORDER BY sum(clear_unapproved) DESC, client LIMIT ?4";
    nsec_t since = p->since - p->since % DAY;
    nsec_t first = month_of(since, 0), last = month_of(p->until, 0);
    sqlite3_stmt *q = prepare(r, text, since, p);

    if (!q)
        return SD_OK;
    if (first < since)
        first = month_of(since, 1);
    if (last < first) /* within a month: all of it by days */
        first = last = p->until;
    sqlite3_bind_int(q, 4, limit);
    sqlite3_bind_int64(q, 5, first);
    sqlite3_bind_int64(q, 6, last);
    return read_clients(q, fn, context);
}

int store_client_days(struct store_reader *r, const char *client, const struct summary_period *p,
                      int (*fn)(void *context, const struct client_row *row), void *context)
{
    static const char text[] =
        "WITH RECURSIVE days(of) AS (SELECT ?1 UNION ALL SELECT of + " ROLLUP_DAY
        " FROM days WHERE of + " ROLLUP_DAY " < ?2)"
        " SELECT day, client, max(zone), " SUMS_OF_CLIENT
        " FROM (SELECT day, client, zone, " OF_CLIENT
        " FROM days CROSS JOIN client_days ON day = of WHERE client = ?4"
        " UNION ALL SELECT hour - hour % " ROLLUP_DAY
        ", client, coalesce(zone, ''), " LIVE_OF_CLIENT LIVE
        " AND client = ?4) WHERE ?3 IS NULL OR zone = ?3 GROUP BY 1, 2";
    sqlite3_stmt *q = prepare(r, text, p->since - p->since % DAY, p);

    if (!q)
        return SD_OK;
    sqlite3_bind_text(q, 4, client, -1, SQLITE_STATIC);
    return read_clients(q, fn, context);
}

int store_told(struct store_reader *r, const struct summary_period *p,
               int (*fn)(void *context, const struct told_row *row), void *context)
{
    static const char text[] =
        "SELECT day, zone, kind, severity, verdict, events, count FROM event_days"
        " WHERE day >= ?1 AND day < ?2 AND (?3 IS NULL OR zone = ?3) AND (events <> 0 OR count <> "
        "0)";
    sqlite3_stmt *q = prepare(r, text, p->since - p->since % DAY, p);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_OK;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct told_row row = {.day = sqlite3_column_int64(q, 0),
                               .zone = text_at(q, 1),
                               .kind = text_at(q, 2),
                               .severity = sqlite3_column_int(q, 3),
                               .verdict = text_at(q, 4),
                               .events = sqlite3_column_int64(q, 5),
                               .count = sqlite3_column_int64(q, 6)};

        stop = fn(context, &row);
    }
    return finish(q, code, stop);
}
