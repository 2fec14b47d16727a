/* Encrypted DNS over a connection that lives long: when a query of it gets no answer and clear text
 * follows. */
#include "scene.h"

extern const struct detector detector_downgrade;

#define C  "10.30.1.1"
#define Q4 "9.9.9.9"

static struct scene s;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_downgrade);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

/* since: when the query was sent, or the flow began. */
static void flow(nsec_t t, nsec_t since, enum flow_phase phase, enum cause cause)
{
    struct observation o = scene_flow(t, C, Q4, phase, 1);

    o.flow.first = since;
    o.flow.cause = (uint8_t)cause;
    if (phase == FLOW_ESTABLISHED)
        o.flow.responses = 1;
    scene_see(&s, &o);
}

static void ask(nsec_t t, const char *name)
{
    scene_clear(&s, t, C, Q4, name);
}

static void run_until(nsec_t from, nsec_t to)
{
    for (nsec_t t = from; t <= to; t += 100 * MS)
        scene_tick(&s, t);
}

/* Up to the query that nobody answers, a minute later. */
static void work(void)
{
    flow(T0, T0, FLOW_OPENED, CAUSE_NONE);
    flow(T0 + 20 * MS, T0, FLOW_ESTABLISHED, CAUSE_NONE);
    run_until(T0 + 20 * MS, T0 + 60 * S);
}

/* As Firefox does after a second and a half; its packets go on to be counted. */
static void clear_text_while_a_query_waits(void **state)
{
    nsec_t asked = T0 + 60 * S;

    (void)state;
    work();
    flow(asked + S, asked, FLOW_WAITING, CAUSE_NONE);
    flow(asked + 1200 * MS, T0, FLOW_PROGRESS, CAUSE_NONE);
    ask(asked + 1500 * MS, "www.example.org");
    run_until(asked + 1500 * MS, asked + 2900 * MS);
    assert_int_equal(s.count, 0);
    flow(asked + 2900 * MS, asked, FLOW_STALLED, CAUSE_TIMEOUT);
    run_until(asked + 2900 * MS, asked + 12 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"cause\":\"timeout\""));
    assert_non_null(strstr(s.found[0].evidence.text, "\"proven\":1"));
}

static void clear_text_after_a_reset_in_use(void **state)
{
    nsec_t asked = T0 + 60 * S;

    (void)state;
    work();
    flow(asked + MS, asked, FLOW_STALLED, CAUSE_RESET);
    flow(asked + MS, T0, FLOW_CLOSED, CAUSE_NONE);
    ask(asked + 5 * MS, "www.example.org");
    run_until(asked + 5 * MS, asked + 12 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"cause\":\"reset\""));
}

/* The connection is cut, and whoever answers in the server's place has another certificate. */
static void why_no_new_connection_comes_about_is_the_cause(void **state)
{
    nsec_t asked = T0 + 60 * S;
    struct observation o = scene_flow(asked + 10 * MS, C, Q4, FLOW_OPENED, 2);

    (void)state;
    work();
    flow(asked + MS, asked, FLOW_STALLED, CAUSE_RESET);
    scene_see(&s, &o);
    o.time = asked + 20 * MS;
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_CERTIFICATE;
    scene_see(&s, &o);
    ask(asked + 25 * MS, "www.example.org");
    run_until(asked + 25 * MS, asked + 60 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"cause\":\"certificate\""));
}

/* A slow answer, and one that comes after the query was given up. */
static void a_server_that_speaks_again_explains_nothing(void **state)
{
    nsec_t asked = T0 + 60 * S;

    (void)state;
    work();
    flow(asked + S, asked, FLOW_WAITING, CAUSE_NONE);
    ask(asked + 1500 * MS, "www.example.org");
    flow(asked + 2 * S, asked + 2 * S, FLOW_RESUMED, CAUSE_NONE);
    run_until(asked + 2 * S, asked + 60 * S);
    flow(asked + 61 * S, asked + 60 * S, FLOW_WAITING, CAUSE_NONE);
    flow(asked + 63 * S, asked + 60 * S, FLOW_STALLED, CAUSE_TIMEOUT);
    flow(asked + 64 * S, asked + 64 * S, FLOW_RESUMED, CAUSE_NONE);
    ask(asked + 65 * S, "shop.example.com");
    run_until(asked + 65 * S, asked + 80 * S);
    assert_int_equal(s.count, 0);
}

/* Another connection of the client took the query over. */
static void a_new_connection_takes_it_back(void **state)
{
    nsec_t asked = T0 + 60 * S;
    struct observation o = scene_flow(asked + 10 * MS, C, Q4, FLOW_OPENED, 2);

    (void)state;
    work();
    flow(asked + MS, asked, FLOW_STALLED, CAUSE_RESET);
    scene_see(&s, &o);
    ask(asked + 15 * MS, "www.example.org");
    o.time = asked + 40 * MS;
    o.flow.phase = FLOW_ESTABLISHED;
    o.flow.responses = 1;
    scene_see(&s, &o);
    run_until(asked + 40 * MS, asked + 60 * S);
    assert_int_equal(s.count, 0);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

/* A browser drops a second connection before anybody could have answered. */
static void who_gives_up_at_once_was_not_failed(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct observation o = scene_flow(T0 + (late ? 150 : 9) * MS, C, Q4, FLOW_FAILED, 2);

        if (late)
            open_scene(NULL);
        o.flow.first = T0;
        o.flow.cause = CAUSE_NO_ANSWER;
        o.flow.from_client = true;
        scene_see(&s, &o);
        ask(T0 + 300 * MS, "www.example.org");
        run_until(T0, T0 + 3 * S);
        assert_int_equal(s.count, late);
        if (!late)
            close_scene(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCENE(clear_text_while_a_query_waits),
                                       SCENE(clear_text_after_a_reset_in_use),
                                       SCENE(why_no_new_connection_comes_about_is_the_cause),
                                       SCENE(a_server_that_speaks_again_explains_nothing),
                                       SCENE(a_new_connection_takes_it_back),
                                       SCENE(who_gives_up_at_once_was_not_failed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
