#include "scene.h"

extern const struct detector detector_zone_transfer;

#define SERVER    "10.30.0.53"
#define SECONDARY "10.30.0.54"

static struct scene s;

static int begin(void **state)
{
    (void)state;
    scene_open(&s, &detector_zone_transfer);
    s.policy->roles = calloc(1, sizeof *s.policy->roles);
    s.policy->roles[0] = (struct policy_role){at(SECONDARY), ROLE_SECONDARY};
    s.policy->role_count = 1;
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static struct observation asked(const char *client, uint16_t qtype)
{
    struct observation o = scene_query(T0 + S, client, SERVER, "corp.example");

    o.transport = TRANSPORT_DO53_TCP;
    o.proto = 6;
    o.dns.message.qtype = qtype;
    return o;
}

static void see_answer(const char *client, uint16_t qtype, uint16_t records, uint8_t soas,
                       uint8_t rcode)
{
    struct observation o = asked(client, qtype);

    o.time += S;
    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.dns.message.flags = (uint16_t)(0x8400 | rcode);
    o.dns.message.rcode = rcode;
    o.dns.message.counts[1] = records;
    o.dns.message.soa_count = soas;
    o.dns.message.length = 500;
    scene_see(&s, &o);
}

static void see_request(const char *client, uint16_t qtype)
{
    struct observation o = asked(client, qtype);

    scene_see(&s, &o);
}

static const struct finding *last(void)
{
    scene_flush(&s, T0 + 100 * S);
    assert_true(s.count > 0);
    return s.found + s.count - 1;
}

static void a_stranger_was_given_a_zone(void **state)
{
    (void)state;
    see_request("10.30.1.1", DNS_TYPE_AXFR);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    see_answer("10.30.1.1", DNS_TYPE_AXFR, 12, 2, 0);
    assert_int_equal(last()->severity, SEVERITY_HIGH);
    assert_int_equal(last()->kind, KIND_ZONE_TRANSFER);
    assert_string_equal(last()->name, "corp.example");
    assert_int_equal(last()->qtype, DNS_TYPE_AXFR);
    assert_non_null(strstr(last()->evidence.text, "\"outcome\":\"zone given\""));
    assert_non_null(strstr(last()->evidence.text, "\"records\":12"));
    assert_non_null(strstr(last()->evidence.text, "\"complete\":true"));
    assert_true(s.found[0].key == last()->key);
}

static void a_zone_in_several_messages_is_counted_whole(void **state)
{
    struct observation o = asked("10.30.1.1", 0);

    (void)state;
    see_request("10.30.1.1", DNS_TYPE_AXFR);
    see_answer("10.30.1.1", DNS_TYPE_AXFR, 100, 1, 0);
    o.time += 2 * S;
    o.dns.match = ANSWER_AGAIN;
    o.dns.message.flags = 0x8400;
    o.dns.message.has_question = false;
    o.dns.message.counts[1] = 50;
    o.dns.message.soa_count = 1;
    scene_see(&s, &o);
    assert_non_null(strstr(last()->evidence.text, "\"records\":150"));
    assert_non_null(strstr(last()->evidence.text, "\"complete\":true"));
    o.flow_id++; /* of somebody else's connection */
    scene_see(&s, &o);
    assert_non_null(strstr(last()->evidence.text, "\"records\":150"));
}

static void the_idle_time_follows_the_policy(void **state)
{
    static struct policy_detection rule = {.id = "zone-transfer",
                                           .severity = SEVERITY_MEDIUM,
                                           .thresholds = {{"idle_s", 5}},
                                           .threshold_count = 1};
    struct observation o = asked("10.30.1.1", DNS_TYPE_AXFR);

    (void)state;
    scene_see(&s, &o);
    s.policy->detections = &rule;
    s.policy->detection_count = 1;
    s.detector->use_policy(s.state, s.policy);
    o.time += 10 * S;
    scene_see(&s, &o);
    s.policy->detections = NULL;
    s.policy->detection_count = 0;
    assert_int_equal(s.count, 2); /* another event, told at once */
}

static void a_clock_that_was_set_back_silences_nothing(void **state)
{
    struct observation o = asked("10.30.1.1", DNS_TYPE_AXFR);
    uint32_t counted = 0;

    (void)state;
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    for (int i = 0; i < 30; i++) {
        o.time = T0 - 86400 * S + i * 10 * S;
        scene_see(&s, &o);
    }
    for (size_t i = 0; i < s.count; i++)
        counted += s.found[i].count;
    assert_in_range(s.count, 4, 8);
    assert_in_range(counted, 25, 31);
}

static void a_refusal_is_no_leak(void **state)
{
    (void)state;
    see_request("10.30.1.1", DNS_TYPE_AXFR);
    see_answer("10.30.1.1", DNS_TYPE_AXFR, 0, 0, 5);
    assert_int_equal(last()->severity, SEVERITY_MEDIUM);
    assert_non_null(strstr(last()->evidence.text, "\"outcome\":\"refused\""));
}

static void one_soa_gives_nothing_away(void **state)
{
    (void)state;
    see_request("10.30.1.1", DNS_TYPE_IXFR);
    see_answer("10.30.1.1", DNS_TYPE_IXFR, 1, 1, 0);
    assert_int_equal(last()->severity, SEVERITY_LOW);
    see_answer("10.30.1.1", DNS_TYPE_IXFR, 6, 4, 0);
    assert_int_equal(last()->severity, SEVERITY_HIGH);
}

/* Who polls a zone that does not change gets one SOA each time. */
static void many_single_soas_give_nothing_away_either(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        see_request("10.30.1.1", DNS_TYPE_IXFR);
        see_answer("10.30.1.1", DNS_TYPE_IXFR, 1, 1, 0);
    }
    assert_int_equal(last()->severity, SEVERITY_LOW);
    assert_non_null(strstr(last()->evidence.text, "\"outcome\":\"no records\""));
    assert_non_null(strstr(last()->evidence.text, "\"records\":20"));
}

