#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "account/delays.h"
#include "model/names.h"

enum { RESOLVERS = LATENCIES_RESOLVERS + 2 };

static struct policy_resolver resolvers[RESOLVERS];
static struct policy policy = {.resolvers = resolvers, .resolver_count = RESOLVERS};

static int name_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESOLVERS; i++)
        snprintf(resolvers[i].id, sizeof resolvers[i].id, "r%zu", i);
    return 0;
}

static struct observation with(uint8_t kind, uint8_t transport, int16_t resolver)
{
    struct observation o = {.kind = kind, .transport = transport};

    o.note.resolver = resolver;
    o.note.approved = true;
    return o;
}

static struct observation answer(int16_t resolver, bool approved, uint32_t us)
{
    struct observation o = with(OBSERVE_DNS, TRANSPORT_DO53_UDP, resolver);

    o.note.approved = approved;
    o.dns.match = ANSWER_MATCHED;
    o.dns.latency_us = us;
    return o;
}

static struct observation handshake(int16_t resolver, uint8_t transport, uint32_t us)
{
    struct observation o = with(OBSERVE_FLOW, transport, resolver);

    o.flow.phase = FLOW_ESTABLISHED;
    o.flow.handshake_us = us;
    return o;
}

static void note(struct delays *d, struct observation o)
{
    delays_note(d, &o);
}

static void each_goes_to_its_resolver(void **state)
{
    static struct latencies l;
    struct delays d = {.to = &l};

    (void)state;
    delays_use_policy(&d, &policy);
    note(&d, answer(3, true, 200));
    note(&d, answer(3, true, 5000));
    note(&d, answer(3, false, 70)); /* approved elsewhere, not there */
    note(&d, answer(-1, true, 90));
    note(&d, handshake(1, TRANSPORT_DOT, 30000));
    note(&d, handshake(1, TRANSPORT_DO53_TCP, 30000)); /* nothing is sealed there */
    assert_int_equal(l.count, 2);
    assert_string_equal(l.list[0].id, "r3");
    assert_int_equal(l.list[0].answer.us, 5200);
    assert_int_equal(l.list[0].answer.buckets[latency_bucket(200)], 1);
    assert_int_equal(l.list[0].answer.buckets[latency_bucket(5000)], 1);
    assert_string_equal(l.list[1].id, "r1");
    assert_int_equal(l.list[1].handshake.us, 30000);
    assert_int_equal(l.list[1].answer.us, 0);
    assert_int_equal(l.other.answer.us, 160);
    delays_finish(&d);
}

static void beyond_the_list_is_other_and_places_outlive_a_policy(void **state)
{
    static struct latencies l;
    struct delays d = {.to = &l};
    struct policy fewer = {.resolvers = resolvers + 1, .resolver_count = 2};

    (void)state;
    delays_use_policy(&d, &policy);
    for (int16_t i = 0; i < RESOLVERS; i++)
        note(&d, answer(i, true, 1000));
    note(&d, answer(RESOLVERS - 1, true, 1000));
    assert_int_equal(l.count, LATENCIES_RESOLVERS);
    assert_int_equal(l.other.answer.us, 3000);
    delays_use_policy(&d, &fewer);
    note(&d, answer(0, true, 500)); /* r1 */
    assert_int_equal(l.count, LATENCIES_RESOLVERS);
    assert_int_equal(l.list[1].answer.us, 1500);
    delays_finish(&d);
}

static void nobody_asks(void **state)
{
    struct delays d = {.to = NULL};

    (void)state;
    delays_use_policy(&d, &policy);
    note(&d, answer(3, true, 200));
    assert_null(d.place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_goes_to_its_resolver, name_them),
        cmocka_unit_test_setup(beyond_the_list_is_other_and_places_outlive_a_policy, name_them),
        cmocka_unit_test(nobody_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
