#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/cipher_suite.h"
#include "model/latency.h"

static void test_overhead(void **state)
{
    (void)state;
    assert_int_equal(suite_overhead(true, 0x1301), 17);
    assert_int_equal(suite_overhead(true, 0x1303), 17);
    assert_int_equal(suite_overhead(true, 0x1305), 9);
    assert_int_equal(suite_overhead(false, 0xc02f), 24);
    assert_int_equal(suite_overhead(false, 0xc0ad), 24); /* CCM */
    assert_int_equal(suite_overhead(false, 0xcca8), 16);
    assert_int_equal(suite_overhead(false, 0xc0a0), 16);
    assert_int_equal(suite_overhead(false, 0xc027), 0); /* CBC */
    assert_int_equal(suite_overhead(false, 0x0005), 0); /* RC4 */
    assert_int_equal(suite_overhead(false, 0), 0);
}

static void test_strength(void **state)
{
    static const struct {
        uint16_t suite;
        enum suite_strength strength;
        const char *weakness;
    } expected[] = {
        {0, SUITE_UNKNOWN, ""},
        {0x1301, SUITE_SOUND, ""},
        {0xc02f, SUITE_SOUND, ""},
        {0xcca9, SUITE_SOUND, ""},
        {0x009c, SUITE_DATED, "no forward secrecy"},
        {0xc027, SUITE_DATED, "block chaining"},
        {0x002f, SUITE_DATED, "block chaining"},
        {0x0005, SUITE_BROKEN, "a cipher that is broken"},
        {0x000a, SUITE_BROKEN, "a cipher that is broken"},
        {0xc012, SUITE_BROKEN, "a cipher that is broken"},
        {0x003b, SUITE_BROKEN, "not encrypted"},
        {0xc018, SUITE_BROKEN, "nobody is authenticated"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(suite_strength(expected[i].suite), expected[i].strength);
        assert_string_equal(suite_weakness(expected[i].suite), expected[i].weakness);
    }
}

/* Every bucket begins where the one before it ends. */
static void test_buckets(void **state)
{
    (void)state;
    assert_int_equal(latency_bucket(0), 0);
    assert_int_equal(latency_bucket(UINT32_MAX), LATENCY_BUCKETS - 1);
    for (unsigned b = 0; b + 1 < LATENCY_BUCKETS; b++) {
        assert_int_equal(latency_bucket(latency_below(b) - 1), b);
        assert_int_equal(latency_bucket(latency_below(b)), b + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_strength),
        cmocka_unit_test(test_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
