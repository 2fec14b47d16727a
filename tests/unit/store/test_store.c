#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "store/store.h"

static char folder[] = "/tmp/sealdns-store-XXXXXX";
static char path[64];
static char error[STORE_ERROR];

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

static struct store *open_store(uint64_t max_size)
{
    struct store_options options = {.path = path, .max_size = max_size, .host = "gw"};
    struct store *s = NULL;

    assert_int_equal(store_open(&options, &s, error), SD_OK);
    return s;
}

static struct record event(unsigned number, uint32_t revision)
{
    struct record r = {.kind = RECORD_EVENT, .time = number * NSEC_S};

    snprintf(r.event.id, sizeof r.event.id, "%016x", number);
    snprintf(r.event.finding.rule, RULE_ID, "cleartext");
    r.event.revision = revision;
    r.event.finding.severity = number % 2 ? SEVERITY_HIGH : SEVERITY_LOW;
    r.event.finding.time = r.event.first = r.event.last = number * NSEC_S;
    return r;
}

static int count_row(void *context, const struct event_row *row)
{
    assert_string_equal(row->json, "{\"a\":1}");
    ++*(unsigned *)context;
    return 0;
}

static unsigned count_events(struct event_filter filter)
{
    struct store_reader *r;
    unsigned count = 0;

    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    assert_int_equal(store_events(r, &filter, count_row, &count), SD_OK);
    store_reader_close(r);
    return count;
}

static void events_come_back_as_asked(void **state)
{
    struct store *s = open_store(0);

    (void)state;
    for (unsigned n = 1; n <= 10; n++)
        for (uint32_t revision = 1; revision <= 2; revision++) {
            struct record r = event(n, revision);

            assert_int_equal(store_write(s, &r, "{\"a\":1}"), SD_OK);
        }
    assert_int_equal(store_commit(s), SD_OK);
    assert_int_equal(count_events((struct event_filter){.kind = -1}), 10);
    assert_int_equal(count_events((struct event_filter){.kind = -1, .all_revisions = true}), 20);
    assert_int_equal(count_events((struct event_filter){.kind = KIND_CLEARTEXT}), 10);
    assert_int_equal(count_events((struct event_filter){.kind = KIND_DOWNGRADE}), 0);
    assert_int_equal(count_events((struct event_filter){.kind = -1, .severity = SEVERITY_HIGH}), 5);
    assert_int_equal(count_events((struct event_filter){.kind = -1, .since = 8 * NSEC_S}), 3);
    store_close(s);
}

static void write_until_killed(int to)
{
    struct store *s = open_store(0);

    for (unsigned n = 1;; n++) {
        struct record r = event(n, 1);

        if (store_write(s, &r, "{\"a\":1}") != SD_OK || store_commit(s) != SD_OK ||
            write(to, &n, sizeof n) != sizeof n)
            _exit(1);
    }
}

/* What store_commit() answered for is there after kill -9. */
static void nothing_committed_is_lost(void **state)
{
    unsigned last = 0, number;
    int ends[2];
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        write_until_killed(ends[1]);
    close(ends[1]);
    while (last < 50 && read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    close(ends[0]);
    assert_true(last >= 50);
    store_close(open_store(0));
    assert_true(count_events((struct event_filter){.kind = -1}) >= last);
}

static void conversations_add_up(void **state)
{
    struct store *s = open_store(0);
    struct record r = {.kind = RECORD_CONVERSATION, .hour = 3600 * NSEC_S, .zone = "office"};
    sqlite3_stmt *q;
    sqlite3 *db;

    (void)state;
    assert_int_equal(addr_parse("10.0.0.1", &r.conversation.key.client), SD_OK);
    assert_int_equal(addr_parse("2001:db8::1", &r.conversation.key.server), SD_OK);
    r.conversation.key.transport = TRANSPORT_DOT;
    r.conversation.queries = 3;
    for (int i = 0; i < 2; i++)
        assert_int_equal(store_write(s, &r, NULL), SD_OK);
    store_close(s);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT v.queries, c.queries_sealed, r.queries FROM"
                                        " conversations v, clients c, resolvers r",
                                        -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sqlite3_column_int(q, i), 6);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static int64_t number_of(const char *text)
{
    sqlite3_stmt *q;
    sqlite3 *db;
    int64_t value;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return value;
}

static void write_of_server(struct store *s, unsigned server, unsigned round)
{
    struct record r = {.kind = RECORD_CONVERSATION, .hour = 3600 * NSEC_S};
    struct conversation *c = &r.conversation;

    assert_int_equal(addr_parse("10.0.0.1", &c->key.client), SD_OK);
    c->key.server = addr_v4((uint8_t[]){192, 0, 2, (uint8_t)server});
    c->key.transport = TRANSPORT_DOT;
    c->first = (10 - round) * NSEC_S;
    c->last = (10 + round) * NSEC_S;
    c->flows = 1;
    c->queries = server;
    snprintf(c->name, sizeof c->name, "round-%u", round);
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

/* More servers and zones than a batch keeps sums of, each written several times over. */
static void sums_of_a_batch_are_exact(void **state)
{
    struct store *s = open_store(0);

    (void)state;
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned n = 1; n <= 200; n++) {
            struct record r = event(n, round);

            snprintf(r.zone, sizeof r.zone, "zone-%u", n);
            r.event.first = NSEC_S;
            r.event.count = (uint64_t)n * round;
            assert_int_equal(store_write(s, &r, "{}"), SD_OK);
            write_of_server(s, n, round);
        }
        if (round == 2)
            assert_int_equal(store_commit(s), SD_OK);
    }
    store_close(s);
    assert_int_equal(number_of("SELECT sum(events = 1 AND count = 3 * substr(zone, 6)) FROM"
                               " event_days"),
                     200);
    assert_int_equal(number_of("SELECT sum(flows = 3 AND queries = 3 * substr(server, 9)"
                               " AND first = 7000000000 AND last = 13000000000"
                               " AND name = 'round-3') FROM resolvers"),
                     200);
}

