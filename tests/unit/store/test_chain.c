/* The evidence chain: what is whole says so, and each way to spoil it is found and named. */
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
#include "store/forget.h"
#include "store/verify.h"

#define DAY   (86400 * NSEC_S)
#define START (20000 * DAY)

static char folder[] = "/tmp/test_chain.XXXXXX", path[64], error[SIGNING_ERROR];
static struct signing_key *key, *another;

static int make_folder(void **state)
{
    char name[80];

    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/t.db", folder);
    signing_beside(path, name, sizeof name);
    if (signing_open(name, true, &key, error) != SD_OK)
        return 1;
    signing_close(key);
    if (signing_open(name, false, &key, error) != SD_OK || unlink(name) != 0)
        return 1;
    return signing_open(name, true, &another, error) == SD_OK && unlink(name) == 0 ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    signing_close(key);
    signing_close(another);
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

static struct store *opened(struct signing_key *by, nsec_t max_age)
{
    struct store_options options = {
        .path = path, .host = "gw", .key = by, .max_age = max_age, .now = START};
    struct store *s = NULL;

    assert_int_equal(store_open(&options, &s, error), SD_OK);
    return s;
}

/* Event n has the id n, stands in row n of a new store, and is of the client 10.0.0.n. */
static int write_row(struct store *s, unsigned n, nsec_t time)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office", .time = time};
    struct finding *f = &r.event.finding;
    char json[128];

    snprintf(r.event.id, sizeof r.event.id, "%016x", n);
    strcpy(f->rule, "some-rule");
    r.event.revision = 1;
    f->kind = n % 2 ? KIND_CLEARTEXT : KIND_TUNNEL;
    f->severity = SEVERITY_LOW;
    f->time = r.event.first = r.event.last = time;
    f->client = addr_v4((uint8_t[]){10, 0, 0, (uint8_t)n});
    snprintf(json, sizeof json, "{\"n\":%u,\"client\":\"10.0.0.%u\",\"sealdns\":{}}", n, n);
    return store_write(s, &r, json);
}

static void add(struct store *s, unsigned n, nsec_t time)
{
    assert_int_equal(write_row(s, n, time), SD_OK);
}

static void add_many(struct store *s, unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++)
        add(s, n, START + n * NSEC_S);
}

