/* A store of every earlier schema, opened by today's program: it becomes what a new one is, no row
 * is lost, and one that was killed in between is the old one or the new one, whole. */
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
#include "store/schema.h"
#include "store/store.h"

enum { TEXT = 16384, KILLS = 8 };

static char folder[] = "/tmp/sealdns-schema-XXXXXX";
static char path[64];

/* What every version has; times are of 2024-12-31. */
static const char rows[] =
    "INSERT INTO events VALUES (1, 'a', 1, 'new', 'cleartext', 'cleartext', 3, 'allowed',"
    " 1735603200000000000, 1735603200000000000, 1735603200000000000, 1, '10.0.0.1', '8.8.8.8',"
    " 'office', NULL, 'gw', '{\"sealdns\":{\"id\":\"a\"}}');"
    "INSERT INTO events VALUES (2, 'a', 2, 'final', 'cleartext', 'cleartext', 2, 'blocked',"
    " 1735603260000000000, 1735603200000000000, 1735603260000000000, 5, '10.0.0.1', '8.8.8.8',"
    " 'office', NULL, 'gw', '{\"sealdns\":{\"id\":\"a\"}}');"
    "INSERT INTO events VALUES (4, 'b', 1, 'new', 'sensor', 'sensor', 4, 'allowed',"
    " 1735603270000000000, 1735603270000000000, 1735603270000000000, 1, NULL, NULL, NULL, NULL,"
    " 'gw', '{\"sealdns\":{\"id\":\"b\"}}');"
    "INSERT INTO conversations VALUES (1735603200000000000, '10.0.0.1', '8.8.8.8', 53, 'do53-udp',"
    " 'office', NULL, '', 0, 1, 100, 0, 1735603200000000000, 1735603260000000000, 3, 0, 7, 6, 700,"
    " 900);"
    "INSERT INTO clients VALUES ('10.0.0.1', 'office', 1735603200000000000, 1735603260000000000, 7,"
    " 0, 0);"
    "INSERT INTO resolvers VALUES ('8.8.8.8', 53, 'do53-udp', NULL, NULL, 1735603200000000000,"
    " 1735603260000000000, 7, 6, 3, 0);"
    "INSERT INTO stats VALUES (1735603200000000000, '{\"packets\":9}');";
static const char learned[] =
    "INSERT INTO memory VALUES ('client', '10.0.0.1', 1735603200000000000, '{}', x'01');";

static int versions(void)
{
    int n = 0;

    while (schema_steps[n])
        n++;
    return n;
}

static void run(sqlite3 *db, const char *text)
{
    char *error = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", text, error);
}

static void make_store(int version)
{
    char set[64];
    sqlite3 *db;

    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int i = 0; i < version; i++)
        run(db, schema_steps[i]);
    snprintf(set, sizeof set, "PRAGMA user_version = %d", version);
    run(db, set);
    run(db, rows);
    if (version > 1)
        run(db, learned);
    sqlite3_close(db);
}

/* Every row of an answer, its columns apart by bars. */
static void ask(const char *text, char out[TEXT])
{
    sqlite3 *db;
    sqlite3_stmt *q;
    size_t used = 0;

    out[0] = '\0';
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(q); i++) {
            const char *cell = (const char *)sqlite3_column_text(q, i);

            used += (size_t)snprintf(out + used, TEXT - used, "%s|", cell ? cell : "");
            assert_true(used < TEXT);
        }
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static void says(const char *text, const char *wanted)
{
    static char got[TEXT];

    ask(text, got);
    assert_string_equal(got, wanted);
}

static void open_and_close(void)
{
    struct store_options options = {.path = path, .host = "gw"};
    char error[STORE_ERROR] = "";
    struct store *s;

    if (store_open(&options, &s, error) != SD_OK)
        fail_msg("%s", error);
    store_close(s);
}

static const char shape[] = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE "
                            "'sqlite_%' ORDER BY type, name";

static void is_as_it_was(int version)
{
    says("PRAGMA integrity_check", "ok|");
    says("SELECT row, id, revision, count, json FROM events ORDER BY row",
         "1|a|1|1|{\"sealdns\":{\"id\":\"a\"}}|2|a|2|5|{\"sealdns\":{\"id\":\"a\"}}|4|b|1|1|"
         "{\"sealdns\":{\"id\":\"b\"}}|");
    says("SELECT client, server, queries FROM conversations", "10.0.0.1|8.8.8.8|7|");
    says("SELECT client, queries_clear FROM clients", "10.0.0.1|7|");
    says("SELECT server, queries FROM resolvers", "8.8.8.8|7|");
    says("SELECT json FROM stats", "{\"packets\":9}|");
    says("SELECT count(*) FROM memory", version > 1 ? "1|" : "0|");
}

static void every_version_becomes_todays(void **state)
{
    static char fresh[TEXT], now[TEXT], wanted[16];

    (void)state;
    unlink(path);
    open_and_close();
    ask(shape, fresh);
    snprintf(wanted, sizeof wanted, "%d|", versions());
    for (int version = 1; version <= versions(); version++) {
        make_store(version);
        open_and_close();
        says("PRAGMA user_version", wanted);
        is_as_it_was(version);
        ask(shape, now);
        assert_string_equal(now, fresh);
        /* From the third on the sums are the writer's: nobody wrote these rows. */
        if (version < 3)
            says("SELECT sum(events), sum(count) FROM event_days", "2|6|");
    }
}

/* A process that is killed while it opens the store, sooner or later. */
static void open_until_killed(unsigned after_us)
{
    pid_t child = fork();
    int how;

    assert_true(child >= 0);
    if (child == 0) {
        struct store_options options = {.path = path, .host = "gw"};
        char error[STORE_ERROR];
        struct store *s;

        _exit(store_open(&options, &s, error) == SD_OK ? 0 : 1);
    }
    usleep(after_us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
}

static void a_kill_leaves_the_old_or_the_new(void **state)
{
    static char version_now[TEXT];

    (void)state;
    for (int version = 1; version < versions(); version++)
        for (unsigned i = 0; i < KILLS; i++) {
            make_store(version);
            open_until_killed(300 + 700 * i);
            says("PRAGMA integrity_check", "ok|");
            ask("PRAGMA user_version", version_now);
            assert_in_range(atoi(version_now), version, versions());
            open_and_close();
            is_as_it_was(version);
        }
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/store.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_becomes_todays),
        cmocka_unit_test(a_kill_leaves_the_old_or_the_new),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
