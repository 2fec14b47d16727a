#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "capture/capture.h"

struct seen {
    char order[64];
    nsec_t last;
    int linktype;
};

static void on_frame(void *context, const struct frame *frame)
{
    struct seen *s = context;

    strncat(s->order, (const char *)frame->bytes, 1);
    assert_true(frame->time >= s->last);
    s->last = frame->time;
    s->linktype = frame->linktype;
}

static char directory[] = "/tmp/test_fileXXXXXX";

/* A pcap of packets of one letter each at these microseconds; cut: bytes taken off its end. */
static char *pcap(const char *name, const char *letters, const uint32_t *times, size_t cut)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
    uint8_t bytes[512];
    size_t length = sizeof head;
    FILE *f;

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    memcpy(bytes, head, sizeof head);
    for (size_t i = 0; letters[i]; i++) {
        uint32_t record[] = {5, times[i], 1, 9};

        memcpy(bytes + length, record, sizeof record);
        bytes[length + sizeof record] = (uint8_t)letters[i];
        length += sizeof record + 1;
    }
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length - cut, f), length - cut);
    fclose(f);
    return path;
}

static struct capture *opened(char *const *paths, size_t count)
{
    char error[CAPTURE_ERROR];
    struct capture *c = NULL;

    assert_int_equal(capture_files_open(paths, count, NULL, &c, error), SD_OK);
    assert_string_equal(error, "");
    return c;
}

static void merged_by_time(void **state)
{
    char *paths[] = {pcap("a", "adf", (uint32_t[]){1, 4, 6}, 0),
                     pcap("b", "bce", (uint32_t[]){1, 3, 5}, 0)};
    struct capture *c = opened(paths, 2);
    struct seen seen = {0};
    struct capture_progress progress;

    (void)state;
    assert_int_equal(c->ops->read(c, on_frame, &seen), 6);
    assert_string_equal(seen.order, "abcdef");
    assert_int_equal(seen.last, 5 * NSEC_S + 6 * NSEC_US);
    assert_int_equal(seen.linktype, 101);
    assert_int_equal(c->ops->read(c, on_frame, &seen), SD_EEND);
    capture_files_progress(c, &progress);
    assert_int_equal(progress.size, 2 * 24 + 6 * 17);
    assert_int_equal(progress.read, progress.size);
    assert_null(c->ops->notice(c));
    c->ops->destroy(c);
}

/* More files than there may be open at a time; the last one given is the first one by time. */
static void many_one_after_the_other(void **state)
{
    enum { MANY = 40, OPEN = 16 };
    char names[MANY][128], *paths[MANY];
    struct rlimit before, few;
    struct capture *c;
    struct seen seen = {0};

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        char letter[] = {(char)('A' + MANY - 1 - i), '\0'};

        snprintf(names[i], sizeof names[i], "%s", pcap(letter, letter, (uint32_t[]){MANY - i}, 0));
        paths[i] = names[i];
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = OPEN;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    c = opened(paths, MANY);
    while (c->ops->read(c, on_frame, &seen) > 0)
        ;
    assert_string_equal(c->ops->error(c), "");
    assert_int_equal(strlen(seen.order), MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(seen.order[i], 'A' + (int)i);
    c->ops->destroy(c);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < MANY; i++)
        unlink(paths[i]);
}

static void ends_in_a_packet(void **state)
{
    char *paths[] = {pcap("whole", "a", (uint32_t[]){1}, 0),
                     pcap("cut", "bc", (uint32_t[]){2, 3}, 1)};
    struct capture *c = opened(paths, 2);
    struct seen seen = {0};
    const char *notice;

    (void)state;
    while (c->ops->read(c, on_frame, &seen) > 0)
        ;
    assert_string_equal(seen.order, "ab");
    notice = c->ops->notice(c);
    assert_non_null(notice);
    assert_non_null(strstr(notice, "cut ends in the middle of a packet"));
    assert_null(c->ops->notice(c));
    assert_string_equal(c->ops->error(c), "");
    c->ops->destroy(c);
}

static void refused(const char *path, int expected, const char *word)
{
    char error[CAPTURE_ERROR];
    struct capture *c = NULL;

    assert_int_equal(capture_files_open((char *[]){(char *)(uintptr_t)path}, 1, NULL, &c, error),
                     expected);
    assert_null(c);
    assert_non_null(strstr(error, word));
    assert_null(strchr(error, '\n'));
}

static void no_capture(void **state)
{
    char path[128];
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/text", directory);
    f = fopen(path, "wb");
    fputs("This is a text, and as such no capture of packets.\n", f);
    fclose(f);
    refused(path, SD_EFORMAT, "is not a pcap or pcapng capture");
    refused("/dev/null", SD_EFORMAT, "is not a pcap or pcapng capture");
    refused(pcap("header", "", NULL, 4), SD_EFORMAT, "header is not");
    refused("/nonexistent/x.pcap", SD_ENOENT, "cannot open /nonexistent/x.pcap");
    refused(directory, SD_EIO, "Is a directory");
}

static void standard_input(void **state)
{
    int file = open(pcap("input", "xy", (uint32_t[]){1, 2}, 0), O_RDONLY);
    int pipes[2];
    char bytes[512];
    ssize_t length = read(file, bytes, sizeof bytes);
    struct seen seen = {0};
    struct capture_progress progress;
    struct capture *c;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], bytes, (size_t)length), length);
    close(pipes[1]);
    close(file);
    assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    close(pipes[0]);
    c = opened((char *[]){(char[]){"-"}}, 1);
    capture_files_progress(c, &progress);
    assert_int_equal(progress.size, -1);
    assert_int_equal(c->ops->read(c, on_frame, &seen), 2);
    assert_string_equal(seen.order, "xy");
    c->ops->destroy(c);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"a", "b", "whole", "cut", "text", "header", "input"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_by_time),   cmocka_unit_test(many_one_after_the_other),
        cmocka_unit_test(ends_in_a_packet), cmocka_unit_test(no_capture),
        cmocka_unit_test(standard_input),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
