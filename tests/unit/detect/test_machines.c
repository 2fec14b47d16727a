/* Who answers that should not: open-resolver and rogue-resolver. */
#include "scene.h"

extern const struct detector detector_open_resolver, detector_rogue_resolver;

#define HOST "10.30.0.7"

static struct scene s;

static int open_open(void **state)
{
    (void)state;
    scene_open(&s, &detector_open_resolver);
    return 0;
}

static int open_rogue(void **state)
{
    (void)state;
    scene_open(&s, &detector_rogue_resolver);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static struct observation answer(const char *client, const char *server)
{
    struct observation o =
        scene_answer(T0, client, server, "www.example.net", "192.0.2.80"); /* RA, no AA */

    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.dns.message.counts[1] = 1;
    return o;
}

static void see(const char *client, const char *server)
{
    struct observation o = answer(client, server);

    scene_see(&s, &o);
}

static void zones_of_another_policy_are_its_own(void **state)
{
    struct observation o = answer("198.51.100.7", HOST);

    (void)state;
    see("198.51.100.7", HOST);
    scene_note(s.policy, &o);
    o.note.zone = ZONE_FREE;
    s.detector->observe(s.state, &o);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.found[s.count - 1].zone, ZONE_FREE);
}

static void a_machine_resolves_for_strangers(void **state)
{
    (void)state;
    see("198.51.100.7", HOST);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].kind, KIND_OPEN_RESOLVER);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(s.found[0].confidence, 70);
    assert_string_equal(s.found[0].name, "www.example.net");
    see("198.51.100.7", HOST);
    see("198.51.100.8", HOST);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.found[s.count - 1].confidence, 95);
    assert_true(s.found[s.count - 1].key == s.found[0].key);
    assert_non_null(
        strstr(s.found[s.count - 1].evidence.text, "\"another_asker\":\"198.51.100.8\""));
}

static void the_gateway_may_be_one(void **state)
{
    (void)state;
    see("198.51.100.7", "10.20.0.1");
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"server_is\":\"gateway\""));
}

static void what_is_no_open_resolver(void **state)
{
    struct observation o = answer("198.51.100.7", HOST);

    (void)state;
    see("10.30.1.1", HOST);            /* ours */
    see("198.51.100.7", "192.0.2.53"); /* theirs */
    see("10.30.1.1", "9.9.9.9");       /* a client of ours outside */
    o.dns.message.flags = 0x8580;      /* authoritative */
    scene_see(&s, &o);
    o.dns.message.flags = 0x8500; /* no recursion */
    scene_see(&s, &o);
    o.dns.message.flags = 0x8185; /* refused */
    o.dns.message.rcode = 5;
    o.dns.message.counts[1] = 0;
    scene_see(&s, &o);
    o.dns.message.flags = 0x8180; /* a referral */
    o.dns.message.rcode = 0;
    o.dns.message.counts[2] = 2;
    scene_see(&s, &o);
    o.dns.message.flags = 0x0100; /* a question */
    scene_see(&s, &o);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.count, 0);
}

static void an_unknown_machine_resolves_for_clients(void **state)
{
    (void)state;
    see("10.30.1.1", HOST);
    see("10.30.1.1", HOST);
    assert_int_equal(s.count, 0);
    see("10.30.1.1", HOST);
    scene_flush(&s, T0 + 2 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].kind, KIND_UNAPPROVED_RESOLVER);
    assert_string_equal(s.found[0].rule, "rogue-resolver");
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    assert_int_equal(s.found[0].count, 3);
    see("10.30.1.2", HOST);
    see("10.30.1.4", HOST);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_MEDIUM);
}

static void three_times(const char *client, const char *server)
{
    for (int i = 0; i < 3; i++)
        see(client, server);
}

static void who_may_resolve_is_not_strange(void **state)
{
    struct observation o = answer("10.30.1.1", HOST);

    (void)state;
    three_times("10.30.1.1", "10.20.0.1"); /* the gateway */
    three_times("10.30.1.1", "8.8.8.8");   /* outside: another rule's */
    three_times("198.51.100.7", HOST);     /* from outside: another rule's */
    for (int i = 0; i < 3; i++) {
        o.dns.message.flags = 0x8400; /* authoritative without recursion */
        scene_see(&s, &o);
    }
    s.policy->roles = calloc(1, sizeof *s.policy->roles);
    s.policy->roles[0] = (struct policy_role){at(HOST), ROLE_FORWARDER};
    s.policy->role_count = 1;
    three_times("10.30.1.1", HOST);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.count, 0);
}

static void without_any_known_resolver_none_is_strange(void **state)
{
    (void)state;
    s.policy->gateway_count = 0;
    assert_int_equal(policy_compile(s.policy), 0);
    s.detector->use_policy(s.state, s.policy);
    three_times("10.30.1.1", HOST);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(zones_of_another_policy_are_its_own, open_open, end),
        cmocka_unit_test_setup_teardown(a_machine_resolves_for_strangers, open_open, end),
        cmocka_unit_test_setup_teardown(the_gateway_may_be_one, open_open, end),
        cmocka_unit_test_setup_teardown(what_is_no_open_resolver, open_open, end),
        cmocka_unit_test_setup_teardown(an_unknown_machine_resolves_for_clients, open_rogue, end),
        cmocka_unit_test_setup_teardown(who_may_resolve_is_not_strange, open_rogue, end),
        cmocka_unit_test_setup_teardown(without_any_known_resolver_none_is_strange, open_rogue,
                                        end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
