/* Items from one thread to another: all, in order, of any size; and either side may go. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/relay.h"

#define OCTETS 8192
#define ITEMS  100000

struct giver {
    struct relay *relay;
    size_t given;
    size_t items;
};

/* Sizes go up and down; one in a while is larger than all the relay is meant to hold. */
static size_t size_of(size_t n)
{
    return n % 10007 == 10006 ? 3 * OCTETS : 8 + n * 7 % 311;
}

static void *give(void *context)
{
    struct giver *g = context;

    while (g->given < g->items) {
        size_t size = size_of(g->given);
        uint8_t *item = relay_put(g->relay, size);

        if (!item)
            break;
        memcpy(item, &g->given, sizeof g->given);
        memset(item + sizeof g->given, (int)(g->given & 0xff), size - sizeof g->given);
        g->given++;
    }
    relay_end(g->relay);
    return NULL;
}

static void all_in_order(void **state)
{
    struct giver g = {.relay = relay_create(OCTETS), .items = ITEMS};
    pthread_t thread;
    const uint8_t *item;
    size_t n = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, give, &g), 0);
    while ((item = relay_take(g.relay)) != NULL) {
        size_t size = size_of(n);

        assert_memory_equal(item, &n, sizeof n);
        assert_int_equal((uintptr_t)item % 8, 0);
        assert_true(size == sizeof n || item[size - 1] == (n & 0xff));
        n++;
    }
    assert_int_equal(n, ITEMS);
    assert_null(relay_take(g.relay));
    pthread_join(thread, NULL);
    relay_destroy(g.relay);
}

static void nothing_at_all(void **state)
{
    struct relay *r = relay_create(OCTETS);

    (void)state;
    relay_end(r);
    assert_null(relay_take(r));
    relay_destroy(r);
    relay_destroy(NULL);
}

/* A giver that waits for room is let go. */
static void the_taker_goes(void **state)
{
    struct giver g = {.relay = relay_create(OCTETS), .items = ITEMS};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, give, &g), 0);
    assert_non_null(relay_take(g.relay));
    relay_leave(g.relay);
    pthread_join(thread, NULL);
    assert_true(g.given < ITEMS / 10);
    relay_destroy(g.relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(the_taker_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
