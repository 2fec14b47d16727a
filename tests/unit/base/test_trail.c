#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/trail.h"

enum { SNAP = 300, BYTES = 64 * 1024, MOST = 50 };

static bool wants_port(const void *context, const struct trail_frame *frame)
{
    return frame->sport == *(const uint16_t *)context;
}

/* Every octet of a frame is the low one of its number; so is its length found. */
static void put(struct trail *t, uint64_t number, uint16_t port)
{
    uint8_t bytes[400];
    struct trail_frame frame = {.time = (nsec_t)number,
                                .captured = (uint32_t)(number * 7 % sizeof bytes),
                                .length = 1500,
                                .sport = port};

    memset(bytes, (int)(number & 0xff), sizeof bytes);
    trail_put(t, &frame, bytes);
}

static struct trail_pick pick_of(const struct trail *t, const uint16_t *port)
{
    struct trail_pick pick = {.wants = wants_port, .context = port, .most = MOST};

    pick.places = malloc((MOST + 1) * trail_place(t));
    assert_non_null(pick.places);
    return pick;
}

/* The frame at a place is whole. */
static nsec_t sound(const struct trail *t, const struct trail_pick *pick, uint64_t n)
{
    const uint8_t *place = pick->places + n % (MOST + 1) * trail_place(t);
    struct trail_frame frame;
    uint64_t number, length;

    memcpy(&frame, place, sizeof frame);
    number = (uint64_t)frame.time;
    length = number * 7 % 400;
    assert_int_equal(frame.captured, length < SNAP ? length : SNAP);
    for (uint32_t i = 0; i < frame.captured; i++)
        assert_int_equal(place[sizeof frame + i], number & 0xff);
    return frame.time;
}

static void the_newest_are_kept_in_order(void **state)
{
    struct trail *t = trail_create(BYTES, SNAP);
    uint16_t port = 5, none = 6;
    struct trail_pick pick = pick_of(t, &port), nothing = pick_of(t, &none);

    (void)state;
    trail_read(t, &pick);
    assert_int_equal(pick.found, 0);
    for (uint64_t n = 1; n <= 10; n++)
        put(t, n, 5);
    trail_read(t, &pick);
    assert_int_equal(pick.found, 10);
    for (uint64_t n = 0; n < 10; n++)
        assert_int_equal(sound(t, &pick, n), n + 1);
    for (uint64_t n = 11; n <= 5000; n++)
        put(t, n, n % 2 ? 5 : 7);
    pick.found = 0;
    trail_read(t, &pick);
    assert_in_range(pick.found, MOST, BYTES / 64);
    for (uint64_t n = pick.found - MOST, last = 0; n < pick.found; n++) {
        uint64_t number = (uint64_t)sound(t, &pick, n);

        assert_true(number % 2 == 1 && number > last);
        last = number;
        if (n == pick.found - 1)
            assert_int_equal(number, 4999);
    }
    trail_read(t, &nothing);
    assert_int_equal(nothing.found, 0);
    free(pick.places);
    free(nothing.places);
    trail_destroy(t);
}

/* A reader beside a writer that overwrites all the time never gives half a frame. */
static void what_is_overwritten_is_noticed(void **state)
{
    struct trail *t = trail_create(BYTES, SNAP);
    uint16_t port = 5;
    struct trail_pick pick = pick_of(t, &port);
    uint64_t seen = 0;
    pid_t writer = fork();

    (void)state;
    if (writer == 0) {
        for (uint64_t n = 1; n < 400000; n++)
            put(t, n, 5);
        _exit(0);
    }
    trail_only_read(t);
    while (waitpid(writer, NULL, WNOHANG) == 0) {
        pick.found = 0;
        trail_read(t, &pick);
        for (uint64_t n = pick.found > MOST ? pick.found - MOST : 0; n < pick.found; n++)
            seen += sound(t, &pick, n) > 0;
    }
    assert_true(seen > 0);
    free(pick.places);
    trail_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_newest_are_kept_in_order),
                                       cmocka_unit_test(what_is_overwritten_is_noticed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
