/* Who a rollout has come to: the same clients on every gateway and after every restart, and nobody
 * goes out when it grows. That the kernel says the same is shown by tests/netns/run-places.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "model/policy.h"

static struct addr at(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), SD_OK);
    return a;
}

static unsigned place(const char *zone, const char *client)
{
    struct policy_zone z = {.held = false};
    struct addr a = at(client);

    snprintf(z.id, sizeof z.id, "%s", zone);
    return rollout_place(&a, rollout_seed(&z));
}

/* What the kernel said: a program that changes them moves clients in and out of every rollout. */
static void places_stay(void **state)
{
    (void)state;
    assert_int_equal(place("office", "10.20.0.1"), 84);
    assert_int_equal(place("office", "10.20.0.2"), 78);
    assert_int_equal(place("guest", "10.20.0.1"), 84);
    assert_int_equal(place("office", "2001:db8::1"), 81);
    assert_int_equal(place("office", "2001:db8:20::ffff"), 13);
}

static void shares_are_what_they_say(void **state)
{
    struct policy_zone z = {.id = "office", .rollout = {.given = true}};

    (void)state;
    for (unsigned percent = 0; percent <= 100; percent += 10) {
        unsigned in = 0;

        z.rollout.percent = (uint8_t)percent;
        for (unsigned i = 0; i < 20000; i++) {
            struct addr v4 = addr_v4((const uint8_t[4]){10, 20, (uint8_t)(i >> 8), (uint8_t)i});
            struct addr v6 = at("2001:db8:20::");

            v6.b[14] = (uint8_t)(i >> 8);
            v6.b[15] = (uint8_t)i;
            in += rollout_holds(&z, i % 2 ? &v4 : &v6);
        }
        assert_true(in >= 200 * percent - 300 * !!(percent % 100) &&
                    in <= 200 * percent + 300 * !!(percent % 100));
    }
}

static void nobody_goes_out_when_it_grows(void **state)
{
    struct policy_zone z = {.id = "office", .rollout = {.given = true}};

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        struct addr a = addr_v4((const uint8_t[4]){10, 20, (uint8_t)(i >> 8), (uint8_t)i});
        bool before = false;

        for (unsigned percent = 0; percent <= 100; percent++) {
            bool in;

            z.rollout.percent = (uint8_t)percent;
            in = rollout_holds(&z, &a);
            assert_true(in || !before);
            before = in;
        }
        assert_true(before);
    }
}

static void those_named_are_in(void **state)
{
    struct prefix named[] = {{at("10.20.9.0"), 120}, {at("2001:db8::"), 32}, {at("::"), 0}};
    struct policy_zone z = {.id = "office",
                            .rollout = {.given = true, .clients = named, .client_count = 2}};
    struct addr in = at("10.20.9.77"), in6 = at("2001:db8::5"), out = at("10.20.8.77");

    (void)state;
    assert_true(rollout_holds(&z, &in) && rollout_holds(&z, &in6));
    assert_false(rollout_holds(&z, &out));
    z.rollout.client_count = 3; /* ::/0 holds all of IPv6 and nobody of IPv4 */
    assert_false(rollout_holds(&z, &out));
    z.rollout.given = false;
    assert_true(rollout_holds(&z, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_stay),
        cmocka_unit_test(shares_are_what_they_say),
        cmocka_unit_test(nobody_goes_out_when_it_grows),
        cmocka_unit_test(those_named_are_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
