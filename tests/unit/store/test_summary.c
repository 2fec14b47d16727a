/* What is summed up says what the hours say: before, after, and when the hours have gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/summary.h"

#define HOUR  (3600 * NSEC_S)
#define DAY   (24 * HOUR)
#define START (INT64_C(1735603200) * NSEC_S) /* 2024-12-31 */

static char folder[] = "/tmp/sealdns-summary-XXXXXX";
static char path[64];

static struct store *open_store(nsec_t max_age)
{
    struct store_options options = {.path = path, .max_age = max_age};
    char error[STORE_ERROR];
    struct store *s = NULL;

    assert_int_equal(store_open(&options, &s, error), SD_OK);
    return s;
}

static void write_hour(struct store *s, int hour, const char *client, enum transport transport,
                       uint64_t queries)
{
    struct record r = {.kind = RECORD_CONVERSATION, .hour = START + hour * HOUR};
    struct conversation *c = &r.conversation;

    assert_int_equal(addr_parse(client, &c->key.client), SD_OK);
    assert_int_equal(addr_parse(transport == TRANSPORT_DOT ? "9.9.9.9" : "8.8.8.8", &c->key.server),
                     SD_OK);
    snprintf(r.zone, sizeof r.zone, "%s", strcmp(client, "10.0.0.3") == 0 ? "guest" : "office");
    snprintf(r.resolver, sizeof r.resolver, "%s", transport == TRANSPORT_DOT ? "quad9" : "");
    c->key.server_port = transport == TRANSPORT_DOT ? 853 : 53;
    c->key.transport = (uint8_t)transport;
    c->approved = transport == TRANSPORT_DOT;
    c->queries = queries;
    c->responses = queries - 1;
    c->flows = 1;
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

/* Four days over two months, three clients; and traffic that is no DNS, which counts nowhere. */
static void write_days(struct store *s)
{
    for (int hour = 0; hour < 96; hour += 6) {
        write_hour(s, hour, "10.0.0.1", TRANSPORT_DOT, 10);
        write_hour(s, hour, "10.0.0.2", TRANSPORT_DO53_UDP, 20);
        write_hour(s, hour, "10.0.0.2", TRANSPORT_DOT, 5);
        write_hour(s, hour, "10.0.0.3", TRANSPORT_DO53_UDP, hour < 24 ? 90 : 7);
        write_hour(s, hour, "10.0.0.3", TRANSPORT_TLS, 1000);
    }
    assert_int_equal(store_commit(s), SD_OK);
}

struct said {
    char text[4096];
    size_t used;
};

static void __attribute__((format(printf, 2, 3))) put(struct said *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    s->used += (size_t)vsnprintf(s->text + s->used, sizeof s->text - s->used, format, arguments);
    va_end(arguments);
    assert_true(s->used < sizeof s->text);
}

static int put_zone(void *context, const struct zone_row *row)
{
    put(context, "%d %s %s %d %llu;", (int)((row->time - START) / HOUR), row->zone,
        transport_name(row->transport), row->approved, (unsigned long long)row->counts.queries);
    return 0;
}

static int put_server(void *context, const struct server_row *row)
{
    put(context, "%s:%u %s %s %d %llu/%llu;", row->server, row->server_port,
        transport_name(row->transport), row->resolver, row->approved,
        (unsigned long long)row->counts.queries, (unsigned long long)row->counts.responses);
    return 0;
}

static int put_client(void *context, const struct client_row *row)
{
    put(context, "%s %s %llu+%llu (%llu);", row->client, row->zone,
        (unsigned long long)row->queries[TRANSPORT_DO53_UDP],
        (unsigned long long)row->queries[TRANSPORT_DOT], (unsigned long long)row->clear_unapproved);
    return 0;
}

static int put_told(void *context, const struct told_row *row)
{
    put(context, "%d %s %s %d %s %lld %lld;", (int)((row->day - START) / DAY), row->zone, row->kind,
        row->severity, row->verdict, (long long)row->events, (long long)row->count);
    return 0;
}

static struct store_reader *reader(void)
{
    struct store_reader *r = NULL;
    char error[STORE_ERROR];

    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    return r;
}

/* Everything that can be asked about the four days. */
static void ask(struct said *s)
{
    struct store_reader *r = reader();
    struct summary_period all = {START, START + 4 * DAY, NULL};
    struct summary_period office = {START + DAY, START + 3 * DAY, "office"};

    *s = (struct said){0};
    assert_int_equal(store_zones(r, &all, DAY, put_zone, s), SD_OK);
    put(s, "\n");
    assert_int_equal(store_zones(r, &office, HOUR, put_zone, s), SD_OK);
    put(s, "\n");
    assert_int_equal(store_servers(r, &all, 10, put_server, s), SD_OK);
    put(s, "\n");
    assert_int_equal(store_clear_clients(r, &all, 10, put_client, s), SD_OK);
    put(s, "\n");
    assert_int_equal(store_client_days(r, "10.0.0.2", &all, put_client, s), SD_OK);
    store_reader_close(r);
}

static void sums_say_what_hours_say(void **state)
{
    struct store *s = open_store(0);
    struct said before, after;

    (void)state;
    write_days(s);
    ask(&before);
    assert_non_null(strstr(before.text, "0 guest do53-udp 0 360;0 office do53-udp 0 80;"
                                        "0 office dot 1 60;24 guest do53-udp 0 28;"));
    assert_non_null(strstr(before.text, "\n8.8.8.8:53 do53-udp  0 764/732;9.9.9.9:853 dot quad9 1 "
                                        "240/208;\n"));
    assert_non_null(strstr(before.text,
                           "\n10.0.0.3 guest 444+0 (444);10.0.0.2 office 320+80 (320);\n"
                           "10.0.0.2 office 80+20 (80);"));
    assert_int_equal(store_retain(s, START + 2 * DAY), SD_OK); /* some of them */
    ask(&after);
    assert_string_equal(after.text, before.text);
    assert_int_equal(store_retain(s, START + 5 * DAY), SD_OK); /* all of them */
    ask(&after);
    assert_string_equal(after.text, before.text);
    store_close(s);
}

/* Of an hour that was summed up already. */
static void what_comes_late_is_added(void **state)
{
    struct store *s = open_store(0);
    struct said once, late;

    (void)state;
    write_days(s);
    write_days(s);
    ask(&once);
    store_close(s);
    unlink(path);
    s = open_store(0);
    write_days(s);
    assert_int_equal(store_retain(s, START + 5 * DAY), SD_OK);
    write_days(s);
    ask(&late);
    assert_string_equal(late.text, once.text);
    store_close(s);
}

static void hours_go_and_sums_stay(void **state)
{
    struct store *s = open_store(10 * DAY);
    struct summary_period all = {START, START + 4 * DAY, NULL};
    struct store_reader *r;
    struct said before, zones = {0}, clients = {0};

    (void)state;
    write_days(s);
    ask(&before);
    assert_int_equal(store_retain(s, START + 90 * DAY), SD_OK);
    store_close(s);
    r = reader();
    assert_int_equal(store_zones(r, &all, DAY, put_zone, &zones), SD_OK);
    assert_int_equal(store_conversations(r, NULL, 0, 10, NULL, NULL), SD_OK); /* none */
    assert_int_equal(store_clear_clients(r, &all, 10, put_client, &clients), SD_OK);
    store_reader_close(r);
    assert_int_equal(strncmp(zones.text, before.text, zones.used), 0);
    assert_true(zones.used > 100);
    assert_string_equal(clients.text, ""); /* nobody's name is kept for longer than he was told */
}

static void tell(struct store *s, uint32_t revision, uint8_t severity, uint64_t count, int day)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office"};

    snprintf(r.event.id, sizeof r.event.id, "one");
    snprintf(r.event.finding.rule, RULE_ID, "cleartext");
    r.event.revision = revision;
    r.event.finding.severity = severity;
    r.event.count = count;
    r.event.first = START;
    r.event.last = r.event.finding.time = START + day * DAY;
    assert_int_equal(store_write(s, &r, "{}"), SD_OK);
}

