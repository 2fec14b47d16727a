#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "observe/padding.h"

/* Messages in a record, negative when they are not on the lattice. */
static int messages(unsigned length, unsigned overhead, unsigned block)
{
    bool padded;
    unsigned n = record_messages(length, overhead, block, &padded);

    return padded ? (int)n : -(int)n;
}

static void test_padded_queries(void **state)
{
    (void)state;
    assert_int_equal(messages(147, 17, PAD_QUERY), 1); /* N = 128 */
    assert_int_equal(messages(275, 17, PAD_QUERY), 1); /* N = 256 */
    assert_int_equal(messages(403, 17, PAD_QUERY), 1);
    assert_int_equal(messages(277, 17, PAD_QUERY), 2); /* two of 128 */
    assert_int_equal(messages(154, 24, PAD_QUERY), 1);
    assert_int_equal(messages(146, 16, PAD_QUERY), 1);
    assert_int_equal(messages(139, 9, PAD_QUERY), 1);
    for (int m = 1; m <= 8; m++)
        assert_int_equal(messages((unsigned)m * 130 + 17, 17, PAD_QUERY), m);
    assert_int_equal(messages(487, 17, PAD_RESPONSE), 1);
    assert_int_equal(messages(3 * 470 + 17, 17, PAD_RESPONSE), 3);
}

/* A record that is not on the lattice is one message, however its remainder looks. */
static void test_unpadded(void **state)
{
    (void)state;
    assert_int_equal(messages(35, 17, PAD_QUERY), 0);
    assert_int_equal(messages(19, 17, PAD_QUERY), 0);
    assert_int_equal(messages(36, 17, PAD_QUERY), -1);
    assert_int_equal(messages(60, 17, PAD_QUERY), -1);
    assert_int_equal(messages(149, 17, PAD_QUERY), -1); /* N = 130: not two of 128 */
    assert_int_equal(messages(16640, 17, PAD_RESPONSE), -1);
    for (unsigned length = 0; length < 20000; length++)
        assert_in_range(messages(length, 24, PAD_QUERY) + 1, 0, 9);
}

/* Of a suite whose lengths tell nothing exact, each record is one message. */
static void test_not_exact(void **state)
{
    (void)state;
    assert_int_equal(messages(192, 0, PAD_QUERY), -1);
    assert_int_equal(messages(130, 0, PAD_QUERY), -1);
    assert_int_equal(messages(35, 0, PAD_QUERY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padded_queries),
        cmocka_unit_test(test_unpadded),
        cmocka_unit_test(test_not_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
