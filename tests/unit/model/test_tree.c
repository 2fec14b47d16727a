#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/behaviour.h"

#define ASK(f, m, t, o)                                                                            \
    {                                                                                              \
        .feature = (f), .most = (m), .then = (t), .other = (o)                                     \
    }
#define SAY(c)                                                                                     \
    {                                                                                              \
        .feature = FEATURE_COUNT, .confidence = (c)                                                \
    }

static const struct decision_tree good = {
    .count = 5,
    .node = {ASK(FEATURE_RATIO, 8000, 1, 2), ASK(FEATURE_CLIENT_P90, 450, 3, 4), SAY(0), SAY(90),
             SAY(10)},
};

static void test_judges(void **state)
{
    struct behaviour b = {{0}};
    struct decision_tree none = {0};
    unsigned leaf;

    (void)state;
    assert_int_equal(decision_judge(&none, &b, NULL), 0);
    b.feature[FEATURE_RATIO] = 8000;
    b.feature[FEATURE_CLIENT_P90] = 450;
    assert_int_equal(decision_judge(&good, &b, &leaf), 90);
    assert_int_equal(leaf, 3);
    b.feature[FEATURE_CLIENT_P90] = 451;
    assert_int_equal(decision_judge(&good, &b, &leaf), 10);
    assert_int_equal(leaf, 4);
    b.feature[FEATURE_RATIO] = 8001;
    assert_int_equal(decision_judge(&good, &b, &leaf), 0);
    assert_int_equal(leaf, 2);
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < FEATURE_COUNT; i++)
        assert_int_equal(feature_of(feature_name((unsigned)i)), i);
    assert_int_equal(feature_of("no such"), -1);
    assert_string_equal(feature_name(FEATURE_COUNT), "?");
}

static void is_wrong(struct decision_tree t, size_t where)
{
    size_t at = 99;

    assert_non_null(decision_fault(&t, &at));
    assert_int_equal(at, where);
}

static void test_faults(void **state)
{
    struct decision_tree t = good;
    size_t at;

    (void)state;
    assert_null(decision_fault(&good, &at));
    t.node[1].then = 1; /* itself */
    is_wrong(t, 1);
    t.node[1].then = 0; /* back */
    is_wrong(t, 1);
    t.node[1].then = 5; /* beyond */
    is_wrong(t, 1);
    t.node[1].then = 4; /* one child twice */
    is_wrong(t, 1);
    t.node[1].then = 2; /* another's child */
    is_wrong(t, 1);
    t = good;
    t.count = 6; /* nobody leads there */
    is_wrong(t, 5);
    t = good;
    t.node[3].confidence = 101;
    is_wrong(t, 3);
    t.node[3] = (struct decision_node){.feature = FEATURE_COUNT + 1};
    is_wrong(t, 3);
    memset(&t, 0, sizeof t);
    for (uint8_t i = 0; i < 13; i++) /* a chain of six questions, then of seven */
        t.node[i] = i % 2 == 0 && i < 12
                        ? (struct decision_node)ASK(0, 0, (uint8_t)(i + 1), (uint8_t)(i + 2))
                        : (struct decision_node)SAY(0);
    t.count = 13;
    assert_null(decision_fault(&t, &at));
    t.node[12] = (struct decision_node)ASK(0, 0, 13, 14);
    t.node[13] = t.node[14] = (struct decision_node)SAY(0);
    t.count = 15;
    is_wrong(t, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judges), cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_faults)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