/* A batch that the disk had no room for is gone with its sums. */
static void sums_go_with_their_batch(void **state)
{
    struct store *s = open_store(0);
    struct record r = event(1, 1);
    sqlite3 *db;

    (void)state;
    r.event.count = 1;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.revision = "
                                  "9 BEGIN SELECT raise(ROLLBACK, 'full'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(store_write(s, &r, "{}"), SD_OK);
    r.event.revision = 9;
    assert_int_equal(store_write(s, &r, "{}"), SD_EIO);
    assert_int_equal(store_commit(s), SD_EIO);
    r = event(2, 1);
    r.event.count = 1;
    assert_int_equal(store_write(s, &r, "{}"), SD_OK);
    assert_int_equal(store_commit(s), SD_OK);
    store_close(s);
    sqlite3_close(db);
    assert_int_equal(number_of("SELECT count(*) FROM events"), 1);
    assert_int_equal(number_of("SELECT sum(events) FROM event_days"), 1);
}

static void refuses_what_is_not_its_own(void **state)
{
    struct store_options options = {.path = path};
    struct store *s;
    struct store_reader *r;
    sqlite3 *db;
    FILE *f = fopen(path, "w");

    (void)state;
    fputs("this is no database, but long enough to be taken for a header of one, or so", f);
    fclose(f);
    assert_int_equal(store_open(&options, &s, error), SD_EFORMAT);
    assert_int_equal(store_reader_open(path, &r, error), SD_EFORMAT);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_int_equal(store_open(&options, &s, error), SD_EVERSION);
    assert_int_equal(store_reader_open(path, &r, error), SD_EVERSION);
    options.path = "/nonexistent/x.db";
    assert_int_equal(store_open(&options, &s, error), SD_EIO);
    assert_non_null(strstr(error, "/nonexistent/x.db"));
}

static void stays_below_its_size(void **state)
{
    struct store *s = open_store(1 << 20);
    struct event_filter last = {.kind = -1, .since = 29999 * NSEC_S};

    (void)state;
    for (unsigned n = 1; n <= 30000; n++) {
        struct record r = event(n, 1);

        assert_int_equal(store_write(s, &r, "{\"a\":1}"), SD_OK);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_retain(s, 40000 * NSEC_S), SD_OK);
    store_close(s);
    assert_true(count_events((struct event_filter){.kind = -1}) <= 10000);
    if (count_events((struct event_filter){.kind = -1}))
        assert_int_equal(count_events(last), 2); /* the oldest went, not the youngest */
}

struct kept {
    unsigned rows;
    char text[128], body[16];
};

static int keep_row(void *context, const struct memory_row *row)
{
    struct kept *k = context;

    k->rows++;
    snprintf(k->text, sizeof k->text, "%s", row->text);
    snprintf(k->body, sizeof k->body, "%.*s", (int)row->size, (const char *)row->body);
    return 0;
}

