/* Minutes of counters become hours after eight days; what a report calls a gap is the same before
 * and after. */
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
#include "store/coverage.h"

#define MINUTE (60 * NSEC_S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (INT64_C(1735603200) * NSEC_S) /* 2024-12-31 */
#define GAP    (3 * MINUTE)

static char folder[] = "/tmp/sealdns-thin-XXXXXX";
static char path[64];

struct gaps {
    char text[512];
    nsec_t sum;
};

static int see_gap(void *context, const struct gap_row *row)
{
    struct gaps *g = context;
    size_t used = strlen(g->text);

    snprintf(g->text + used, sizeof g->text - used, "%lld-%lld ",
             (long long)((row->from - START) / MINUTE), (long long)((row->to - START) / MINUTE));
    g->sum += row->to - row->from;
    return 0;
}

static struct gaps gaps_of(nsec_t since, nsec_t until)
{
    struct summary_period p = {.since = START + since, .until = START + until};
    struct gaps g = {.text = ""};
    char error[STORE_ERROR];
    struct store_reader *r;

    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    assert_int_equal(store_gaps(r, &p, GAP, see_gap, &g), SD_OK);
    store_reader_close(r);
    return g;
}

static int rows(void)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    int count;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM stats", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    count = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return count;
}

static int count_last(void *context, const struct counters_row *row)
{
    int *count = context;

    (void)row;
    (*count)++;
    return 0;
}

static int hours_of_counters(void)
{
    struct summary_period p = {.since = START, .until = START + 2 * DAY};
    char error[STORE_ERROR];
    struct store_reader *r;
    int count = 0;

    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    assert_int_equal(store_counters(r, &p, count_last, &count), SD_OK);
    store_reader_close(r);
    return count;
}

/* Two days of minutes, seven seconds after the full one, but for 02:10 to 02:50 and 30:00 to 32:00.
 */
static void write_minutes(struct store *s)
{
    for (int minute = 0; minute < 2 * 24 * 60; minute++) {
        struct record r = {.kind = RECORD_STATS, .time = START + minute * MINUTE + 7 * NSEC_S};

        if ((minute > 130 && minute < 170) || (minute >= 1800 && minute < 1920))
            continue;
        r.stats.packets = (uint64_t)minute;
        assert_int_equal(store_write(s, &r, NULL), SD_OK);
    }
    assert_int_equal(store_commit(s), SD_OK);
}

static void gaps_stay(void **state)
{
    static const struct {
        nsec_t since, until;
    } periods[] = {{0, 2 * DAY},
                   {30 * MINUTE, 20 * HOUR + 20 * MINUTE},
                   {2 * HOUR + 20 * MINUTE, 2 * HOUR + 40 * MINUTE},
                   {DAY + 10 * MINUTE, DAY + 12 * MINUTE + 30 * NSEC_S},
                   {-DAY, 3 * DAY}};
    enum { PERIODS = sizeof periods / sizeof *periods };
    struct store_options options = {.path = path};
    char error[STORE_ERROR];
    struct gaps before[PERIODS];
    struct store *s;
    int all;

    (void)state;
    assert_int_equal(store_open(&options, &s, error), SD_OK);
    write_minutes(s);
    all = rows();
    for (size_t i = 0; i < PERIODS; i++)
        before[i] = gaps_of(periods[i].since, periods[i].until);
    assert_string_equal(before[0].text, "130-170 1799-1920 ");
    assert_int_equal(store_retain(s, START + 3 * DAY), SD_OK);
    assert_int_equal(rows(), all);
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_retain(s, START + 11 * DAY), SD_OK);
    assert_int_equal(rows(), 45 + 21); /* 45 hours are whole, one is not, two are missing */
    for (size_t i = 0; i < PERIODS; i++) {
        struct gaps after = gaps_of(periods[i].since, periods[i].until);

        assert_string_equal(after.text, before[i].text);
        assert_true(llabs(after.sum - before[i].sum) <= 4 * MINUTE);
    }
    assert_int_equal(hours_of_counters(), 46);
    store_close(s);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(gaps_stay)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