/* One that grows and gets graver is one, as it was told last; its repeats count where they came. */
static void an_event_counts_once(void **state)
{
    struct store *s = open_store(0);
    struct summary_period all = {START, START + 4 * DAY, NULL};
    struct store_reader *r;
    struct said told = {0};

    (void)state;
    tell(s, 1, SEVERITY_LOW, 1, 0);
    tell(s, 2, SEVERITY_LOW, 4, 0);
    tell(s, 3, SEVERITY_HIGH, 9, 1);
    store_close(s);
    r = reader();
    assert_int_equal(store_told(r, &all, put_told, &told), SD_OK);
    store_reader_close(r);
    assert_string_equal(told.text,
                        "0 office cleartext 1 allowed 1 0;0 office cleartext 3 allowed 0 4;"
                        "1 office cleartext 1 allowed 0 5;");
}

/* A store of the second schema: its hours and events are in what is asked afterwards. */
static void an_older_store_is_summed_up(void **state)
{
    static const char back[] =
        "DROP TABLE rolled; DROP TABLE zone_hours; DROP TABLE server_days; DROP TABLE client_days;"
        "DROP TABLE client_months; DROP TABLE event_days; DROP INDEX events_by_client;"
        " DROP INDEX events_by_kind; DROP TABLE queries;"
        "DROP TABLE chain; DROP TABLE chain_notes; DROP TABLE chain_erased;"
        "DROP TABLE chain_checkpoints; PRAGMA user_version = 2";
    struct store *s = open_store(0);
    struct summary_period all = {START, START + 4 * DAY, NULL};
    struct said before, after, told = {0};
    struct store_reader *r;
    sqlite3 *db;

    (void)state;
    write_days(s);
    tell(s, 1, SEVERITY_LOW, 1, 0);
    tell(s, 2, SEVERITY_HIGH, 4, 0);
    ask(&before);
    store_close(s);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    r = reader();
    assert_int_equal(store_zones(r, &all, DAY, put_zone, &told), SD_OK); /* has no sums: no rows */
    assert_string_equal(told.text, "");
    store_reader_close(r);
    s = open_store(0);
    assert_int_equal(store_retain(s, START + 3 * DAY), SD_OK);
    ask(&after);
    assert_string_equal(after.text, before.text);
    r = reader();
    assert_int_equal(store_told(r, &all, put_told, &told), SD_OK);
    assert_string_equal(told.text, "0 office cleartext 1 allowed 1 4;");
    store_reader_close(r);
    store_close(s);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/test.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    char name[80];

    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);
        unlink(name);
    }
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_say_what_hours_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_late_is_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hours_go_and_sums_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_store_is_summed_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
