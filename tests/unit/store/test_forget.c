#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/forget.h"

#define DAY (86400 * NSEC_S)
#define NOW (1700000000 * NSEC_S)

static char folder[] = "/tmp/test_forget.XXXXXX", path[64], error[STORE_ERROR];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/t.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_files(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return 0;
}

static struct store *opened(uint64_t max_size)
{
    struct store_options options = {.path = path, .host = "gw", .max_size = max_size};
    struct store *s = NULL;

    assert_int_equal(store_open(&options, &s, error), SD_OK);
    return s;
}

static struct addr of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), SD_OK);
    return a;
}

static void add_event(struct store *s, const char *id, enum kind kind, const char *client,
                      const char *said, nsec_t time)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office"};
    struct finding *f = &r.event.finding;
    char json[512];

    strcpy(r.event.id, id);
    strcpy(f->rule, "some-rule");
    r.event.revision = 1;
    r.event.count = 3;
    f->kind = kind;
    f->severity = SEVERITY_LOW;
    f->time = r.event.first = r.event.last = time;
    f->client = of(client);
    f->server = of("9.9.9.9");
    snprintf(json, sizeof json,
             "{\"timestamp\":\"2026-01-01T00:00:00.000000+0000\",\"event_type\":\"alert\","
             "\"src_ip\":\"%s\",\"capture_file\":\"sealdns-%s.pcap\",\"alert\":{\"severity\":3},"
             "\"dns\":{\"queries\":[{\"rrname\":\"secret-name.example\"}]},\"sealdns\":{\"client\":"
             "\"%s\",\"client_name\":\"annas-laptop\",\"evidence\":{\"said\":\"%s\"}}}",
             client, id, client, said);
    assert_int_equal(store_write(s, &r, json), SD_OK);
}

static void add_conversation(struct store *s, const char *client, const char *server)
{
    struct record r = {.kind = RECORD_CONVERSATION, .zone = "office", .hour = NOW - NOW % DAY};
    struct conversation *c = &r.conversation;

    c->key.client = of(client);
    c->key.server = of(server);
    c->key.server_port = 53;
    c->key.transport = TRANSPORT_DO53_UDP;
    c->queries = 5;
    c->first = c->last = NOW;
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

static void add_query(struct store *s, const char *client, const char *wire, size_t size,
                      nsec_t time)
{
    struct record r = {.kind = RECORD_QUERY, .zone = "office"};

    r.query.client = of(client);
    r.query.server = of("9.9.9.9");
    r.query.transport = TRANSPORT_DO53_UDP;
    r.query.count = 1;
    r.query.last = time;
    r.query.qname_length = (uint8_t)size;
    memcpy(r.query.qname, wire, size);
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

static void add_memory(struct store *s, const char *key, const char *text)
{
    struct record r = {.kind = RECORD_MEMORY};

    strcpy(r.memory.topic, "profile");
    strcpy(r.memory.key, key);
    r.memory.time = NOW;
    evidence_clear(&r.memory.text);
    evidence_string(&r.memory.text, "addresses", text);
    assert_int_equal(store_write(s, &r, NULL), SD_OK);
}

static int64_t number(const char *text)
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

/* How often the octets of a text stand in the files of the store. */
static size_t grep(const char *text)
{
    static const char *const ends[] = {"", "-wal"};
    size_t found = 0, n = strlen(text);

    for (size_t i = 0; i < 2; i++) {
        static char all[4 << 20];
        char name[80];
        size_t got;
        FILE *f;

        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        f = fopen(name, "r");
        got = f ? fread(all, 1, sizeof all, f) : 0;
        if (f)
            fclose(f);
        for (size_t at = 0; at + n <= got; at++)
            found += memcmp(all + at, text, n) == 0;
    }
    return found;
}

static void fill(struct store *s)
{
    static const char mine[] = "\6secret\7example", others[] = "\6public\7example",
                      reverse[] = "\003"
                                  "113"
                                  "\001"
                                  "0"
                                  "\002"
                                  "20"
                                  "\002"
                                  "10"
                                  "\7in-addr\4arpa";

    add_event(s, "00000000000000a1", KIND_CLEARTEXT, "10.20.0.113", "it asked 9.9.9.9", NOW);
    add_event(s, "00000000000000a2", KIND_TUNNEL, "10.20.0.11", "as did 10.20.0.113, too", NOW);
    add_event(s, "00000000000000a3", KIND_TUNNEL, "10.20.0.114", "110.20.0.113 10.20.0.1131", NOW);
    for (int i = 0; i < 200; i++) /* pages of the tables are full, and split */
        add_query(s, i % 2 ? "10.20.0.113" : "10.20.0.7", i % 2 ? mine : others,
                  i % 2 ? sizeof mine : sizeof others, NOW + i);
    add_query(s, "10.20.0.7", reverse, sizeof reverse, NOW);
    add_conversation(s, "10.20.0.113", "9.9.9.9");
    add_conversation(s, "10.20.0.7", "9.9.9.9");
    add_memory(s, "10.20.0.113", "");
    add_memory(s, "02:00:00:00:00:09", "10.20.0.113");
    add_memory(s, "10.20.0.7", "");
    assert_int_equal(store_commit(s), SD_OK);
}

static void note_capture(void *context, const char *name)
{
    assert_string_equal(name, "sealdns-00000000000000a1.pcap");
    ++*(unsigned *)context;
}

static uint64_t rows_of(const struct forgotten *f, const char *what)
{
    for (size_t i = 0; i < FORGET_TABLES; i++)
        if (strcmp(f->tables[i].what, what) == 0)
            return f->tables[i].rows;
    fail_msg("no table %s", what);
    return 0;
}

static uint64_t all_rows(const struct forgotten *f)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < FORGET_TABLES; i++)
        sum += f->tables[i].rows;
    return sum;
}

