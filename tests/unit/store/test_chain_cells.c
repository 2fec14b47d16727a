/* Each cell of the evidence, one by one, set to something else: none of it goes unseen. */
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
#define CELLS 1024

static char folder[] = "/tmp/test_cells.XXXXXX", path[64], error[SIGNING_ERROR];
static struct signing_key *key;
static char shown[64]; /* the finding that was told first */

static void add(struct store *s, unsigned n)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office", .resolver = "corp"};
    struct finding *f = &r.event.finding;

    snprintf(r.event.id, sizeof r.event.id, "%016x", n);
    strcpy(f->rule, "some-rule");
    r.event.revision = 1;
    f->kind = n % 3 ? KIND_CLEARTEXT : KIND_TUNNEL;
    f->severity = SEVERITY_LOW;
    f->time = r.event.first = r.event.last = START + n * DAY;
    f->client = addr_v4((uint8_t[]){10, 0, 0, (uint8_t)n});
    f->server = addr_v4((uint8_t[]){192, 0, 2, 1});
    assert_int_equal(store_write(s, &r, "{\"sealdns\":{}}"), SD_OK);
    assert_int_equal(store_commit(s), SD_OK);
}

/* Rows at the front cut, gaps of a kind, contents forgotten, several checkpoints. */
static void fill(void)
{
    struct store_options options = {
        .path = path, .host = "gw", .key = key, .max_age = 20 * DAY, .now = START};
    struct store_retention wish = {0};
    struct addr who = addr_v4((uint8_t[]){10, 0, 0, 11});
    struct forgetting forgetting = {.addresses = &who, .count = 1, .now = START + 17 * DAY};
    struct forgotten gone;
    struct store *s = NULL;

    assert_int_equal(store_open(&options, &s, error), SD_OK);
    for (unsigned n = 1; n <= 12; n++)
        add(s, n);
    wish.kinds[KIND_TUNNEL] = 8 * DAY;
    store_use_retention(s, &wish);
    for (int i = 0; i < KIND_COUNT; i++)
        assert_int_equal(store_retain(s, START + 17 * DAY), SD_OK);
    assert_int_equal(store_forget(s, &forgetting, &gone), SD_OK);
    assert_int_equal(store_retain(s, START + 23 * DAY), SD_OK);
    store_close(s);
}

static int make(void **state)
{
    char name[80];

    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/t.db", folder);
    signing_beside(path, name, sizeof name);
    if (signing_open(name, true, &key, error) != SD_OK || unlink(name) != 0)
        return 1;
    fill();
    return 0;
}

static int clean(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];

    (void)state;
    signing_close(key);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static void take_finding(void *context, const struct chain_finding *f)
{
    (void)context;
    if (!shown[0])
        snprintf(shown, sizeof shown, "%s %lld", chain_fault_name(f->fault), (long long)f->row);
}

static void take_note(void *context, const struct chain_told *n)
{
    ++*(unsigned *)context;
    assert_non_null(n->why);
}

static uint64_t findings(unsigned *notes)
{
    unsigned char keys[1][SIGNING_KEY];
    struct verification v = {
        .keys = keys, .key_count = 1, .finding = take_finding, .note = take_note, .context = notes};
    struct store_reader *r;
    struct verified sum;

    shown[0] = '\0';
    *notes = 0;
    memcpy(keys[0], signing_public(key), SIGNING_KEY);
    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    assert_int_equal(store_verify(r, &v, &sum), SD_OK);
    store_reader_close(r);
    return sum.findings;
}