static void fill(struct signing_key *by, unsigned rows)
{
    struct store *s = opened(by, 0);

    add_many(s, 1, rows);
    store_close(s);
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

static void spoil(const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* --- what verify says, in short: "changed 3 0000000000000003;" or "removed 3-5;" ---------------
 */

static char found[1024], noted[1024];

static void take_finding(void *context, const struct chain_finding *f)
{
    size_t used = strlen(found);

    (void)context;
    used += (size_t)snprintf(found + used, sizeof found - used, "%s %lld",
                             chain_fault_name(f->fault), (long long)f->row);
    if (f->last != f->row)
        used += (size_t)snprintf(found + used, sizeof found - used, "-%lld", (long long)f->last);
    if (f->id[0])
        used += (size_t)snprintf(found + used, sizeof found - used, " %s.%u", f->id, f->revision);
    if (f->other)
        used += (size_t)snprintf(found + used, sizeof found - used, " (%lld)", (long long)f->other);
    snprintf(found + used, sizeof found - used, ";");
}

static void take_note(void *context, const struct chain_told *n)
{
    size_t used = strlen(noted);

    (void)context;
    snprintf(noted + used, sizeof noted - used, "%s %lld of %lld-%lld;", n->why, (long long)n->rows,
             (long long)n->first, (long long)n->last);
}

static struct verified verify_against(struct signing_key *by, FILE *elsewhere)
{
    struct verification v = {.finding = take_finding, .note = take_note, .elsewhere = elsewhere};
    unsigned char keys[1][SIGNING_KEY];
    struct store_reader *r;
    struct verified sum;

    if (by)
        memcpy(keys[0], signing_public(by), SIGNING_KEY);
    v.keys = keys;
    v.key_count = by != NULL;
    found[0] = noted[0] = '\0';
    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    assert_int_equal(store_verify(r, &v, &sum), SD_OK);
    store_reader_close(r);
    return sum;
}

static struct verified verify(struct signing_key *by)
{
    return verify_against(by, NULL);
}

#define assert_found(text)                                                                         \
    do {                                                                                           \
        verify(key);                                                                               \
        assert_string_equal(found, text);                                                          \
    } while (0)

static void assert_whole(void)
{
    assert_found("");
}

/* --- whole ------------------------------------------------------------------------------------ */

static void what_was_written_is_whole(void **state)
{
    struct verified sum;

    (void)state;
    fill(key, 20);
    sum = verify(key);
    assert_string_equal(found, "");
    assert_true(sum.is_signed);
    assert_int_equal(sum.rows, 20);
    assert_int_equal(sum.checkpoint.row, 20);
    assert_memory_equal(sum.key, signing_public(key), SIGNING_KEY);
}

static void every_batch_is_signed_by_its_end(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    for (unsigned n = 1; n <= 30; n++) {
        add(s, n, START + n * 60 * NSEC_S);
        assert_int_equal(store_commit(s), SD_OK);
        assert_int_equal(verify(key).checkpoint.row, n);
        assert_string_equal(found, "");
    }
    store_close(s);
    assert_in_range(number("SELECT count(*) FROM chain_checkpoints"), 3, 4); /* ten minutes each */
}

static void many_rows_end_a_checkpoint_too(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    for (unsigned n = 1; n <= 5000; n++) {
        add(s, n, START);
        if (n % 100 == 0)
            assert_int_equal(store_commit(s), SD_OK);
    }
    store_close(s);
    assert_whole();
    assert_in_range(number("SELECT count(*) FROM chain_checkpoints"), 4, 6);
}

static void without_a_key_it_is_chained_unsigned(void **state)
{
    struct verified sum;

    (void)state;
    fill(NULL, 5);
    sum = verify(NULL);
    assert_string_equal(found, "");
    assert_false(sum.is_signed);
    assert_found("unsigned 1-5;"); /* to whoever has the key */
    spoil("UPDATE events SET count = 7 WHERE row = 2");
    verify(NULL);
    assert_string_equal(found, "changed 2 0000000000000002.1;");
}

static void an_older_store_is_chained_and_said(void **state)
{
    (void)state;
    fill(key, 5);
    spoil(
        "DROP TABLE chain; DROP TABLE chain_notes; DROP TABLE chain_erased;"
        " DROP TABLE chain_checkpoints; PRAGMA user_version = 5; DELETE FROM events WHERE row = 2");
    fill(key, 3);
    assert_int_equal(verify(key).rows, 4 + 1 + 3);
    assert_string_equal(found, "");
    assert_string_equal(noted, "migrated 4 of 1-5;");
}

static void what_was_before_the_key_is_said(void **state)
{
    (void)state;
    fill(NULL, 5);
    fill(key, 5);
    assert_whole();
    assert_string_equal(noted, "unsigned 5 of 1-5;");
}

/* --- spoiled ---------------------------------------------------------------------------------- */

static void a_changed_column_is_named(void **state)
{
    static const char *const columns[] = {"id = '0000000000000003x'",
                                          "revision = 2",
                                          "state = 'final'",
                                          "kind = 'tunnel'",
                                          "rule = 'other'",
                                          "severity = 1",
                                          "verdict = 'x'",
                                          "time = 1",
                                          "first = 1",
                                          "last = 1",
                                          "count = 99",
                                          "client = '10.9.9.9'",
                                          "client = NULL",
                                          "server = '10.9.9.9'",
                                          "zone = 'home'",
                                          "resolver = 'x'",
                                          "host = 'x'",
                                          "json = json || ' '"};
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        fill(key, 5);
        snprintf(text, sizeof text, "UPDATE events SET %s WHERE row = 3", columns[i]);
        spoil(text);
        verify(key);
        assert_memory_equal(found, "changed 3 0000000000000003", 26);
        assert_ptr_equal(strchr(found, ';'), found + strlen(found) - 1); /* and nothing else */
        remove_files(NULL);
    }
}

static void a_removed_row_is_named(void **state)
{
    (void)state;
    fill(key, 9);
    spoil("DELETE FROM events WHERE row = 3");
    assert_found("removed 3;");
    spoil("DELETE FROM chain WHERE row BETWEEN 3 AND 5; DELETE FROM events WHERE row IN (4, 5)");
    assert_found("removed 3-5;broken 6 0000000000000006.1 (2);");
    spoil("DELETE FROM chain WHERE row < 3; DELETE FROM events WHERE row < 3");
    assert_found("removed 1-5;broken 6 0000000000000006.1;");
}

static void an_inserted_row_is_named(void **state)
{
    static const char copy[] =
        "INSERT INTO events SELECT %d, 'aaaa', revision, state, kind, rule, severity, verdict, "
        "time,"
        " first, last, count, client, server, zone, resolver, host, json FROM events WHERE row = 2";
    char text[512];

    (void)state;
    fill(key, 5);
    snprintf(text, sizeof text, copy, 6);
    spoil(text);
    assert_found("inserted 6 aaaa.1;");
    spoil("INSERT INTO chain SELECT 6, salt, digest, hash FROM chain WHERE row = 2");
    assert_found("broken 6 aaaa.1 (5);changed 6 aaaa.1;unsigned 6;");
}

static void moved_rows_are_named(void **state)
{
    (void)state;
    fill(key, 6);
    spoil("UPDATE events SET row = 100 WHERE row = 2; UPDATE events SET row = 2 WHERE row = 5;"
          "UPDATE events SET row = 5 WHERE row = 100");
    assert_found("moved 2 0000000000000005.1 (5);moved 5 0000000000000002.1 (2);");
    spoil("UPDATE chain SET row = 100 WHERE row = 2; UPDATE chain SET row = 2 WHERE row = 5;"
          "UPDATE chain SET row = 5 WHERE row = 100");
    assert_found("broken 2 0000000000000005.1 (1);broken 3 0000000000000003.1 (2);"
                 "broken 5 0000000000000002.1 (4);broken 6 0000000000000006.1 (5);");
}

static void what_was_taken_off_the_end_is_named(void **state)
{
    (void)state;
    fill(key, 9);
    spoil("DELETE FROM events WHERE row > 6; DELETE FROM chain WHERE row > 6");
    assert_found("truncated 7-9 (1);unsigned 1-6;"); /* what is left was signed with the rest */
}

static void what_went_with_its_checkpoints_is_found_elsewhere(void **state)
{
    struct store *s = opened(key, 0);
    struct store_checkpoint p;
    char text[2][STORE_CHECKPOINT], log[3 * STORE_CHECKPOINT];
    FILE *elsewhere;

    (void)state;
    add_many(s, 1, 5);
    assert_int_equal(store_commit(s), SD_OK);
    store_checkpoint(s, &p, text[0]);
    store_close(s);
    s = opened(key, 0);
    add_many(s, 6, 9);
    assert_int_equal(store_commit(s), SD_OK);
    store_checkpoint(s, &p, text[1]);
    store_close(s);
    assert_int_equal(p.row, 9);
    spoil("DELETE FROM events WHERE row > 5; DELETE FROM chain WHERE row > 5;"
          " DELETE FROM chain_checkpoints WHERE row > 5");
    assert_whole(); /* the store alone does not show it */
    snprintf(log, sizeof log, "Dec 1 sealdns: %s\n{\"a\":\"%s\"}\nnothing\n", text[0], text[1]);
    elsewhere = fmemopen(log, strlen(log), "r");
    assert_int_equal(verify_against(key, elsewhere).elsewhere, 2);
    fclose(elsewhere);
    assert_string_equal(found, "truncated 6-9 (2);");
    *strstr(log, ":5:") = ';';
    elsewhere = fmemopen(log, strlen(log), "r");
    assert_int_equal(verify_against(another, elsewhere).elsewhere, 1);
    fclose(elsewhere);
    assert_non_null(strstr(found, "forged 9 (2);"));
}

static void a_changed_checkpoint_is_named(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++)
        fill(key, 3);
    spoil("UPDATE chain_checkpoints SET row = 5 WHERE number = 2");
    assert_found("forged 5 (2);");
    spoil("DELETE FROM chain_checkpoints WHERE number = 2");
    assert_found("lost 4-9 (2);");
    spoil("UPDATE chain_checkpoints SET signature = zeroblob(64)");
    verify(key);
    assert_non_null(strstr(found, "unsigned 1-9;"));
    spoil("DELETE FROM chain_checkpoints");
    assert_found("unsigned 1-9;");
}