static void nothing_of_a_client_is_left(void **state)
{
    struct addr client = of("10.20.0.113");
    struct store *s = opened(0);
    struct forgotten dry, gone;
    unsigned captures = 0;
    struct forgetting f = {.addresses = &client,
                           .count = 1,
                           .dry_run = true,
                           .capture = note_capture,
                           .context = &captures};

    (void)state;
    fill(s);
    assert_int_equal(store_forget(s, &f, &dry), SD_OK);
    assert_true(grep("10.20.0.113") > 0 && grep("secret") > 0);
    f.dry_run = false;
    assert_int_equal(store_forget(s, &f, &gone), SD_OK);
    assert_memory_equal(&dry, &gone, sizeof gone);
    assert_int_equal(captures, 2); /* both times */
    assert_false(gone.log_stays);
    assert_int_equal(rows_of(&gone, "events"), 1);
    assert_int_equal(rows_of(&gone, "events of others that name it"), 1);
    assert_int_equal(rows_of(&gone, "conversations"), 1);
    assert_int_equal(rows_of(&gone, "what was learned"), 2);
    assert_int_equal(rows_of(&gone, "lines of the query log"), 101);
    assert_int_equal(grep("secret.example"), 0);
    assert_int_equal(grep("secret-name"), 2); /* what others asked for */
    assert_int_equal(grep("annas-laptop\",\"evidence\":{\"said\":\"it asked"), 0);
    assert_int_equal(grep("113.0.20.10.in-addr"), 0);
    assert_int_equal(grep("10.20.0.113"), 2); /* within 110.20.0.113 and 10.20.0.1131 */
    assert_int_equal(store_forget(s, &f, &gone), SD_OK);
    assert_int_equal(all_rows(&gone), 0);
    store_close(s);
}

static void the_row_of_an_event_stays_without_its_contents(void **state)
{
    struct addr client = of("10.20.0.113");
    struct store *s = opened(0);
    struct forgetting f = {.addresses = &client, .count = 1};
    struct forgotten gone;

    (void)state;
    fill(s);
    assert_int_equal(store_forget(s, &f, &gone), SD_OK);
    store_close(s);
    assert_int_equal(number("SELECT count(*) FROM events"), 3);
    assert_int_equal(number("SELECT sum(events) FROM event_days"), 3);
    assert_int_equal(number("SELECT count(*) FROM events WHERE id = '00000000000000a1'"
                            " AND kind = 'cleartext' AND time > 0 AND client IS NULL"
                            " AND json_extract(json, '$.sealdns.forgotten')"
                            " AND json_extract(json, '$.sealdns.kind') = 'cleartext'"
                            " AND json_extract(json, '$.alert.severity') = 3"
                            " AND json_extract(json, '$.dns') IS NULL"),
                     1);
    assert_int_equal(number("SELECT json_extract(json, '$.sealdns.evidence.said') ="
                            " 'as did -, too' FROM events WHERE id = '00000000000000a2'"),
                     1);
    assert_int_equal(number("SELECT count(*) FROM queries"), 100);
    assert_int_equal(number("SELECT count(*) FROM conversations"), 1);
}

static void each_kind_stays_for_its_time(void **state)
{
    struct store *s = opened(0);
    struct store_retention wish = {.queries = 2 * DAY, .conversations = 10 * DAY};

    (void)state;
    wish.kinds[KIND_CLEARTEXT] = 5 * DAY;
    wish.kinds[KIND_TUNNEL] = 50 * DAY;
    fill(s);
    store_use_retention(s, &wish);
    assert_int_equal(store_retain(s, NOW + DAY), SD_OK);
    assert_int_equal(number("SELECT count(*) FROM events"), 3);
    assert_int_equal(number("SELECT count(*) FROM queries"), 201);
    assert_int_equal(number("SELECT count(*) FROM conversations"), 2);
    for (int i = 0; i < KIND_COUNT; i++)
        assert_int_equal(store_retain(s, NOW + 20 * DAY), SD_OK);
    assert_int_equal(number("SELECT count(*) FROM events"), 2);
    assert_int_equal(number("SELECT count(*) FROM events WHERE kind = 'tunnel'"), 2);
    assert_int_equal(number("SELECT count(*) FROM queries"), 0);
    assert_int_equal(number("SELECT count(*) FROM conversations"), 0);
    assert_int_equal(number("SELECT count(*) FROM client_days"), 0);
    assert_int_equal(number("SELECT sum(queries) FROM zone_hours"), 10); /* of no client */
    assert_int_equal(store_expired(s), 1 + 201 + 2 + 2);
    store_close(s);
}

static void the_query_log_has_a_share_of_the_store(void **state)
{
    struct store *s = opened(64 << 10);

    (void)state;
    fill(s);
    assert_int_equal(store_retain(s, NOW), SD_OK);
    assert_in_range(number("SELECT count(*) FROM queries"), 90, 110);
    assert_int_equal(number("SELECT max(row) FROM queries"), 201); /* the oldest went */
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_of_a_client_is_left, remove_files),
        cmocka_unit_test_teardown(the_row_of_an_event_stays_without_its_contents, remove_files),
        cmocka_unit_test_teardown(each_kind_stays_for_its_time, remove_files),
        cmocka_unit_test_teardown(the_query_log_has_a_share_of_the_store, remove_files),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