static void learn(struct store *s, unsigned number)
{
    struct record r = {.kind = RECORD_MEMORY, .time = number * NSEC_S};

    snprintf(r.memory.topic, sizeof r.memory.topic, "baseline");
    snprintf(r.memory.key, sizeof r.memory.key, "c 10.0.%u.%u 0", number / 250, number % 250);
    r.memory.time = number * NSEC_S;
    r.memory.size = sizeof r.memory.body;
    evidence_clear(&r.memory.text);
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

static unsigned count_memory(void)
{
    struct store_reader *reader;
    struct kept k = {0};

    assert_int_equal(store_reader_open(path, &reader, error), SD_OK);
    assert_int_equal(store_memory(reader, NULL, NULL, keep_row, &k), SD_OK);
    store_reader_close(reader);
    return k.rows;
}

static void what_was_learned_outlives_a_full_store(void **state)
{
    struct store *s = open_store(1 << 20);

    (void)state;
    for (unsigned n = 0; n < 100; n++)
        learn(s, n);
    for (unsigned n = 1; n <= 30000; n++) {
        struct record r = event(n, 1);

        assert_int_equal(store_write(s, &r, "{\"a\":1}"), SD_OK);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_retain(s, 40000 * NSEC_S), SD_OK);
    store_close(s);
    assert_int_equal(count_memory(), 100);
}

/* Sources by the thousand, each of which is a client that was seen once. */
static void invented_clients_push_no_event_out(void **state)
{
    struct store *s = open_store(2 << 20);
    struct record r = event(7, 1);

    (void)state;
    assert_int_equal(store_write(s, &r, "{\"a\":1}"), SD_OK);
    for (unsigned n = 0; n < 2000; n++)
        learn(s, n);
    r = (struct record){.kind = RECORD_CONVERSATION};
    r.conversation.key.server.w[1] = 2;
    r.conversation.key.transport = TRANSPORT_DO53_UDP;
    for (unsigned n = 0; n < 4000; n++) {
        r.conversation.key.client.w[1] = 1 + n;
        r.conversation.last = n * NSEC_S;
        assert_int_equal(store_write(s, &r, NULL), SD_OK);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_retain(s, 40000 * NSEC_S), SD_OK);
    store_close(s);
    assert_int_equal(count_events((struct event_filter){.kind = -1}), 1);
    assert_in_range(count_memory(), 200, 256);
}

static void what_was_learned_comes_back(void **state)
{
    struct store *s = open_store(0);
    struct record r = {.kind = RECORD_MEMORY, .time = NSEC_S};
    struct store_reader *reader;
    struct kept k = {0};

    (void)state;
    snprintf(r.memory.topic, sizeof r.memory.topic, "client");
    snprintf(r.memory.key, sizeof r.memory.key, "10.0.0.1");
    r.memory.time = NSEC_S;
    evidence_clear(&r.memory.text);
    evidence_string(&r.memory.text, "profile", "unknown");
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
    evidence_clear(&r.memory.text);
    evidence_string(&r.memory.text, "profile", "strict");
    memcpy(r.memory.body, "again", r.memory.size = 5);
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
    snprintf(r.memory.key, sizeof r.memory.key, "10.0.0.2");
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
    r.memory.forget = true;
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
    store_close(s);
    assert_int_equal(store_reader_open(path, &reader, error), SD_OK);
    assert_int_equal(store_memory(reader, "client", NULL, keep_row, &k), SD_OK);
    assert_int_equal(k.rows, 1);
    assert_string_equal(k.text, "{\"profile\":\"strict\"}");
    assert_string_equal(k.body, "again");
    assert_int_equal(store_memory(reader, "other", NULL, keep_row, &k), SD_OK);
    assert_int_equal(k.rows, 1);
    store_reader_close(reader);
}

static int note_blocked(void *context, const struct blocked_row *row)
{
    char *seen = context;
    size_t used = strlen(seen);

    snprintf(seen + used, 128 - used, "%s>%s %d;", row->client, row->server, row->cleartext);
    return 0;
}

/* Each pair once, whatever revisions and events there are of it; and none that only would have
 * been. */
static void who_was_blocked_comes_back(void **state)
{
    static const struct {
        enum verdict verdict;
        enum kind kind;
        unsigned second;
    } events[] = {{VERDICT_BLOCKED, KIND_CLEARTEXT, 1},
                  {VERDICT_BLOCKED, KIND_CLEARTEXT, 9},
                  {VERDICT_BLOCKED, KIND_CLEARTEXT, 10},
                  {VERDICT_WOULD_BLOCK, KIND_UNAPPROVED_RESOLVER, 10}};
    struct store *s = open_store(0);
    struct store_reader *reader;
    char seen[128] = "";

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct record r = event(events[i].second, i);

        r.event.verdict = (uint8_t)events[i].verdict;
        r.event.finding.kind = (uint8_t)events[i].kind;
        assert_int_equal(addr_parse("10.0.0.1", &r.event.finding.client), SD_OK);
        assert_int_equal(addr_parse("9.9.9.9", &r.event.finding.server), SD_OK);
        assert_int_equal(store_write(s, &r, "{}"), SD_OK);
    }
    store_close(s);
    assert_int_equal(store_reader_open(path, &reader, error), SD_OK);
    assert_int_equal(store_blocked(reader, 5 * NSEC_S, note_blocked, seen), SD_OK);
    assert_string_equal(seen, "10.0.0.1>9.9.9.9 1;");
    seen[0] = '\0';
    assert_int_equal(store_blocked(reader, 11 * NSEC_S, note_blocked, seen), SD_OK);
    assert_string_equal(seen, "");
    store_reader_close(reader);
}

