#include "store/rollup.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define HOUR   (3600 * NSEC_S)
#define DAY    (24 * HOUR)
#define HOURS  500   /* rolled up at once, at most; */
#define GROUPS 20000 /* and no more when so many sums were touched */

#define COUNTS "sum(flows), sum(flows_failed), sum(queries), sum(responses)"
#define ADD                                                                                        \
    " ON CONFLICT DO UPDATE SET flows = flows + excluded.flows,"                                   \
    " flows_failed = flows_failed + excluded.flows_failed,"                                        \
    " queries = queries + excluded.queries, responses = responses + excluded.responses"
#define OF(transport) "sum(iif(transport = '" transport "', queries, 0))"
#define OF_CLIENT                                                                                  \
    "client, max(coalesce(zone, '')), " OF("do53-udp") ", " OF("do53-tcp") ", " OF("dot") ", " OF( \
        "doq") ", " OF("doh2") ", " OF("doh3") ", " OF("dnscrypt") ", sum(iif(transport LIKE "     \
                                                                   "'do53%' AND NOT approved, "    \
                                                                   "queries, 0))"                  \
                                                                   ", sum(iif(transport NOT LIKE " \
                                                                   "'do53%' AND NOT approved, "    \
                                                                   "queries, 0))"
#define ADD_CLIENT                                                                                 \
    " ON CONFLICT DO UPDATE SET zone = excluded.zone, do53_udp = do53_udp + excluded.do53_udp,"    \
    " do53_tcp = do53_tcp + excluded.do53_tcp, dot = dot + excluded.dot,"                          \
    " doq = doq + excluded.doq, doh2 = doh2 + excluded.doh2, doh3 = doh3 + excluded.doh3,"         \
    " dnscrypt = dnscrypt + excluded.dnscrypt,"                                                    \
    " clear_unapproved = clear_unapproved + excluded.clear_unapproved,"                            \
    " sealed_unapproved = sealed_unapproved + excluded.sealed_unapproved"

/* Each goes from %s, whose rows are those beyond the condition that it ends with. */
static const char *const sum_texts[] = {
    "INSERT INTO zone_hours SELECT hour, coalesce(zone, ''), transport, approved, " COUNTS
    " FROM %s AND " ROLLUP_DNS " GROUP BY 1, 2, 3, 4" ADD,
    "INSERT INTO server_days SELECT hour - hour % " ROLLUP_DAY ", coalesce(zone, ''), server,"
    " server_port, transport, max(resolver), max(name), max(approved), " COUNTS
    " FROM %s AND server <> '' AND " ROLLUP_DNS " GROUP BY 1, 2, 3, 4, 5" ADD
    ", resolver = excluded.resolver, name = excluded.name, approved = excluded.approved",
    "INSERT INTO client_days SELECT hour - hour % " ROLLUP_DAY ", " OF_CLIENT
    " FROM %s AND client <> '' AND " ROLLUP_DNS " GROUP BY client, 1" ADD_CLIENT,
    "INSERT INTO client_months SELECT strftime('%s', hour / 1000000000, 'unixepoch',"
    " 'start of month') * 1000000000, " OF_CLIENT " FROM %s AND client <> '' AND " ROLLUP_DNS
    " GROUP BY client, 1" ADD_CLIENT,
};

/* Puts the source in place of the last %s: an earlier one is SQL's own. */
static int sum_up(sqlite3 *db, size_t which, const char *source, nsec_t hour)
{
    const char *text = sum_texts[which], *at = strstr(text, "FROM %s") + 5;
    char whole[2048];
    sqlite3_stmt *q;
    int status;

    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - text), text, source, at + 2);
    if (sqlite3_prepare_v2(db, whole, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, hour);
    status = sqlite3_step(q) == SQLITE_DONE ? SD_OK : SD_EIO;
    sqlite3_finalize(q);
    return status;
}

static int sum_all(sqlite3 *db, const char *source, nsec_t hour)
{
    int status = SD_OK;

    for (size_t i = 0; i < sizeof sum_texts / sizeof *sum_texts && status == SD_OK; i++)
        status = sum_up(db, i, source, hour);
    return status;
}

