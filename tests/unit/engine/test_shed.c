/* When a capture thread begins to leave out frames, what comes next, and when it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/shed.h"

#define T0 (INT64_C(1795262400) * NSEC_S)
#define MS NSEC_MS

static void one_step_after_the_other(void **state)
{
    struct shed s = {0};

    (void)state;
    assert_false(shed_look(&s, SHED_FULL - 1, false, T0));
    assert_int_equal(s.level, GLANCE_KEEP);
    assert_true(shed_look(&s, SHED_FULL, false, T0));
    assert_int_equal(s.level, GLANCE_443);
    assert_false(shed_look(&s, 1000, false, T0 + SHED_STEP - 1));
    assert_true(shed_look(&s, 1000, false, T0 + SHED_STEP));
    assert_int_equal(s.level, GLANCE_853);
    assert_false(shed_look(&s, 1000, true, T0 + 2 * SHED_STEP));
    assert_int_equal(s.level, GLANCE_853);
}

static void loss_is_reason_enough(void **state)
{
    struct shed s = {0};

    (void)state;
    assert_true(shed_look(&s, 0, true, T0));
}

/* Between the two marks nothing changes: neither more is left out nor less. */
static void room_has_to_last(void **state)
{
    struct shed s = {0};

    (void)state;
    assert_true(shed_look(&s, SHED_FULL, false, T0));
    assert_false(shed_look(&s, SHED_ROOM - 1, false, T0 + MS));
    assert_false(shed_look(&s, SHED_ROOM, false, T0 + SHED_CALM));
    assert_false(shed_look(&s, 0, false, T0 + SHED_CALM + 2 * MS));
    assert_false(shed_look(&s, 0, false, T0 + 2 * SHED_CALM));
    assert_true(shed_look(&s, 0, false, T0 + 2 * SHED_CALM + 2 * MS));
    assert_int_equal(s.level, GLANCE_KEEP);
}

static nsec_t calm_after(struct shed *s, nsec_t now)
{
    nsec_t begin = now;

    while (!shed_look(s, 0, false, now))
        now += 10 * MS;
    return now - begin;
}

/* Load that comes back as soon as all is looked at again: it is tried less and less often. */
static void too_early_waits_longer(void **state)
{
    struct shed s = {0};
    nsec_t now = T0, waited = 0, before;

    (void)state;
    for (int round = 0; round < 8; round++) {
        assert_true(shed_look(&s, 1000, false, now));
        before = waited;
        waited = calm_after(&s, now);
        assert_true(waited >= before && waited <= SHED_MOST + 20 * MS);
        now += waited + 100 * MS;
    }
    assert_true(waited >= SHED_MOST);
    now += 60 * NSEC_S;
    assert_true(shed_look(&s, 1000, false, now));
    assert_true(calm_after(&s, now) < SHED_CALM + 20 * MS);
}

static void a_ring_fills_by_what_is_not_read(void **state)
{
    struct backlog b = {0};

    (void)state;
    b.read = 1000;
    /* Of a loopback half is counted and never given. */
    assert_int_equal(backlog_fill(&b, 2000, true, 200, 1 << 20), 0);
    b.read = 2000;
    assert_int_equal(backlog_fill(&b, 2000, false, 200, 1 << 20), 0);
    assert_int_equal(backlog_fill(&b, 3000 + 2622, false, 200, 1 << 20), 500);
    assert_int_equal(backlog_fill(&b, 9000, false, 200, 1 << 20), 1000);
    assert_int_equal(backlog_fill(&b, 9000, true, 200, 1 << 20), 0);
    b.read = 2100;
    assert_int_equal(backlog_fill(&b, 9000, false, 200, 1 << 20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_after_the_other),
        cmocka_unit_test(loss_is_reason_enough),
        cmocka_unit_test(room_has_to_last),
        cmocka_unit_test(too_early_waits_longer),
        cmocka_unit_test(a_ring_fills_by_what_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
