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

static void finds_an_entry_where_it_was(void **state)
{
    struct table_shape shape = {
        .entry_size = sizeof(struct entry), .key_size = sizeof(uint32_t), .capacity = 64};
    struct table *t = table_create(&shape);
    uint32_t key = 42, other = 43, place = 0, others = 0;
    struct entry *e;
    bool fresh;

    (void)state;
    assert_null(table_find_at(t, &place, &key));
    assert_int_equal(place, 0);
    e = table_insert_at(t, &place, &key, &fresh);
    assert_true(fresh);
    assert_int_not_equal(place, 0);
    assert_ptr_equal(table_prefetch_at(t, place), e);
    assert_ptr_equal(table_insert_at(t, &place, &key, &fresh), e);
    assert_false(fresh);
    others = place; /* what is there is not this key's */
    assert_null(table_find_at(t, &others, &other));
    assert_int_equal(others, 0);
    table_remove(t, e);
    assert_null(table_find_at(t, &place, &key));
    table_destroy(t);
}

/* As keeps_what_is_used(): found by its place it is used as well. */
static void keeps_what_is_found_where_it_was(void **state)
{
    struct table_shape shape = {
        .entry_size = sizeof(struct entry), .key_size = sizeof(uint32_t), .capacity = 64};
    struct table *t = table_create(&shape);
    uint32_t kept = 42, place = 0;
    struct entry *e;
    bool fresh;

    (void)state;
    e = table_insert_at(t, &place, &kept, &fresh);
    for (uint32_t key = 1000; key < 9000; key++) {
        table_insert(t, &key, &fresh);
        assert_ptr_equal(table_find_at(t, &place, &kept), e);
    }
    table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds_what_fits_and_evicts_the_rest),
                                       cmocka_unit_test(keeps_what_is_used),
                                       cmocka_unit_test(finds_an_entry_where_it_was),
                                       cmocka_unit_test(keeps_what_is_found_where_it_was)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
