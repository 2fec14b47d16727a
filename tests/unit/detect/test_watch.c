/* What the detector of downgrades holds back, under a flood and a clock that jumps. */
#include "scene.h"

extern const struct detector detector_downgrade;

#define C  "10.30.0.5"
#define Q4 "9.9.9.9"

static struct scene s;
static uint64_t flows;

static int begin(void **state)
{
    (void)state;
    flows = 0;
    scene_open(&s, &detector_downgrade);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

/* An attempt from T on, and how it ends; FLOW_OPENED: not yet. */
static void attempt(nsec_t t, const char *client, enum flow_phase outcome)
{
    struct observation o = scene_flow(t, client, Q4, FLOW_OPENED, ++flows);

    scene_see(&s, &o);
    if (outcome == FLOW_OPENED)
        return;
    o = scene_flow(t + 5 * MS, client, Q4, outcome, flows);
    o.flow.first = t;
    o.flow.cause = outcome == FLOW_FAILED ? CAUSE_RESET : CAUSE_NONE;
    o.flow.responses = outcome == FLOW_ESTABLISHED;
    scene_see(&s, &o);
}

static void run_until(nsec_t from, nsec_t to)
{
    for (nsec_t t = from; t <= to; t += 100 * MS)
        scene_tick(&s, t);
}

/* Sources that nobody has, while a query waits for its answer. */
static void a_flood_of_attempts_hides_none(void **state)
{
    char spoofed[32];

    (void)state;
    attempt(T0, C, FLOW_FAILED);
    scene_clear(&s, T0 + 10 * MS, C, Q4, "www.example.org");
    assert_int_equal(s.count, 0);
    for (unsigned i = 0; i < 12000; i++) {
        snprintf(spoofed, sizeof spoofed, "10.30.%u.%u", 1 + i / 250, i % 250);
        attempt(T0 + 10 * MS, spoofed, FLOW_OPENED);
    }
    run_until(T0 + 10 * MS, T0 + 10 * S);
    assert_int_equal(s.count, 1);
    assert_string_equal(s.found[0].name, "www.example.org");
}

/* Set back by a day, as at a start with a clock that was wrong. What worked is still known. */
static void a_clock_that_was_set_back_blinds_nothing(void **state)
{
    nsec_t now = T0 - 86400 * S;

    (void)state;
    for (int i = 0; i < 4; i++)
        attempt(T0 + i * S, C, FLOW_ESTABLISHED);
    attempt(now, C, FLOW_FAILED);
    scene_clear(&s, now + 10 * MS, C, Q4, "www.example.org");
    run_until(now + 10 * MS, now + 10 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    attempt(now + 20 * S, C, FLOW_ESTABLISHED);
    assert_non_null(strstr(s.found[s.count - 1].evidence.text, "\"recovered\":true"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flood_of_attempts_hides_none, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_blinds_nothing, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
