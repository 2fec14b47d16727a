#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "capture/clip.h"

static char folder[32], path[128], hidden[128];
static const uint8_t octets[64];
static struct clip_frame frames[2];
static uint64_t size;

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/clip.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.pcap", folder);
    snprintf(hidden, sizeof hidden, "%s/.a.pcap", folder);
    for (int i = 0; i < 2; i++) {
        frames[i].frame.captured = frames[i].frame.length = sizeof octets;
        frames[i].frame.linktype = 1;
        frames[i].bytes = octets;
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    unlink(hidden);
    return rmdir(folder);
}

static void a_file_is_for_owner_and_group(void **state)
{
    struct stat s;

    (void)state;
    umask(0);
    assert_int_equal(clip_write(folder, "a.pcap", frames, 2, &size), SD_OK);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0640);
    assert_int_equal(s.st_size, 24 + 2 * (16 + 64));
    assert_int_equal(size, s.st_size);
    assert_int_equal(access(hidden, F_OK), -1);
}

static void a_link_is_not_followed(void **state)
{
    char target[128];

    (void)state;
    snprintf(target, sizeof target, "%s/elsewhere", folder);
    assert_int_equal(symlink(target, hidden), 0);
    assert_int_equal(clip_write(folder, "a.pcap", frames, 2, &size), SD_OK);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_name_stays_in_its_folder(void **state)
{
    (void)state;
    assert_int_equal(clip_write(folder, "../a.pcap", frames, 2, &size), SD_EIO);
    assert_int_equal(clip_write(folder, "x/a.pcap", frames, 2, &size), SD_EIO);
}

/* What a full disk does: some octets are taken, the rest is not. */
static void half_a_file_is_none(void **state)
{
    struct rlimit before, small;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = clip_write(folder, "a.pcap", frames, 2, &size);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, SD_EIO);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(hidden, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_for_owner_and_group, begin, end),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, begin, end),
        cmocka_unit_test_setup_teardown(a_name_stays_in_its_folder, begin, end),
        cmocka_unit_test_setup_teardown(half_a_file_is_none, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
