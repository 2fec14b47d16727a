#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "observe/padding.h"

static void test_overhead(void **state)
{
    (void)state;
    assert_int_equal(record_overhead(1, 0x1301), 17);
    assert_int_equal(record_overhead(1, 0x1303), 17);
    assert_int_equal(record_overhead(1, 0x1305), 9);
    assert_int_equal(record_overhead(0, 0xc02f), 24);
    assert_int_equal(record_overhead(0, 0xcca8), 16);
    assert_int_equal(record_overhead(0, 0xc0a0), 16);
}

static void test_padded_queries(void **state)
{
    (void)state;
    assert_int_equal(record_messages(147, 17, PAD_QUERY), 1); /* N = 128 */
    assert_int_equal(record_messages(275, 17, PAD_QUERY), 1); /* N = 256 */
    assert_int_equal(record_messages(403, 17, PAD_QUERY), 1);
    assert_int_equal(record_messages(277, 17, PAD_QUERY), 2); /* two of 128 */
    assert_int_equal(record_messages(154, 24, PAD_QUERY), 1);
    assert_int_equal(record_messages(146, 16, PAD_QUERY), 1);
    assert_int_equal(record_messages(139, 9, PAD_QUERY), 1);
    for (unsigned m = 1; m <= 8; m++)
        assert_int_equal(record_messages(m * 130 + 17, 17, PAD_QUERY), m);
    assert_int_equal(record_messages(487, 17, PAD_RESPONSE), 1);
    assert_int_equal(record_messages(3 * 470 + 17, 17, PAD_RESPONSE), 3);
}

/* A record that is not on the lattice is one message, however its remainder looks. */
static void test_unpadded(void **state)
{
    (void)state;
    assert_int_equal(record_messages(35, 17, PAD_QUERY), 0);
    assert_int_equal(record_messages(19, 17, PAD_QUERY), 0);
    assert_int_equal(record_messages(36, 17, PAD_QUERY), 1);
    assert_int_equal(record_messages(60, 17, PAD_QUERY), 1);
    assert_int_equal(record_messages(149, 17, PAD_QUERY), 1); /* N = 130: not two of 128 */
    assert_int_equal(record_messages(16640, 17, PAD_RESPONSE), 1);
    for (unsigned length = 0; length < 20000; length++)
        assert_in_range(record_messages(length, 24, PAD_QUERY), 0, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_padded_queries),
        cmocka_unit_test(test_unpadded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