static void another_key_signs_nothing(void **state)
{
    (void)state;
    fill(another, 5);
    assert_found("forged 5 (1);unsigned 1-5;");
    verify(NULL);
    assert_string_equal(found, "");
    fill(key, 5); /* a new key in the place of a lost one: who has both knows */
    assert_found("forged 5 (1);");
    assert_string_equal(noted, "key 5 of 1-5;");
    verify(NULL);
    assert_string_equal(found, "");
}

/* Whoever knows how it is made, and has no key. */
static void what_was_made_anew_without_the_key_is_named(void **state)
{
    (void)state;
    fill(key, 4);
    fill(key, 4);
    spoil("CREATE TABLE kept AS SELECT * FROM chain_checkpoints;"
          "CREATE TABLE old AS SELECT * FROM events;"
          "DELETE FROM chain; DELETE FROM chain_notes; DELETE FROM chain_checkpoints;"
          "UPDATE events SET client = '10.9.9.9' WHERE row = 3");
    store_close(opened(NULL, 0));
    spoil("DELETE FROM chain WHERE row > 8; DELETE FROM chain_notes;"
          "INSERT INTO chain_checkpoints SELECT * FROM kept; DROP TABLE kept; DROP TABLE old");
    assert_found("rewritten 1-4 (1);rewritten 1-8 (2);unsigned 1-8;");
}