static void a_listed_secondary_may(void **state)
{
    (void)state;
    see_request(SECONDARY, DNS_TYPE_AXFR);
    see_answer(SECONDARY, DNS_TYPE_AXFR, 12, 2, 0);
    see_request(SECONDARY, DNS_TYPE_IXFR);
    see_answer(SECONDARY, DNS_TYPE_IXFR, 1, 1, 0);
    scene_flush(&s, T0 + 100 * S);
    assert_int_equal(s.count, 0);
}

static void a_secondary_that_can_do_better_should(void **state)
{
    struct observation o = scene_flow(T0, SECONDARY, SERVER, FLOW_ESTABLISHED, 9);

    (void)state;
    scene_see(&s, &o);
    see_request(SECONDARY, DNS_TYPE_AXFR);
    assert_int_equal(last()->severity, SEVERITY_HIGH);
    assert_non_null(strstr(last()->evidence.text, "\"secondary\":true"));
}

static void see_opcode(const char *client, const char *server, unsigned opcode)
{
    struct observation o = scene_query(T0 + S, client, server, "corp.example");

    o.dns.message.qtype = DNS_TYPE_SOA;
    o.dns.message.flags = (uint16_t)(opcode << 11);
    scene_see(&s, &o);
}

static void who_announces_or_changes_a_zone(void **state)
{
    (void)state;
    see_opcode("198.51.100.7", SERVER, 4);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    see_opcode("198.51.100.7", SERVER, 5);
    assert_int_equal(s.found[1].severity, SEVERITY_LOW);
    see_opcode("10.30.1.7", SERVER, 5); /* a domain member */
    assert_int_equal(s.found[2].severity, SEVERITY_INFORMATIONAL);
    see_opcode(SERVER, SECONDARY, 4);
    see_opcode("10.30.1.7", "203.0.113.1", 5); /* an approved resolver */
    assert_int_equal(s.count, 3);
}

static void an_ordinary_question_is_none(void **state)
{
    struct observation o = scene_query(T0, "198.51.100.7", SERVER, "corp.example");

    (void)state;
    scene_see(&s, &o);
    o.dns.message.qtype = DNS_TYPE_ANY;
    scene_see(&s, &o);
    o = scene_answer(T0, "198.51.100.7", SERVER, "corp.example", "192.0.2.1");
    scene_see(&s, &o);
    scene_flush(&s, T0 + 100 * S);
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stranger_was_given_a_zone, begin, end),
        cmocka_unit_test_setup_teardown(a_zone_in_several_messages_is_counted_whole, begin, end),
        cmocka_unit_test_setup_teardown(the_idle_time_follows_the_policy, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_silences_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_refusal_is_no_leak, begin, end),
        cmocka_unit_test_setup_teardown(many_single_soas_give_nothing_away_either, begin, end),
        cmocka_unit_test_setup_teardown(one_soa_gives_nothing_away, begin, end),
        cmocka_unit_test_setup_teardown(a_listed_secondary_may, begin, end),
        cmocka_unit_test_setup_teardown(a_secondary_that_can_do_better_should, begin, end),
        cmocka_unit_test_setup_teardown(who_announces_or_changes_a_zone, begin, end),
        cmocka_unit_test_setup_teardown(an_ordinary_question_is_none, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
