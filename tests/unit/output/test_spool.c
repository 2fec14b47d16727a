/* A spool loses nothing that fits, repeats nothing that was taken, and says what it gave up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "output/spool.h"

static char folder[64];
static struct spool *spool;

static void open_spool(uint64_t limit)
{
    char error[SPOOL_ERROR] = "";

    assert_int_equal(spool_open(folder, limit, &spool, error), SD_OK);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/spool-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char path[400];
    DIR *d = opendir(folder);

    (void)state;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(d);
    return rmdir(folder);
}

static void put(unsigned from, unsigned to, unsigned severity)
{
    char line[1000];

    for (unsigned i = from; i < to; i++) {
        memset(line, 'x', sizeof line);
        line[sizeof line - 1] = '\0';
        line[snprintf(line, sizeof line, "line %u", i)] = ' ';
        assert_int_equal(spool_put(spool, line, &(struct spool_mark){.severity = severity}), SD_OK);
    }
    assert_int_equal(spool_flush(spool), SD_OK);
}

/* They were told and have arrived. */
static void told(size_t n)
{
    struct spool_place place;

    spool_told(spool, n);
    place = spool_place(spool);
    spool_settle(spool, &place);
}

/* The numbers of the lines that come next must rise from `from`; all are taken. */
static unsigned take_all(unsigned from)
{
    struct spool_line lines[100];
    size_t n;

    while ((n = spool_next(spool, lines, 100)) > 0) {
        for (size_t i = 0; i < n; i++) {
            unsigned number;

            assert_int_equal(sscanf(lines[i].text, "line %u", &number), 1);
            assert_int_equal(lines[i].length, 999);
            assert_int_equal(strlen(lines[i].text), 999);
            if (number < from)
                fail_msg("line %u after line %u", number, from);
            from = number + 1;
        }
        told(n);
    }
    return from;
}

static void what_is_put_comes_out_in_order(void **state)
{
    (void)state;
    open_spool(SPOOL_LEAST);
    for (unsigned round = 0; round < 40; round++) {
        put(round * 250, (round + 1) * 250, 2);
        assert_int_equal(take_all(round * 250), (round + 1) * 250);
    }
    assert_int_equal(spool_counts(spool).lines, 0);
    assert_true(spool_counts(spool).bytes < SPOOL_LEAST / 2); /* what was taken is not kept */
    assert_int_equal(spool_counts(spool).graver, 0);
    spool_close(spool);
}

static void what_is_not_taken_is_told_again(void **state)
{
    struct spool_line lines[10];

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 10, 2);
    assert_int_equal(spool_next(spool, lines, 10), 10);
    told(4);
    assert_int_equal(spool_next(spool, lines, 1), 1);
    assert_int_equal(strncmp(lines[0].text, "line 4 ", 7), 0);
    spool_close(spool);
    open_spool(SPOOL_LEAST); /* nor by a run that came after a kill */
    assert_int_equal(spool_counts(spool).lines, 6);
    put(10, 20, 3);
    assert_int_equal(take_all(4), 20);
    spool_close(spool);
    open_spool(SPOOL_LEAST);
    assert_int_equal(take_all(0), 0);
    spool_close(spool);
}

/* A connection broke: what had been sent over it may not have arrived. */
static void what_is_not_settled_is_told_again(void **state)
{
    struct spool_line lines[100];
    struct spool_place place;

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 3000, 2);
    place = spool_place(spool);
    for (size_t sent = 0; sent < 2000;) {
        size_t left = sent < 1200 ? 1200 - sent : 2000 - sent;

        spool_told(spool, spool_next(spool, lines, left < 100 ? left : 100));
        sent = (size_t)spool_place(spool).told;
        if (sent == 1200)
            place = spool_place(spool);
    }
    assert_int_equal(spool_counts(spool).lines, 1000);
    spool_settle(spool, &place);
    spool_rewind(spool);
    assert_int_equal(spool_counts(spool).lines, 1800);
    assert_int_equal(take_all(1200), 3000);
    spool_settle(spool, &place); /* an older one changes nothing */
    assert_int_equal(take_all(0), 0);
    spool_close(spool);
}