static void a_note_is_a_link_like_others(void **state)
{
    (void)state;
    fill(NULL, 5);
    fill(key, 2);
    spoil("UPDATE chain_notes SET last = 4");
    assert_found("note 6;");
    spoil("DELETE FROM chain_notes");
    assert_found("removed 6;");
}

/* --- somebody else while it runs ---------------------------------------------------------------
 */

static void rows_of_a_stranger_are_noted(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    add_many(s, 1, 3);
    assert_int_equal(store_commit(s), SD_OK);
    fill(NULL, 2);
    add_many(s, 4, 5);
    store_close(s);
    assert_found("foreign 4-5 (6);");
    spoil(
        "INSERT INTO events SELECT 20, id, revision, state, kind, rule, severity, verdict, time,"
        " first, last, count, client, server, zone, resolver, host, json FROM events WHERE row=2");
    fill(key, 1);
    verify(key);
    assert_non_null(strstr(found, "inserted 20 0000000000000002.1;"));
    assert_non_null(strstr(found, "foreign 9-20 (21);"));
}

static void rows_that_were_taken_while_it_ran_are_noted(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    add_many(s, 1, 9);
    assert_int_equal(store_commit(s), SD_OK);
    spoil("DELETE FROM events WHERE row > 6; DELETE FROM chain WHERE row > 6;"
          " DELETE FROM chain_checkpoints");
    add_many(s, 10, 10);
    store_close(s);
    assert_found("foreign 7-9 (7);");
}

static void another_of_its_own_is_no_stranger(void **state)
{
    struct store *s = opened(key, 0), *other;

    (void)state;
    add_many(s, 1, 3);
    assert_int_equal(store_commit(s), SD_OK);
    fill(key, 2);
    add_many(s, 4, 5);
    store_close(s);
    assert_int_equal(verify(key).rows, 7);
    assert_string_equal(found, "");
    s = opened(key, 0);
    add_many(s, 6, 6);
    assert_int_equal(store_commit(s), SD_OK);
    other = opened(key, 0); /* looks, and writes nothing */
    assert_int_equal(store_retain(other, START), SD_OK);
    store_close(other);
    add_many(s, 7, 8);
    store_close(s);
    fill(key, 2);
    assert_int_equal(verify(key).rows, 12);
    assert_string_equal(found, "");
    assert_string_equal(noted, "");
}

static void a_batch_without_room_breaks_nothing(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    add_many(s, 1, 3);
    assert_int_equal(store_commit(s), SD_OK);
    spoil("CREATE TRIGGER full BEFORE INSERT ON chain WHEN NEW.row = 6"
          " BEGIN SELECT raise(FAIL, 'full'); END");
    add_many(s, 4, 5);
    assert_int_equal(write_row(s, 6, START), SD_EIO);
    assert_int_equal(write_row(s, 6, START), SD_EIO); /* until it is told */
    assert_int_equal(store_commit(s), SD_EIO);
    spoil("DROP TRIGGER full");
    add_many(s, 4, 6);
    store_close(s);
    assert_whole();
    assert_int_equal(number("SELECT count(*) FROM events"), 6);
}

/* --- what leaves by right ----------------------------------------------------------------------
 */

static void retention_cuts_the_front(void **state)
{
    struct store *s = opened(key, 10 * DAY);

    (void)state;
    for (unsigned n = 1; n <= 40; n++)
        add(s, n, START + n * DAY - DAY / 2);
    assert_int_equal(store_retain(s, START + 30 * DAY), SD_OK);
    assert_whole();
    assert_int_equal(number("SELECT min(row) FROM chain"), number("SELECT min(row) FROM events"));
    assert_int_equal(number("SELECT count(*) FROM chain_erased"), 0);
    assert_string_equal(noted, "age 20 of 1-20;");
    assert_int_equal(store_retain(s, START + 30 * DAY + NSEC_S), SD_OK);
    assert_int_equal(number("SELECT count(*) FROM chain_notes"), 1); /* nothing went */
    assert_int_equal(store_retain(s, START + 60 * DAY), SD_OK);
    assert_whole();
    assert_int_equal(number("SELECT count(*) FROM chain"), 1); /* the note */
    add_many(s, 1, 3);
    store_close(s);
    assert_whole();
}

