/* A process that was taken over may stop to read: who talks to it must not stand still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "priv/channel.h"

enum { MOST = 100000, LIMIT_MS = 50 };

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_that_does_not_read_is_not_waited_for(void **state)
{
    struct channel mine, other;
    struct message m = {.type = TELL_REOPEN}, got;
    int status = SD_OK, descriptor, sent = 0;
    double begun;

    (void)state;
    assert_int_equal(channel_pair(&mine, &other), SD_OK);
    assert_int_equal(channel_limit(&mine, LIMIT_MS), SD_OK);
    while (sent < MOST && channel_try(&mine, &m) == SD_OK)
        sent++;
    assert_in_range(sent, 1, MOST - 1);
    begun = seconds();
    status = channel_send(&mine, &m, -1);
    assert_int_equal(status, SD_EAGAIN);
    assert_true(seconds() - begun < 5);
    assert_int_equal(channel_receive(&other, &got, &descriptor, 0), SD_OK);
    assert_int_equal(channel_send(&mine, &m, -1), SD_OK);
    channel_close(&other);
    assert_int_equal(channel_send(&mine, &m, -1), SD_EIO);
    channel_close(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_does_not_read_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