/* -1: there is no such row. */
static nsec_t number(sqlite3 *db, const char *text, nsec_t a, nsec_t b)
{
    sqlite3_stmt *q;
    nsec_t value = -1;

    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_bind_parameter_count(q) == 2) {
        sqlite3_bind_int64(q, 1, a);
        sqlite3_bind_int64(q, 2, b);
    }
    if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_type(q, 0) == SQLITE_INTEGER)
        value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

nsec_t rollup_until(sqlite3 *db)
{
    return number(db, "SELECT until FROM rolled", 0, 0);
}

static int set_until(sqlite3 *db, nsec_t until)
{
    char text[80];

    snprintf(text, sizeof text, "UPDATE rolled SET until = %lld", (long long)until);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? SD_OK : SD_EIO;
}

int rollup_hours(sqlite3 *db, nsec_t before)
{
    static const char next[] =
        "SELECT min(hour) FROM conversations WHERE hour >= ?1 AND hour <= ?2";
    int begun = sqlite3_total_changes(db), status = SD_OK;
    nsec_t until = rollup_until(db), hour;

    for (int i = 0; i < HOURS && sqlite3_total_changes(db) - begun < GROUPS && status == SD_OK;
         i++) {
        hour = number(db, next, until, before - HOUR);
        if (hour < 0)
            break;
        status = sum_all(db, "conversations WHERE hour = ?1", hour);
        until = hour + HOUR;
        if (status == SD_OK)
            status = set_until(db, until);
    }
    return status;
}

int rollup_late(sqlite3 *db)
{
    int status = sum_all(db, "temp.late WHERE hour > ?1", -1);

    if (status == SD_OK && sqlite3_exec(db, "DELETE FROM temp.late", NULL, NULL, NULL) != SQLITE_OK)
        status = SD_EIO;
    return status;
}

const char rollup_previous[] =
    "SELECT severity, verdict, count, coalesce(zone, ''), first FROM events"
    " WHERE id = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT 1";

static struct event_sum sum_of(const struct event *e, const char *zone)
{
    struct event_sum sum = {.day = e->first,
                            .kind = kind_name(e->finding.kind),
                            .severity = e->finding.severity,
                            .events = 1};

    snprintf(sum.zone, sizeof sum.zone, "%s", zone);
    snprintf(sum.verdict, sizeof sum.verdict, "%s", verdict_name(e->verdict));
    return sum;
}

static int add(struct sums *sums, struct event_sum sum)
{
    sum.day -= sum.day % DAY;
    return sums_event(sums, &sum);
}

/* Takes the event out of the sum that its revision before is in; count: what that one had. */
static int take_back(struct sums *sums, sqlite3_stmt *previous, struct event_sum sum,
                     int64_t *count)
{
    sum.events = -1;
    sum.severity = sqlite3_column_int(previous, 0);
    snprintf(sum.verdict, sizeof sum.verdict, "%s", (const char *)sqlite3_column_text(previous, 1));
    *count = sqlite3_column_int64(previous, 2);
    snprintf(sum.zone, sizeof sum.zone, "%s", (const char *)sqlite3_column_text(previous, 3));
    sum.day = sqlite3_column_int64(previous, 4);
    return add(sums, sum);
}

/* An event counts once, on the day it began, as it was told last; its repeats on the day they came.
 */
int rollup_event(sqlite3_stmt *previous, struct sums *sums, const struct record *r)
{
    const struct event *e = &r->event;
    struct event_sum now = sum_of(e, r->zone), of_repeats = now;
    int64_t before = 0;
    int status = SD_OK;

    if (e->revision > 1) {
        sqlite3_bind_text(previous, 1, e->id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(previous, 2, e->revision);
        if (sqlite3_step(previous) == SQLITE_ROW)
            status = take_back(sums, previous, now, &before);
        sqlite3_reset(previous);
    }
    of_repeats.day = e->last;
    of_repeats.events = 0;
    of_repeats.count = (int64_t)e->count - before;
    if (status == SD_OK)
        status = add(sums, now);
    return status == SD_OK ? add(sums, of_repeats) : status;
}
