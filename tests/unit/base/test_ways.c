#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/ways.h"

/* Every set of ways that hold the tag, among tags that differ from it by one bit. */
static void every_set_of_ways_is_told(void **state)
{
    (void)state;
    for (unsigned set = 0; set < 256; set++) {
        uint16_t tag[WAYS_EIGHT];
        uint32_t word[WAYS_EIGHT];

        for (unsigned way = 0; way < WAYS_EIGHT; way++) {
            bool here = set >> way & 1;

            tag[way] = (uint16_t)(0xbeef ^ (here ? 0 : 1U << (way * 2 + set % 2)));
            word[way] = 0xfeedbeef ^ (here ? 0 : UINT32_C(1) << (way * 4 + set % 4));
        }
        assert_int_equal(ways_of_short(tag, 0xbeef), set);
        assert_int_equal(ways_of_word(word, 0xfeedbeef, 0), set);
    }
}

static void ignored_bits_do_not_count(void **state)
{
    const uint32_t tag[WAYS_EIGHT] = {7, 5, 3, 1, 0, 7, 4, 5};

    (void)state;
    assert_int_equal(ways_of_word(tag, 5, 0), 1 << 1 | 1 << 7);
    assert_int_equal(ways_of_word(tag, 5, 2), 1 << 0 | 1 << 1 | 1 << 5 | 1 << 7);
    assert_int_equal(ways_first(1 << 5 | 1 << 7), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_of_ways_is_told),
        cmocka_unit_test(ignored_bits_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
