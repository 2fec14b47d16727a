/* Many clients at once are one incident, told apart from an outage; few are none. */
#include "scene.h"

extern const struct detector detector_blocked;

#define Q4 "9.9.9.9"
#define Q6 "2620:fe::fe"
#define G4 "8.8.8.8"

static struct scene s;
static uint64_t flows;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_blocked);
    flows = 0;
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static const char *client(int i)
{
    static char text[32];

    snprintf(text, sizeof text, "10.30.%d.%d", i / 200 + 1, i % 200 + 1);
    return text;
}

static void work(nsec_t t, int i, const char *server)
{
    struct observation o = scene_flow(t, client(i), server, FLOW_ESTABLISHED, ++flows);

    o.flow.ttl_server = 55;
    o.flow.responses = 1;
    scene_see(&s, &o);
}

static void fail_with(nsec_t t, int i, const char *server, enum cause cause, uint8_t ttl)
{
    struct observation o = scene_flow(t, client(i), server, FLOW_FAILED, ++flows);

    o.flow.cause = (uint8_t)cause;
    o.flow.ttl_fault = ttl;
    scene_see(&s, &o);
}

static void all_work(nsec_t t, int clients)
{
    for (int i = 0; i < clients; i++)
        work(t + i * MS, i, Q4);
}

static void run_until(nsec_t from, nsec_t to)
{
    for (nsec_t t = from; t <= to; t += 500 * MS)
        scene_tick(&s, t);
}

static const char *told(size_t i)
{
    return s.found[i].evidence.text;
}

static void many_clients_are_one_incident(void **state)
{
    (void)state;
    all_work(T0, 10);
    for (int i = 0; i < 6; i++)
        fail_with(T0 + 60 * S + i * S, i, Q4, CAUSE_RESET, 63);
    run_until(T0 + 65 * S, T0 + 80 * S);
    assert_in_range(s.count, 1, 3);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
    assert_int_equal(s.found[0].kind, KIND_ENCRYPTED_DNS_BLOCKED);
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
    assert_true(addr_is_zero(&s.found[0].client));
    assert_int_equal(s.found[0].resolver, QUAD9);
    scene_flush(&s, T0 + 90 * S);
    assert_non_null(strstr(told(s.count - 1), "\"reads_as\":\"interference\""));
    assert_non_null(strstr(told(s.count - 1), "\"clients_failing\":6,"));
    assert_non_null(strstr(told(s.count - 1), "\"clients_active\":10,"));
    assert_non_null(strstr(told(s.count - 1), "\"causes\":\"reset 6\",\"origins\":\"path 6\""));
    assert_non_null(strstr(told(s.count - 1), "10.30.1.1 10.30.1.2"));
}

static void silence_reads_as_an_outage_unless_the_sensor_is_answered(void **state)
{
    static const char *const word[] = {"\"reads_as\":\"outage\"", "\"reads_as\":\"outage\"",
                                       "\"reads_as\":\"interference\""};
    static const uint8_t severity[] = {SEVERITY_MEDIUM, SEVERITY_MEDIUM, SEVERITY_HIGH};
    static const uint8_t confidence[] = {60, 90, 90};

    (void)state;
    for (int probe = 0; probe < 3; probe++) {
        struct observation o = {.kind = OBSERVE_PROBE, .transport = TRANSPORT_DOT};

        open_scene(NULL);
        all_work(T0, 4);
        for (int i = 0; i < 4; i++)
            fail_with(T0 + 60 * S, i, Q4, CAUSE_TIMEOUT, 0);
        o.server = at(Q4);
        o.time = T0 + 62 * S;
        o.probe.encrypted = o.probe.reached = probe == 2;
        o.probe.faults = probe == 2 ? FAULT(FAULT_NO_PADDING) : FAULT(FAULT_NO_CONNECTION);
        if (probe)
            s.detector->probed(s.state, &o);
        run_until(T0 + 62 * S, T0 + 70 * S);
        assert_int_equal(s.count, 1);
        assert_non_null(strstr(told(0), word[probe]));
        assert_int_equal(s.found[0].severity, severity[probe]);
        assert_int_equal(s.found[0].confidence, confidence[probe]);
        assert_true(!probe == !strstr(told(0), "\"probe\":"));
        close_scene(NULL);
    }
}