static void a_kind_leaves_gaps_that_are_no_holes(void **state)
{
    struct store_retention wish = {0};
    struct store *s = opened(key, 0);

    (void)state;
    wish.kinds[KIND_TUNNEL] = DAY;
    store_use_retention(s, &wish);
    add_many(s, 1, 9);
    for (int i = 0; i < KIND_COUNT; i++)
        assert_int_equal(store_retain(s, START + 5 * DAY), SD_OK);
    store_close(s);
    assert_int_equal(verify(key).erased, 4);
    assert_string_equal(found, "");
    assert_int_equal(number("SELECT count(*) FROM chain WHERE salt IS NULL AND row < 10"), 4);
    spoil("DELETE FROM events WHERE row = 5");
    assert_found("removed 5;");
    spoil("INSERT INTO chain_erased VALUES (5, 10, NULL)");
    assert_found("changed 5;note 10;");
}

/* Whoever takes the oldest rows away does not get it covered by the next retention. */
static void a_theft_at_the_front_stays_in_sight(void **state)
{
    struct store *s = opened(key, 10 * DAY);

    (void)state;
    for (unsigned n = 1; n <= 9; n++)
        add(s, n, START + n * DAY);
    assert_int_equal(store_commit(s), SD_OK);
    spoil("DELETE FROM events WHERE row IN (1, 2, 3)");
    assert_int_equal(store_retain(s, START + 16 * DAY), SD_OK);
    store_close(s);
    assert_found("foreign 1-3 (11);");
    assert_int_equal(number("SELECT min(row) FROM chain"), 6); /* and does not hold the rest up */
}

static void forget(struct store *s, unsigned n)
{
    struct addr who = addr_v4((uint8_t[]){10, 0, 0, (uint8_t)n});
    struct forgetting wish = {.addresses = &who, .count = 1, .now = START + DAY};
    struct forgotten gone;

    assert_int_equal(store_forget(s, &wish, &gone), SD_OK);
}

static void forgotten_contents_leave_their_hashes(void **state)
{
    struct store *s = opened(key, 10 * DAY);
    int64_t before;

    (void)state;
    add_many(s, 1, 5);
    assert_int_equal(store_commit(s), SD_OK);
    before = number("SELECT sum(unicode(hex(digest))) FROM chain WHERE row < 6");
    forget(s, 3);
    assert_int_equal(verify(key).erased, 1);
    assert_string_equal(found, "");
    assert_string_equal(noted, "forgotten 1 of 3-3;");
    assert_int_equal(number("SELECT sum(unicode(hex(digest))) FROM chain WHERE row < 6"), before);
    forget(s, 3); /* there is nothing left of it */
    forget(s, 4);
    add_many(s, 6, 7);
    assert_int_equal(store_retain(s, START + 20 * DAY), SD_OK);
    add_many(s, 8, 9);
    store_close(s);
    assert_whole();
}

static void what_is_left_of_a_forgotten_row_is_held_too(void **state)
{
    struct store *s = opened(key, 0);

    (void)state;
    add_many(s, 1, 5);
    forget(s, 3);
    store_close(s);
    spoil("UPDATE events SET count = 77 WHERE row = 3");
    assert_found("changed 3 0000000000000003.1;");
    spoil("DELETE FROM events WHERE row = 3; DELETE FROM chain_erased");
    assert_found("removed 3;note 6;");
}

int main(void)
{
#define test(name) cmocka_unit_test_teardown(name, remove_files)
    const struct CMUnitTest tests[] = {
        test(what_was_written_is_whole),
        test(every_batch_is_signed_by_its_end),
        test(many_rows_end_a_checkpoint_too),
        test(without_a_key_it_is_chained_unsigned),
        test(an_older_store_is_chained_and_said),
        test(what_was_before_the_key_is_said),
        test(a_changed_column_is_named),
        test(a_removed_row_is_named),
        test(an_inserted_row_is_named),
        test(moved_rows_are_named),
        test(what_was_taken_off_the_end_is_named),
        test(what_went_with_its_checkpoints_is_found_elsewhere),
        test(a_changed_checkpoint_is_named),
        test(another_key_signs_nothing),
        test(what_was_made_anew_without_the_key_is_named),
        test(a_note_is_a_link_like_others),
        test(rows_of_a_stranger_are_noted),
        test(rows_that_were_taken_while_it_ran_are_noted),
        test(another_of_its_own_is_no_stranger),
        test(a_batch_without_room_breaks_nothing),
        test(retention_cuts_the_front),
        test(a_kind_leaves_gaps_that_are_no_holes),
        test(a_theft_at_the_front_stays_in_sight),
        test(forgotten_contents_leave_their_hashes),
        test(what_is_left_of_a_forgotten_row_is_held_too),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
