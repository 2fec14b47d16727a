#include "scene.h"

extern const struct detector detector_volume;

#define C    "10.30.1.1"
#define STEP (300 * S)

static struct scene s;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_volume);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

/* n clear-text queries within the step that begins at t. */
static void ask(nsec_t t, const char *client, unsigned n)
{
    struct observation o = scene_query(t, client, "9.9.9.9", "www.example.org");

    for (unsigned i = 0; i < n; i++) {
        o.time = t + (nsec_t)i * (STEP / (n + 1));
        s.detector->observe(s.state, &o);
    }
    scene_tick(&s, t + STEP - MS);
}

/* A day of an office: 20 to 40 queries in five minutes between 8 and 18, two else. */
static unsigned usual(nsec_t t)
{
    unsigned hour = (unsigned)(t / (3600 * S) % 24), step = (unsigned)(t / STEP);

    return hour >= 8 && hour < 18 ? 20 + step * 7 % 21 : 2;
}

static nsec_t days(nsec_t t, unsigned count)
{
    for (nsec_t end = t + (nsec_t)count * 86400 * S; t < end; t += STEP)
        ask(t, C, usual(t));
    return t;
}

static void eight_times_the_usual_for_half_an_hour_is_an_anomaly(void **state)
{
    nsec_t t, begin;

    (void)state;
    t = days(T0, 3);
    assert_int_equal(s.count, 0);
    for (nsec_t end = t + 3600 * S; t < end; t += STEP)
        ask(t, C, usual(t));
    begin = t;
    for (int i = 0; i < 6; i++, t += STEP)
        ask(t, C, usual(t) * 8);
    scene_tick(&s, t);
    assert_true(s.count >= 1);
    assert_string_equal(s.found[0].rule, "volume-anomaly");
    assert_true(s.found[0].time <= begin + 1800 * S);
    assert_true(s.found[0].severity <= SEVERITY_LOW);
    assert_non_null(strstr(s.found[0].evidence.text, "\"expected\":3"));
    assert_true(addr_is_zero(&s.found[0].server));
    s.count = 0;
    for (int i = 0; i < 12; i++, t += STEP)
        ask(t, C, usual(t)); /* its hour runs out */
    s.count = 0;
    days(t, 2);
    assert_int_equal(s.count, 0);
}

static void encrypted_queries_count_as_well(void **state)
{
    struct observation o;
    nsec_t t = days(T0, 2) + 2 * 3600 * S;

    (void)state;
    o = scene_flow(t, C, "9.9.9.9", FLOW_PROGRESS, 1);
    o.flow.queries = 3000;
    scene_see(&s, &o);
    o.transport = TRANSPORT_TLS; /* that would be none */
    scene_see(&s, &o);
    scene_tick(&s, t + 2 * STEP);
    assert_true(s.count >= 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"queries_encrypted\":3000"));
}

static void below_the_floor_nothing_is_an_anomaly(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 2 * 86400 * S; t += STEP)
        ask(t, C, t / STEP % 12 == 0);
    ask(t, C, 120);
    ask(t + STEP, C, 10);
    scene_tick(&s, t + 3 * STEP);
    assert_int_equal(s.count, 0);
}

static void a_quiet_client_that_bursts_is_one(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 2 * 86400 * S; t += STEP)
        ask(t, C, t / STEP % 12 == 0);
    ask(t, C, 2000);
    ask(t + STEP, C, 10);
    scene_tick(&s, t + 3 * STEP);
    assert_true(s.count >= 1);
}

static void a_new_client_is_learned_first(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 86400 * S / 4; t += STEP)
        ask(t, C, 30);
    ask(t, C, 500); /* under the floor of the young */
    ask(t + STEP, C, 30);
    scene_tick(&s, t + 3 * STEP);
    assert_int_equal(s.count, 0);
    ask(t + 3 * STEP, "10.30.7.7", 5000); /* nothing is known of it */
    ask(t + 4 * STEP, "10.30.7.7", 5000);
    scene_tick(&s, t + 6 * STEP);
    assert_int_equal(s.count, 0);
}

static void an_alarm_does_not_teach_and_ends_as_the_new_normal(void **state)
{
    nsec_t t = days(T0, 2);
    size_t first_day;

    (void)state;
    for (nsec_t end = t + 20 * 3600 * S; t < end; t += STEP)
        ask(t, C, 600);
    first_day = s.count;
    assert_true(first_day > 200); /* each step: the ledger makes one event of them */
    for (nsec_t end = t + 24 * 3600 * S; t < end; t += STEP) {
        if (s.count > FINDINGS - 8)
            s.count = 0;
        ask(t, C, 600);
    }
    s.count = 0;
    for (nsec_t end = t + 24 * 3600 * S; t < end; t += STEP)
        ask(t, C, 600);
    assert_int_equal(s.count, 0);
}

static void a_gap_of_months_is_passed_quickly(void **state)
{
    nsec_t t = days(T0, 2);

    (void)state;
    ask(t + INT64_C(100) * 86400 * S, C, 30);
    scene_tick(&s, t + INT64_C(100) * 86400 * S + 3 * STEP);
    assert_int_equal(s.count, 0);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {SCENE(eight_times_the_usual_for_half_an_hour_is_an_anomaly),
                                       SCENE(encrypted_queries_count_as_well),
                                       SCENE(below_the_floor_nothing_is_an_anomaly),
                                       SCENE(a_quiet_client_that_bursts_is_one),
                                       SCENE(a_new_client_is_learned_first),
                                       SCENE(an_alarm_does_not_teach_and_ends_as_the_new_normal),
                                       SCENE(a_gap_of_months_is_passed_quickly)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