struct summed {
    unsigned rows;
    uint64_t queries, responses;
    char names[128];
};

static int sum_row(void *context, const struct history_row *row)
{
    struct summed *s = context;
    size_t used = strlen(s->names);

    s->rows++;
    s->queries += row->queries;
    s->responses += row->responses;
    snprintf(s->names + used, sizeof s->names - used, "%.*s>%.*s %.*s%s;", (int)row->client.length,
             row->client.at, (int)row->server.length, row->server.at, (int)row->name.length,
             row->name.at, row->gateway_resolver ? "gateway" : "");
    return s->rows == 3 ? SD_ELIMIT : SD_OK;
}

static void write_hour(struct store *s, nsec_t hour, const char *client, const char *name)
{
    struct record r = {.kind = RECORD_CONVERSATION, .hour = hour, .zone = "office"};
    struct conversation *c = &r.conversation;

    assert_true(!client || addr_parse(client, &c->key.client) == SD_OK);
    assert_true(!client || addr_parse("9.9.9.9", &c->key.server) == SD_OK);
    c->key.server_port = *name ? 853 : 53;
    c->key.transport = *name ? TRANSPORT_DOT : TRANSPORT_DO53_UDP;
    c->approved = client != NULL;
    snprintf(c->name, sizeof c->name, "%s", name);
    c->queries = 7;
    c->responses = 5;
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

/* From the hour on that holds `since`, in order; and it stops when it is told to. */
static void history_comes_back_row_by_row(void **state)
{
    const nsec_t hour = 3600 * NSEC_S;
    struct store *s = open_store(0);
    struct store_reader *reader;
    struct summed sum = {0};
    struct history_sink sink = {sum_row, &sum};

    (void)state;
    write_hour(s, hour, "10.0.0.1", "before");
    write_hour(s, 2 * hour, "10.0.0.2", "");
    write_hour(s, 2 * hour, "10.0.0.1", "dns.quad9.net");
    store_commit(s);
    assert_int_equal(store_reader_open(path, &reader, error), SD_OK);
    assert_int_equal(store_history(reader, 2 * hour + 60 * NSEC_S, &sink), SD_OK);
    assert_string_equal(sum.names, "10.0.0.1>9.9.9.9 dns.quad9.net;10.0.0.2>9.9.9.9 gateway;");
    assert_int_equal(sum.queries, 14);
    assert_int_equal(sum.responses, 10);
    write_hour(s, 3 * hour, NULL, ""); /* what was folded together */
    store_commit(s);
    sum = (struct summed){0};
    assert_int_equal(store_history(reader, 0, &sink), SD_ELIMIT);
    assert_int_equal(sum.rows, 3);
    sum = (struct summed){0};
    assert_int_equal(store_history(reader, 3 * hour, &sink), SD_OK);
    assert_string_equal(sum.names, "> ;");
    store_reader_close(reader);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_come_back_as_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_learned_outlives_a_full_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invented_clients_push_no_event_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_committed_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(conversations_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_of_a_batch_are_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_go_with_their_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_learned_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_blocked_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(history_comes_back_row_by_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_not_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_below_its_size, set_up, tear_down)};
    int failed;

    if (!mkdtemp(folder))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
