#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/table.h"

struct entry {
    uint32_t key, value;
};

static void count_eviction(void *context, void *entry)
{
    (void)entry;
    ++*(unsigned *)context;
}

static void holds_what_fits_and_evicts_the_rest(void **state)
{
    unsigned evicted = 0;
    struct table_shape shape = {.entry_size = sizeof(struct entry),
                                .key_size = sizeof(uint32_t),
                                .capacity = 1024,
                                .seed = 7,
                                .evicted = count_eviction,
                                .context = &evicted};
    struct table *t = table_create(&shape);
    struct entry *e;
    size_t position = 0, seen = 0;
    bool fresh;

    (void)state;
    assert_non_null(t);
    for (uint32_t key = 1; key <= 100000; key++) {
        e = table_insert(t, &key, &fresh);
        assert_true(fresh);
        e->value = ~key;
        assert_ptr_equal(table_find(t, &key), e);
    }
    assert_int_equal(table_count(t) + evicted, 100000);
    assert_int_equal(table_evictions(t), evicted);
    assert_true(table_count(t) <= 1024);
    while ((e = table_next(t, &position))) {
        assert_int_equal(e->value, ~e->key);
        seen++;
        table_remove(t, e);
    }
    assert_int_equal(table_count(t), 0);
    assert_true(seen > 900);
    table_destroy(t);
}

static void keeps_what_is_used(void **state)
{
    struct table_shape shape = {
        .entry_size = sizeof(struct entry), .key_size = sizeof(uint32_t), .capacity = 64};
    struct table *t = table_create(&shape);
    uint32_t kept = 42;
    bool fresh;

    (void)state;
    table_insert(t, &kept, &fresh);
    for (uint32_t key = 1000; key < 9000; key++) {
        table_insert(t, &key, &fresh);
        assert_non_null(table_find(t, &kept));
    }
    table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds_what_fits_and_evicts_the_rest),
                                       cmocka_unit_test(keeps_what_is_used)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