static void the_oldest_informational_lines_go_first(void **state)
{
    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 1500, 2);
    put(1500, 6000, 4);
    assert_true(spool_counts(spool).bytes <= SPOOL_LEAST);
    assert_int_equal(spool_counts(spool).graver, 0);
    assert_int_equal(spool_counts(spool).informational + spool_counts(spool).lines, 6000);
    put(6000, 12000, 2); /* more than fits: now the oldest of the others go too */
    assert_true(spool_counts(spool).graver > 1500);
    assert_int_equal(spool_counts(spool).informational, 4500);
    assert_true(spool_counts(spool).bytes <= SPOOL_LEAST);
    assert_int_equal(take_all(3000), 12000);
    assert_int_equal(spool_counts(spool).lines, 0);
    spool_close(spool);
}

static void what_is_on_its_way_is_no_ones_room(void **state)
{
    struct spool_line lines[10];

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 4000, 4);
    assert_int_equal(spool_next(spool, lines, 10), 10);
    put(4000, 6000, 2);
    told(10);
    assert_int_equal(spool_next(spool, lines, 1), 1);
    assert_int_not_equal(strncmp(lines[0].text, "line 0 ", 7), 0);
    assert_int_equal(take_all(10), 6000);
    assert_int_equal(spool_counts(spool).graver, 0);
    spool_close(spool);
}

static void first_file(char path[400])
{
    DIR *d = opendir(folder);

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strstr(e->d_name, ".lines"))
            snprintf(path, 400, "%s/%s", folder, e->d_name);
    closedir(d);
}

/* A power cut, a bad disk: what is whole before it comes out, and the rest is counted. */
static void half_a_line_is_not_told(void **state)
{
    char path[400] = "";

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 10, 2);
    spool_close(spool);
    first_file(path);
    assert_int_equal(truncate(path, 5 * (999 + 72) + 100), 0);
    open_spool(SPOOL_LEAST);
    assert_int_equal(spool_counts(spool).damaged, 1);
    put(10, 20, 2);
    assert_int_equal(spool_counts(spool).lines, 15);
    assert_int_equal(take_all(0), 20);
    spool_close(spool);
}

static void a_file_that_changes_underneath_is_passed(void **state)
{
    char path[400] = "";
    int file;

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 10, 2);
    first_file(path);
    file = open(path, O_WRONLY);
    assert_int_equal(pwrite(file, "garbage", 7, 0), 7);
    close(file);
    assert_int_equal(take_all(0), 0);
    assert_int_equal(spool_counts(spool).damaged, 10);
    put(10, 12, 2);
    assert_int_equal(take_all(0), 12);
    spool_close(spool);
}

/* A cursor that says nothing tells lines again rather than none. */
static void a_lost_cursor_loses_no_line(void **state)
{
    char path[400];

    (void)state;
    open_spool(SPOOL_LEAST);
    put(0, 10, 2);
    spool_close(spool);
    snprintf(path, sizeof path, "%s/cursor", folder);
    assert_int_equal(truncate(path, 3), 0);
    open_spool(SPOOL_LEAST);
    assert_int_equal(take_all(0), 10);
    spool_close(spool);
}

static void too_long_a_line_is_refused(void **state)
{
    char *line = calloc(1, 70000);
    struct spool_mark mark = {.severity = 1};

    (void)state;
    open_spool(SPOOL_LEAST);
    memset(line, 'x', 66000);
    assert_int_equal(spool_put(spool, line, &mark), SD_EIO);
    line[65000] = '\0';
    assert_int_equal(spool_put(spool, line, &mark), SD_OK);
    assert_int_equal(spool_counts(spool).lines, 1);
    free(line);
    spool_close(spool);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    char error[SPOOL_ERROR] = "";

    (void)state;
    assert_int_equal(spool_open("/proc/nowhere/spool", SPOOL_LEAST, &spool, error), SD_EIO);
    assert_non_null(strstr(error, "/proc/nowhere/spool"));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_is_put_comes_out_in_order),
        IN_A_FOLDER(what_is_not_taken_is_told_again),
        IN_A_FOLDER(what_is_not_settled_is_told_again),
        IN_A_FOLDER(the_oldest_informational_lines_go_first),
        IN_A_FOLDER(what_is_on_its_way_is_no_ones_room),
        IN_A_FOLDER(half_a_line_is_not_told),
        IN_A_FOLDER(a_file_that_changes_underneath_is_passed),
        IN_A_FOLDER(a_lost_cursor_loses_no_line),
        IN_A_FOLDER(too_long_a_line_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