static void the_servers_own_word_is_no_interference(void **state)
{
    (void)state;
    all_work(T0, 4);
    for (int i = 0; i < 4; i++)
        fail_with(T0 + 60 * S, i, Q4, CAUSE_RESET, 55);
    run_until(T0 + 62 * S, T0 + 70 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(told(0), "\"reads_as\":\"server\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
}

static void our_own_rules_are_informational(void **state)
{
    (void)state;
    s.policy->mode = MODE_ENFORCE;
    for (int round = 0; round < 2; round++)
        for (int i = 1; i <= 4; i++) {
            char office[32];
            struct observation o;

            snprintf(office, sizeof office, "10.20.1.%d", i);
            o = scene_flow(T0 + round * 60 * S, office, G4, round ? FLOW_FAILED : FLOW_ESTABLISHED,
                           ++flows);
            o.flow.cause = round ? CAUSE_ICMP : CAUSE_NONE;
            scene_see(&s, &o);
        }
    run_until(T0 + 62 * S, T0 + 70 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(told(0), "\"reads_as\":\"own-rule\""));
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
}

static void it_ends_when_it_works_again(void **state)
{
    (void)state;
    all_work(T0, 5);
    for (int i = 0; i < 5; i++)
        fail_with(T0 + 60 * S, i, Q4, CAUSE_RESET, 63);
    run_until(T0 + 60 * S, T0 + 70 * S);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(told(0), "\"ended\":false"));
    run_until(T0 + 70 * S, T0 + 1000 * S); /* it lasts, and is not told again and again */
    assert_int_equal(s.count, 1);
    for (int i = 0; i < 5; i++)
        work(T0 + 1001 * S, i, Q6); /* the same group, the other family */
    run_until(T0 + 1001 * S, T0 + 1003 * S);
    assert_int_equal(s.count, 2);
    assert_non_null(strstr(told(1), "\"ended\":true"));
    assert_non_null(strstr(told(1), "\"clients_recovered\":5"));
    assert_int_equal(s.found[1].severity, SEVERITY_HIGH);
    /* and may come again */
    for (int i = 0; i < 5; i++)
        fail_with(T0 + 1100 * S, i, Q4, CAUSE_RESET, 63);
    run_until(T0 + 1100 * S, T0 + 1110 * S);
    assert_int_equal(s.count, 3);
}

static void who_asks_in_clear_meanwhile_is_counted(void **state)
{
    (void)state;
    all_work(T0, 5);
    for (int i = 0; i < 5; i++)
        fail_with(T0 + 60 * S, i, Q4, CAUSE_RESET, 63);
    run_until(T0 + 60 * S, T0 + 70 * S);
    for (int i = 0; i < 4; i++) {
        struct observation o = scene_query(T0 + 71 * S, client(i), G4, "dns.quad9.net");

        o.dns.qname_hash = 2;
        scene_see(&s, &o);
        o.dns.qname_hash = 4 + (uint64_t)i;
        if (i < 2) /* the others asked once: bootstrap */
            scene_see(&s, &o);
    }
    fail_with(T0 + 72 * S, 5, Q4, CAUSE_RESET, 63); /* never worked */
    for (int i = 0; i < 5; i++)
        work(T0 + 80 * S, i + 10, Q4);
    for (int i = 10; i < 15; i++)
        fail_with(T0 + 90 * S, i, Q4, CAUSE_RESET, 63);
    run_until(T0 + 90 * S, T0 + 92 * S);
    assert_non_null(strstr(told(s.count - 1), "\"clients_failing\":10,"));
    assert_non_null(strstr(told(s.count - 1), "\"clients_in_clear_text\":2,"));
}

static void nothing_was_told(void)
{
    run_until(T0 + 60 * S, T0 + 800 * S);
    scene_flush(&s, T0 + 800 * S);
    if (s.count)
        print_error("told: %s\n", told(0));
    assert_int_equal(s.count, 0);
}

static void two_clients_or_a_tenth_of_them_are_none(void **state)
{
    (void)state;
    all_work(T0, 100);
    for (int i = 0; i < 19; i++)
        fail_with(T0 + 60 * S + i * MS, i, Q4, CAUSE_RESET, 63);
    for (int i = 0; i < 2; i++) {
        work(T0, i, G4);
        fail_with(T0 + 60 * S, i, G4, CAUSE_RESET, 63);
    }
    nothing_was_told();
}

static void a_race_that_was_lost_is_none(void **state)
{
    (void)state;
    all_work(T0, 10);
    for (int i = 0; i < 10; i++) {
        fail_with(T0 + 60 * S, i, Q6, CAUSE_TIMEOUT, 0);
        work(T0 + 61 * S, i, Q4);
    }
    nothing_was_told();
}

static void what_never_worked_is_no_incident(void **state)
{
    (void)state;
    work(T0, 999, Q4);
    for (int i = 0; i < 200; i++) /* invented clients, a flood of them */
        fail_with(T0 + 60 * S, i, Q4, CAUSE_RESET, 63);
    nothing_was_told();
}

static void failures_hours_apart_are_no_incident(void **state)
{
    (void)state;
    all_work(T0, 6);
    for (int i = 0; i < 6; i++) {
        fail_with(T0 + 60 * S + i * 200 * S, i, Q4, CAUSE_RESET, 63);
        run_until(T0 + 60 * S + i * 200 * S, T0 + 60 * S + (i + 1) * 200 * S - S);
    }
    assert_int_equal(s.count, 0);
}

static void a_client_that_hangs_up_is_no_failure(void **state)
{
    (void)state;
    all_work(T0, 6);
    for (int i = 0; i < 6; i++) {
        struct observation o = scene_flow(T0 + 60 * S, client(i), Q4, FLOW_FAILED, ++flows);

        o.flow.cause = CAUSE_RESET;
        o.flow.from_client = true;
        scene_see(&s, &o);
    }
    nothing_was_told();
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_reads_as_an_outage_unless_the_sensor_is_answered),
        SCENE(many_clients_are_one_incident),
        SCENE(the_servers_own_word_is_no_interference),
        SCENE(our_own_rules_are_informational),
        SCENE(it_ends_when_it_works_again),
        SCENE(who_asks_in_clear_meanwhile_is_counted),
        SCENE(two_clients_or_a_tenth_of_them_are_none),
        SCENE(a_race_that_was_lost_is_none),
        SCENE(what_never_worked_is_no_incident),
        SCENE(failures_hours_apart_are_no_incident),
        SCENE(a_client_that_hangs_up_is_no_failure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
