#include "scene.h"

extern const struct detector detector_sealed_tunnel;

#define CLIENT   "10.20.1.1"
#define APPROVED "9.9.9.9"
#define STRANGER "203.0.113.7"

static struct scene s;

static int set_up(void **state)
{
    (void)state;
    scene_open(&s, &detector_sealed_tunnel);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

/* What a connection did since it was told of last. */
static struct observation step(nsec_t t, const char *server, uint32_t records, uint32_t large)
{
    struct observation o = scene_flow(t, CLIENT, server, FLOW_PROGRESS, 1);

    o.flow.queries = records;
    o.flow.shape.exact = true;
    o.flow.shape.client.records = o.flow.shape.client.messages = records;
    o.flow.shape.client.large = large;
    o.flow.shape.client.octets = 130ULL * records + 130ULL * large;
    o.flow.shape.server.octets = 470ULL * records;
    scene_note(s.policy, &o);
    return o;
}

static void steps(const char *server, int count, nsec_t apart, uint32_t records, uint32_t large)
{
    for (int i = 0; i < count; i++) {
        struct observation o = step(T0 + i * apart, server, records, large);

        s.detector->observe(s.state, &o);
        scene_tick(&s, o.time);
    }
}

static void long_queries_are_data(void **state)
{
    (void)state;
    steps(APPROVED, 30, 3 * S, 10, 9);
    assert_true(s.count >= 1);
    assert_int_equal(s.found[0].kind, KIND_TUNNEL);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    assert_non_null(strstr(s.found[0].evidence.text, "\"families\":\"size,size-strong\""));
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
}

/* Two in nine are long: enough only where the resolver is nobody's. */
static void some_long_queries_need_more(void **state)
{
    (void)state;
    steps(APPROVED, 60, 3 * S, 9, 2);
    assert_int_equal(s.count, 0);
    steps(STRANGER, 60, 3 * S, 9, 2);
    assert_true(s.count >= 1);
}

static void ordinary_clients_are_none(void **state)
{
    (void)state;
    steps(APPROVED, 600, 2 * S, 10, 1);
    steps(STRANGER, 600, 2 * S, 10, 1);
    assert_int_equal(s.count, 0);
}

static void few_queries_prove_nothing(void **state)
{
    (void)state;
    steps(STRANGER, 9, 3 * S, 10, 10);
    assert_int_equal(s.count, 0);
}

static void much_data_is_graver(void **state)
{
    (void)state;
    steps(STRANGER, 800, 3 * S, 10, 9);
    assert_true(s.count >= 2);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_MEDIUM);
    assert_non_null(strstr(s.found[s.count - 1].evidence.text, "volume"));
}

/* A minute apart, for more than two hours. */
static void a_clock_is_told_for_a_stranger(void **state)
{
    (void)state;
    steps(STRANGER, 170, 60 * S, 1, 0);
    assert_true(s.count >= 1);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_non_null(strstr(s.found[0].evidence.text, "\"interval_ms\":60000"));
}

static void a_clock_of_an_approved_resolver_is_not(void **state)
{
    (void)state;
    steps(APPROVED, 300, 60 * S, 1, 0);
    assert_int_equal(s.count, 0);
}

static void people_have_no_clock(void **state)
{
    nsec_t t = T0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct observation o = step(t, STRANGER, 2, 0);

        s.detector->observe(s.state, &o);
        t += (5 + (nsec_t)(i * 7919 % 101)) * S;
    }
    assert_int_equal(s.count, 0);
}

/* Without exact lengths nothing is said of sizes. */
static void what_cannot_be_measured_is_not_said(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct observation o = step(T0 + i * 3 * S, STRANGER, 10, 10);

        o.flow.shape.exact = false;
        s.detector->observe(s.state, &o);
    }
    assert_int_equal(s.count, 0);
}

/* A flood of pairs evicts and stays within its memory. */
static void strangers_by_the_thousand_are_bounded(void **state)
{
    size_t before = s.detector->bytes(s.state);

    (void)state;
    for (uint32_t i = 0; i < 40000; i++) {
        struct observation o = step(T0 + i * MS, STRANGER, 1, 1);

        o.client.b[13] = (uint8_t)(i >> 16);
        o.client.b[14] = (uint8_t)(i >> 8);
        o.client.b[15] = (uint8_t)i;
        s.detector->observe(s.state, &o);
    }
    assert_int_equal(s.detector->bytes(s.state), before);
    assert_int_equal(s.count, 0);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(long_queries_are_data),
        SCENE(some_long_queries_need_more),
        SCENE(ordinary_clients_are_none),
        SCENE(few_queries_prove_nothing),
        SCENE(much_data_is_graver),
        SCENE(a_clock_is_told_for_a_stranger),
        SCENE(a_clock_of_an_approved_resolver_is_not),
        SCENE(people_have_no_clock),
        SCENE(what_cannot_be_measured_is_not_said),
        SCENE(strangers_by_the_thousand_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
