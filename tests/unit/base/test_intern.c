#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/intern.h"

static void numbers_stay_while_it_grows(void **state)
{
    struct intern n;
    char key[16];

    (void)state;
    intern_init(&n, 100000, 7);
    assert_int_equal(intern_find(&n, "", 0), SD_ENOENT);
    assert_int_equal(intern_number(&n, "", 0), 0);
    for (int i = 1; i < 50000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_int_equal(intern_number(&n, key, strlen(key)), i);
    }
    for (int i = 1; i < 50000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_int_equal(intern_find(&n, key, strlen(key)), i);
        assert_int_equal(n.keys[i].length, strlen(key));
        assert_memory_equal(intern_bytes(&n, (uint32_t)i), key, strlen(key));
    }
    assert_int_equal(intern_number(&n, "", 0), 0);
    intern_finish(&n);
}

/* Keys are bytes: a NUL among them, and one that begins another. */
static void keys_are_bytes(void **state)
{
    struct intern n;

    (void)state;
    intern_init(&n, 8, 0);
    assert_int_equal(intern_number(&n, "a\0b", 3), 0);
    assert_int_equal(intern_number(&n, "a\0c", 3), 1);
    assert_int_equal(intern_number(&n, "a", 1), 2);
    assert_int_equal(intern_find(&n, "a\0b", 3), 0);
    intern_finish(&n);
}

static void no_more_than_the_most(void **state)
{
    struct intern n;

    (void)state;
    intern_init(&n, 2, 1);
    assert_int_equal(intern_number(&n, "a", 1), 0);
    assert_int_equal(intern_number(&n, "b", 1), 1);
    assert_int_equal(intern_number(&n, "c", 1), SD_ELIMIT);
    assert_int_equal(intern_number(&n, "b", 1), 1);
    assert_int_equal(n.count, 2);
    intern_finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_stay_while_it_grows),
                                       cmocka_unit_test(keys_are_bytes),
                                       cmocka_unit_test(no_more_than_the_most)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
