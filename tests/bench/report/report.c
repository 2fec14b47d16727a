/* A year of sums as a sensor leaves them, and what reports and dashboards ask of it.
 *
 *     bench_report FILE [CLIENTS] [DAYS]
 *
 * Made are: sums of every client and day, of 200 servers in three zones, of every hour of the
 * zones, of events; and two hours that are not summed up yet, four conversations a client. The rows
 * go past the writer, which would take hours. Prints each question's time, the best of three; exit
 * status 1: one takes a second, or a sum is off. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "store/summary.h"

#define HOUR    (3600 * NSEC_S)
#define DAY     (24 * HOUR)
#define LIMIT_S 1.0
#define EACH    7 /* queries of each kind that a client has in a day */

struct run {
    sqlite3 *db;
    int clients, days;
    nsec_t start, live; /* the hours from live on are not summed up */
    bool failed;
};

static void fill(struct run *r, const char *what, const char *text)
{
    if (sqlite3_exec(r->db, text, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "bench_report: %s: %s\n", what, sqlite3_errmsg(r->db));
    r->failed = true;
}

#define NUMBERS(name, column, limit)                                                               \
    "WITH RECURSIVE " name "(" column ") AS (SELECT 0 UNION ALL SELECT " column " + 1 FROM " name  \
    " WHERE " column " + 1 < " limit ")"
#define CLIENT(n)                                                                                  \
    "'10.' || (" n " / 62500 + 20) || '.' || (" n " / 250 %% 250) || '.' || (1 + " n " %% 250)"

static void fill_days(struct run *r)
{
    char text[1024];

    for (int day = 0; day < r->days && !r->failed; day++) {
        long long at = r->start + day * DAY;

        snprintf(
            text, sizeof text,
            NUMBERS("c", "n", "%d") "INSERT INTO client_days SELECT %lld, " CLIENT(
                "n") ", 'zone' || (n %% 3), %d, 0, %d, 0, 0, 0, 0, iif(n %% 4, 0, %d), 0 FROM c",
            r->clients, at, EACH, EACH, EACH);
        fill(r, "client_days", text);
        snprintf(
            text, sizeof text,
            NUMBERS("c", "n",
                    "600") "INSERT INTO server_days SELECT %lld, 'zone' || (n %% 3),"
                           " '198.51.' || (n / 3 / 100) || '.' || (n / 3 %% 100), 853, 'dot', NULL,"
                           " 'dns' || (n / 3) || '.example', 1, 10, 0, 1000 - n, 1000 - n FROM c",
            at);
        fill(r, "server_days", text);
        snprintf(
            text, sizeof text,
            NUMBERS("c", "n", "432") "INSERT INTO zone_hours SELECT %lld + n / 18 * 3600000000000,"
                                     " 'zone' || (n %% 3), CASE n / 3 %% 3 WHEN 0 THEN 'do53-udp' "
                                     "WHEN 1 THEN 'dot' ELSE"
                                     " 'doh2' END, n / 9 %% 2, 1, 0, 100, 100 FROM c",
            at);
        fill(r, "zone_hours", text);
        snprintf(
            text, sizeof text,
            NUMBERS("c", "n", "60") "INSERT INTO event_days SELECT %lld, 'zone' || (n %% 3),"
                                    " 'kind' || (n / 12), 1 + n / 3 %% 4, 'allowed', 5, 50 FROM c",
            at);
        fill(r, "event_days", text);
        snprintf(text, sizeof text,
                 NUMBERS("c", "n", "1440") "INSERT INTO stats SELECT %lld + n * 60000000000,"
                                           " '{\"packets\": ' || (%d * 1440 + n) || "
                                           "', \"hellos\": 100, \"kernel_drops\": 0}' FROM c",
                 at, day);
        fill(r, "stats", text);
    }
}

static void fill_store(struct run *r)
{
    char text[1024];

    fill(r, "begin", "PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN");
    fill_days(r);
    fill(r, "client_months",
         "INSERT INTO client_months SELECT strftime('%s', day / 1000000000, 'unixepoch',"
         " 'start of month') * 1000000000, client, max(zone), sum(do53_udp), 0, sum(dot), 0, 0, 0, "
         "0,"
         " sum(clear_unapproved), 0 FROM client_days GROUP BY 1, 2");
    snprintf(text, sizeof text,
             NUMBERS("c", "n", "%d") "INSERT INTO conversations SELECT %lld + n %% 2 * "
                                     "3600000000000, " CLIENT(
                                         "(n / 8)") ", '198.51.0.' || (n %% 8), 853, 'dot', 'zone' "
                                                    "|| n / 8 %% 3, NULL, NULL,"
                                                    " 1, 1, 90, 1, 0, 0, 1, 0, 1, 1, 1, 1 FROM c",
             r->clients * 8, (long long)r->live);
    fill(r, "conversations", text);
    snprintf(text, sizeof text,
             "UPDATE rolled SET until = %lld; COMMIT;"
             " PRAGMA wal_checkpoint(TRUNCATE)",
             (long long)r->live);
    fill(r, "commit", text);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct answer {
    uint64_t rows, sum;
};

static int zone(void *context, const struct zone_row *row)
{
    struct answer *a = context;

    a->rows++;
    a->sum += row->counts.queries;
    return 0;
}

static int server(void *context, const struct server_row *row)
{
    struct answer *a = context;

    a->rows++;
    a->sum += row->counts.queries;
    return 0;
}

static int client(void *context, const struct client_row *row)
{
    struct answer *a = context;

    a->rows++;
    a->sum += row->clear_unapproved;
    return 0;
}

static int told(void *context, const struct told_row *row)
{
    struct answer *a = context;

    a->rows++;
    a->sum += (uint64_t)row->events;
    return 0;
}

enum question {
    ZONES_BY_DAY,
    ZONES_BY_HOUR,
    SERVERS,
    CLEAR_CLIENTS,
    ODD_CLEAR_CLIENTS,
    ONE_CLIENT,
    TOLD
};

static const char *const words[] = {"share and transports by zone and day, all of it",
                                    "the same by hour, the last 7 days",
                                    "top 20 servers, all of it",
                                    "top 20 clients in clear text, all of it",
                                    "the same, from mid-month to mid-month",
                                    "one client day by day, all of it",
                                    "what was told by day, zone, kind, all of it"};

static int ask(struct run *r, struct store_reader *s, enum question which, struct answer *a)
{
    nsec_t end = r->live + 2 * HOUR;
    struct summary_period all = {r->start, end, NULL}, week = {end - 7 * DAY, end, NULL};
    struct summary_period odd = {r->start + 16 * DAY, end - 14 * DAY, NULL};

    switch (which) {
    case ZONES_BY_DAY:
        return store_zones(s, &all, DAY, zone, a);
    case ZONES_BY_HOUR:
        return store_zones(s, &week, HOUR, zone, a);
    case SERVERS:
        return store_servers(s, &all, 20, server, a);
    case CLEAR_CLIENTS:
        return store_clear_clients(s, &all, 20, client, a);
    case ODD_CLEAR_CLIENTS:
        return store_clear_clients(s, &odd, 20, client, a);
    case ONE_CLIENT:
        return store_client_days(s, "10.20.0.1", &all, client, a);
    default:
        return store_told(s, &all, told, a);
    }
}

static bool measure(struct run *r, struct store_reader *s, enum question which, uint64_t expected)
{
    double best = 1e9;
    struct answer a = {0};
    int status = SD_OK;

    for (int i = 0; i < 3 && status == SD_OK; i++) {
        double begun = now(), took;

        a = (struct answer){0};
        status = ask(r, s, which, &a);
        took = now() - begun;
        best = took < best ? took : best;
    }
    printf("report: %-48s %6.3f s of CPU, %llu rows%s\n", words[which], best,
           (unsigned long long)a.rows, best >= LIMIT_S ? ": TOO LONG" : "");
    if (status == SD_OK && (!expected || a.sum == expected))
        return best < LIMIT_S;
    printf("report: WRONG, the sum is %llu, not %llu\n", (unsigned long long)a.sum,
           (unsigned long long)expected);
    return false;
}

static bool measure_all(struct run *r, const char *path)
{
    uint64_t days = (uint64_t)r->days, live = (uint64_t)r->clients * 8;
    struct store_reader *s;
    char error[STORE_ERROR];
    bool good;

    if (store_reader_open(path, &s, error) != SD_OK) {
        fprintf(stderr, "bench_report: %s\n", error);
        return false;
    }
    good = measure(r, s, ZONES_BY_DAY, days * 432 * 100 + live);
    good &= measure(r, s, ZONES_BY_HOUR, 0);
    good &= measure(r, s, SERVERS, 0);
    good &= measure(r, s, CLEAR_CLIENTS, 20 * days * EACH);
    good &= measure(r, s, ODD_CLEAR_CLIENTS, 0);
    good &= measure(r, s, ONE_CLIENT, days * EACH);
    good &= measure(r, s, TOLD, days * 300);
    store_reader_close(s);
    return good;
}

static void print_size(const struct run *r, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0)
        printf("report: %d clients, %d days: %.0f MB, %.0f octets a client and day\n", r->clients,
               r->days, (double)status.st_size / 1e6,
               (double)status.st_size / r->clients / r->days);
}

int main(int argc, char **argv)
{
    struct run r = {.clients = argc > 2 ? atoi(argv[2]) : 10000,
                    .days = argc > 3 ? atoi(argv[3]) : 365};
    struct store_options options = {.path = argc > 1 ? argv[1] : ""};
    char error[STORE_ERROR] = "";
    struct store *s;
    bool good;

    if (argc < 2 || r.clients < 100 || r.days < 60) {
        fprintf(stderr, "usage: bench_report FILE [CLIENTS, 100 or more] [DAYS, 60 or more]\n");
        return 2;
    }
    unlink(argv[1]);
    r.live = INT64_C(1767225600) * NSEC_S + 20 * HOUR; /* 2026-01-01 */
    r.start = r.live - r.live % DAY - r.days * DAY;
    if (store_open(&options, &s, error) != SD_OK) {
        fprintf(stderr, "bench_report: %s\n", error);
        return 1;
    }
    store_close(s);
    r.failed = sqlite3_open(argv[1], &r.db) != SQLITE_OK;
    fill_store(&r);
    sqlite3_close(r.db);
    print_size(&r, argv[1]);
    good = !r.failed && measure_all(&r, argv[1]);
    return !good;
}
