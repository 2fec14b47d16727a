#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "observe/flow_table.h"

enum { MOST = 1000 };

struct witness {
    unsigned evicted;
    struct flow *last;
};

static void see(void *context, struct flow *f)
{
    struct witness *w = context;

    w->last = f;
    w->evicted++;
}

static void begin(struct flow_table *t, size_t most, struct witness *w)
{
    assert_int_equal(flow_table_init(t, most, 7), SD_OK);
    *w = (struct witness){.evicted = 0};
    t->evicted = see;
    t->context = w;
}

static struct flow_key key(uint32_t n)
{
    const uint8_t client[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    const uint8_t server[4] = {192, 0, 2, 1};

    return (struct flow_key){.low = addr_v4(client),
                             .high = addr_v4(server),
                             .low_port = (uint16_t)n,
                             .high_port = 443,
                             .proto = 6};
}

static struct flow *insert(struct flow_table *t, uint32_t n)
{
    struct flow_key k = key(n);

    return flow_table_insert(t, &k);
}

static struct flow *find(struct flow_table *t, uint32_t n)
{
    struct flow_key k = key(n);

    return flow_table_find(t, &k);
}

/* Against a plain array, while flows come and go. */
static void what_is_there_is_found(void **state)
{
    static bool there[4 * MOST];
    struct flow_table t;
    struct witness w;
    uint32_t dice = 1;
    size_t position = 0, count = 0, walked = 0;

    (void)state;
    begin(&t, MOST, &w);
    for (int i = 0; i < 200000; i++) {
        uint32_t n = (dice = dice * 1664525 + 1013904223) % (4 * MOST);
        struct flow *f = find(&t, n);

        assert_true((f != NULL) == there[n]);
        if (f) {
            struct flow_key again = flow_key_again(f), wanted = key(n);

            assert_memory_equal(&again, &wanted, sizeof again);
            flow_table_remove(&t, f);
        } else if (count < MOST) {
            assert_int_equal(insert(&t, n)->packets, 0);
        } else {
            continue;
        }
        there[n] = !there[n];
        count += there[n] ? 1 : (size_t)-1;
        assert_int_equal(t.count, count);
    }
    while (flow_table_next(&t, &position))
        walked++;
    assert_int_equal(walked, count);
    assert_int_equal(w.evicted, 0);
    flow_table_clear(&t);
    for (uint32_t n = 0; n < 4 * MOST; n++)
        assert_null(find(&t, n));
    flow_table_finish(&t);
}

/* A flood of attempts pushes out attempts, and no connection that works. */
static void attempts_give_way_first(void **state)
{
    struct flow_table t;
    struct witness w;

    (void)state;
    begin(&t, MOST, &w);
    for (uint32_t n = 0; n < MOST; n++) {
        struct flow *f = insert(&t, n);

        f->last = n;
        f->stage = n % 8 ? STAGE_WORKING : STAGE_TRYING;
    }
    for (uint32_t n = MOST; n < 100 * MOST; n++)
        insert(&t, n)->last = n;
    for (uint32_t n = 0; n < MOST; n++)
        assert_true((find(&t, n) != NULL) == (n % 8 != 0));
    assert_int_equal(w.evicted, 99 * MOST);
    assert_int_equal(t.count, MOST);
    flow_table_finish(&t);
}

static void the_longest_silent_goes(void **state)
{
    struct flow_table t;
    struct witness w;

    (void)state;
    begin(&t, 16, &w);
    for (uint32_t n = 0; n < 16; n++) {
        struct flow *f = insert(&t, n);

        f->last = n == 5 ? UINT32_MAX - 3 : n; /* ticks wrap */
        f->stage = STAGE_WORKING;
    }
    insert(&t, 16);
    assert_ptr_equal(w.last, &t.flows[5]);
    assert_null(find(&t, 5));
    flow_table_finish(&t);
}

static void a_flow_takes_128_bytes(void **state)
{
    struct flow_table t;
    struct witness w;

    (void)state;
    begin(&t, 1000000, &w);
    assert_true(t.most * sizeof *t.flows + t.slots * sizeof *t.index <= 128 * t.most);
    flow_table_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_found),
        cmocka_unit_test(attempts_give_way_first),
        cmocka_unit_test(the_longest_silent_goes),
        cmocka_unit_test(a_flow_takes_128_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