static void run(sqlite3 *db, const char *text)
{
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t number(sqlite3 *db, const char *text)
{
    sqlite3_stmt *q;
    int64_t value;

    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

struct cell {
    const char *table, *key;
    char column[32];
    int64_t at; /* the how-manieth row, from 0 */
};

/* What somebody may put in its place (NULL: one more); the columns that must not be null refuse
 * that by themselves.
 */
static const char *const anothers[] = {NULL,           "x'00'", "'x'", "zeroblob(32)",
                                       "zeroblob(16)", "NULL",  "0",   "1.5"};

static void spoil(sqlite3 *db, const struct cell *c, const char *another)
{
    char value[64], text[512];
    unsigned notes;
    int code;

    if (another)
        snprintf(value, sizeof value, "%s", another);
    else
        snprintf(value, sizeof value, "coalesce(%s, 0) + 1", c->column);
    snprintf(text, sizeof text, "CREATE TABLE kept AS SELECT * FROM %s", c->table);
    run(db, text);
    snprintf(text, sizeof text,
             "UPDATE OR IGNORE %s SET %s = %s WHERE (SELECT count(*) FROM kept k WHERE k.%s < "
             "%s.%s) = %lld",
             c->table, c->column, value, c->key, c->table, c->key, (long long)c->at);
    code = sqlite3_exec(db, text, NULL, NULL, NULL);
    assert_true(code == SQLITE_OK || code == SQLITE_MISMATCH); /* a row has a number */
    snprintf(text, sizeof text, "SELECT count(*) FROM (SELECT * FROM %s EXCEPT SELECT * FROM kept)",
             c->table);
    if (number(db, text) > 0 && findings(&notes) == 0)
        fail_msg("%s.%s of row %lld = %s goes unseen", c->table, c->column, (long long)c->at,
                 value);
    snprintf(text, sizeof text,
             "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept; DROP TABLE kept", c->table,
             c->table);
    run(db, text);
}

static size_t list_cells(sqlite3 *db, struct cell *cells)
{
    static const char *const tables[] = {"events", "chain", "chain_notes", "chain_erased",
                                         "chain_checkpoints"};
    char text[128];
    size_t count = 0;
    sqlite3_stmt *q;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        snprintf(text, sizeof text, "SELECT count(*) FROM %s", tables[t]);
        int64_t rows = number(db, text);

        assert_true(rows > 1);
        snprintf(text, sizeof text, "SELECT name FROM pragma_table_info('%s')", tables[t]);
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW)
            for (int64_t at = 0; at < rows && count < CELLS; at++) {
                cells[count] =
                    (struct cell){.table = tables[t], .key = t < 4 ? "row" : "number", .at = at};
                snprintf(cells[count].column, sizeof cells[count].column, "%s",
                         (const char *)sqlite3_column_text(q, 0));
                count++;
            }
        sqlite3_finalize(q);
    }
    assert_true(count < CELLS);
    return count;
}

static void no_cell_is_changed_unseen(void **state)
{
    static struct cell cells[CELLS];
    unsigned notes;
    size_t count;
    sqlite3 *db;

    (void)state;
    assert_int_equal(findings(&notes), 0);
    assert_true(notes >= 3);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "PRAGMA synchronous = OFF");
    assert_true(number(db, "SELECT count(*) FROM chain_notes WHERE base_row > 0") > 0);
    assert_true(number(db, "SELECT count(*) FROM chain_erased WHERE digest IS NULL") > 0);
    assert_true(number(db, "SELECT count(*) FROM chain_erased WHERE digest NOT NULL") > 0);
    count = list_cells(db, cells);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0; a < sizeof anothers / sizeof *anothers; a++)
            spoil(db, &cells[i], anothers[a]);
    sqlite3_close(db);
    assert_int_equal(findings(&notes), 0); /* and it is as it was */
}

static void no_row_goes_unseen(void **state)
{
    static const char *const tables[] = {"events", "chain", "chain_notes", "chain_erased"};
    char text[256];
    unsigned notes;
    sqlite3 *db;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        snprintf(text, sizeof text, "CREATE TABLE kept AS SELECT * FROM %s", tables[t]);
        run(db, text);
        for (int64_t at = number(db, "SELECT count(*) FROM kept"); at-- > 0;) {
            snprintf(text, sizeof text,
                     "DELETE FROM %s WHERE (SELECT count(*) FROM kept k WHERE k.row < %s.row) = "
                     "%lld",
                     tables[t], tables[t], (long long)at);
            run(db, text);
            if (findings(&notes) == 0)
                fail_msg("row %lld of %s is gone unseen", (long long)at, tables[t]);
            snprintf(text, sizeof text, "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept",
                     tables[t], tables[t]);
            run(db, text);
        }
        run(db, "DROP TABLE kept");
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cell_is_changed_unseen),
        cmocka_unit_test(no_row_goes_unseen),
    };

    return cmocka_run_group_tests(tests, make, clean);
}
