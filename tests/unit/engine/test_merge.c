/* In which order the engine takes what several capture threads tell it, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "engine/merge.h"

#define T0 (INT64_C(1795262400) * NSEC_S)
#define MS NSEC_MS

enum { ROOM = 16 };

static struct merge *begin(struct merge *m, size_t count)
{
    memset(m, 0, sizeof *m);
    m->count = count;
    for (size_t i = 0; i < count; i++) {
        m->source[i].ring = ring_create("test", sizeof(struct observation), ROOM);
        assert_non_null(m->source[i].ring);
    }
    return m;
}

static void end(struct merge *m)
{
    for (size_t i = 0; i < m->count; i++)
        ring_destroy(m->source[i].ring);
}

static void tell(struct merge *m, size_t source, nsec_t time)
{
    const struct observation o = {.kind = OBSERVE_STRAY, .iface = (uint16_t)source, .time = time};

    assert_int_equal(ring_push(m->source[source].ring, &o, observation_size(&o)), SD_OK);
}

/* The times, since T0 in ms, of all that is due. */
static void expect(struct merge *m, nsec_t now, size_t count, const int *times)
{
    const struct observation *o;

    for (size_t i = 0; i < count; i++) {
        o = merge_next(m, now);
        assert_non_null(o);
        assert_int_equal(o->time, T0 + times[i] * MS);
        merge_take(m);
    }
    assert_null(merge_next(m, now));
}

#define EXPECT(m, now, ...)                                                                        \
    expect(m, now, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})

static void one_thread_never_waits(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 1);
    tell(&m, 0, T0);
    tell(&m, 0, T0 + MS);
    EXPECT(&m, T0 + MS, 0, 1);
    assert_int_equal(merge_wait(&m, T0), -1);
    end(&m);
}

/* The failure comes later out of its ring than the query in clear text after it. */
static void waits_for_what_may_be_older(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 2);
    tell(&m, 0, T0 + 10 * MS);
    expect(&m, T0 + 12 * MS, 0, NULL);
    assert_int_equal(merge_wait(&m, T0 + 12 * MS), MERGE_HOLD - 2 * MS);
    tell(&m, 1, T0 + 9 * MS);
    EXPECT(&m, T0 + 13 * MS, 9);
    EXPECT(&m, T0 + 10 * MS + MERGE_HOLD, 10);
    end(&m);
}

static void goes_by_time_across_threads(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 3);
    for (int t = 0; t < 4; t++)
        tell(&m, 0, T0 + t * 3 * MS);
    for (int t = 0; t < 4; t++)
        tell(&m, 1, T0 + (t * 3 + 1) * MS);
    for (int t = 0; t < 4; t++)
        tell(&m, 2, T0 + (t * 3 + 2) * MS);
    /* Once the first is empty, the others wait. */
    EXPECT(&m, T0 + 11 * MS, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    EXPECT(&m, INT64_MAX, 10, 11);
    end(&m);
}

/* A thread with a backlog says how far it is, and is waited for longer. */
static void waits_for_a_thread_that_is_behind(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 2);
    atomic_store(&m.source[1].behind, T0 + 5 * MS);
    tell(&m, 0, T0 + 4 * MS);
    tell(&m, 0, T0 + 6 * MS);
    EXPECT(&m, T0 + 100 * MS, 4);
    assert_true(merge_wait(&m, T0 + 100 * MS) > 0);
    atomic_store(&m.source[1].behind, T0 + 7 * MS);
    EXPECT(&m, T0 + 100 * MS, 6);
    tell(&m, 0, T0 + 8 * MS);
    expect(&m, T0 + 207 * MS, 0, NULL);
    EXPECT(&m, T0 + 8 * MS + MERGE_HOLD_BEHIND, 8);
    end(&m);
}

static void does_not_wait_where_that_would_lose(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 2);
    for (int i = 0; i <= ROOM / 2; i++)
        tell(&m, 0, T0);
    EXPECT(&m, T0 + MS, 0);
    assert_int_equal(ring_length(m.source[0].ring), ROOM / 2);
    end(&m);
}

static void a_clock_set_back_holds_nothing_up(void **state)
{
    struct merge m;

    (void)state;
    begin(&m, 2);
    tell(&m, 0, T0 + 10 * MS);
    EXPECT(&m, T0 - 3600 * NSEC_S, 10);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_never_waits),
        cmocka_unit_test(waits_for_what_may_be_older),
        cmocka_unit_test(goes_by_time_across_threads),
        cmocka_unit_test(waits_for_a_thread_that_is_behind),
        cmocka_unit_test(does_not_wait_where_that_would_lose),
        cmocka_unit_test(a_clock_set_back_holds_nothing_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
