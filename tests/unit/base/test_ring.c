#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/ring.h"

struct slot {
    uint64_t number, check;
};

static void drops_are_counted(void **state)
{
    struct ring *r = ring_create("test", sizeof(struct slot), 8);
    struct slot s = {0};

    (void)state;
    for (s.number = 0; s.number < 10; s.number++)
        assert_int_equal(ring_push(r, &s, sizeof s), s.number < 8 ? SD_OK : SD_ELIMIT);
    assert_int_equal(ring_dropped(r), 2);
    assert_int_equal(ring_length(r), 8);
    for (uint64_t n = 0; n < 8; n++) {
        assert_int_equal(((const struct slot *)ring_peek(r))->number, n);
        ring_pop(r);
    }
    assert_null(ring_peek(r));
    ring_destroy(r);
}

static void produce(struct ring *r, uint64_t count)
{
    for (uint64_t n = 0; n < count;) {
        struct slot s = {n, ~n};

        if (ring_push(r, &s, sizeof s) == SD_OK)
            n++;
        else
            usleep(10);
    }
}

static void carries_between_processes(void **state)
{
    struct ring *r = ring_create("test", sizeof(struct slot), 64);
    const uint64_t count = 200000;
    int status = -1;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        produce(r, count);
        _exit(0);
    }
    for (uint64_t n = 0; n < count;) {
        const struct slot *s = ring_peek(r);

        if (!s)
            continue;
        assert_true(s->number == n && s->check == ~n);
        ring_pop(r);
        n++;
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    ring_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(drops_are_counted),
                                       cmocka_unit_test(carries_between_processes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
