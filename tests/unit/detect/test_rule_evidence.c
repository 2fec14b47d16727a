/* The kernel's word: what it makes of findings, and that it goes before what the policy says. */
#include "scene.h"

extern const struct detector detector_rule_evidence, detector_cleartext, detector_unapproved,
    detector_downgrade;

#define CLIENT "10.20.1.1"
#define LAB    "10.30.1.1" /* of a zone whose policy cuts nothing */
#define OTHERS "8.8.8.8"

static struct scene s;
static uint16_t line_port; /* of the connection that a line is of; 0: the one that fails */

static bool has(size_t finding, const char *member)
{
    return strstr(s.found[finding].evidence.text, member) != NULL;
}

static void one_event_for_client_server_and_rule(void **state)
{
    struct observation udp = scene_query(T0, CLIENT, OTHERS, "www.example.org");
    struct observation dot = scene_flow(T0, CLIENT, OTHERS, FLOW_OPENED, 1);

    (void)state;
    scene_open(&s, &detector_rule_evidence);
    for (int i = 0; i < 50; i++) {
        udp.client_port++;
        scene_cut(&s, &udp, T0 + i * MS, "office/cleartext-udp", true);
    }
    scene_cut(&s, &dot, T0 + S, "office/unapproved-dot", true);
    scene_cut(&s, &udp, T0 + S, "office/cleartext-udp", false);
    scene_flush(&s, T0 + 2 * S);
    assert_int_equal(s.count, 4); /* the first at once, its 49 others at the end */
    assert_string_equal(s.found[0].rule, "rule-evidence");
    assert_int_equal(s.found[0].kind, KIND_ENFORCEMENT);
    assert_int_equal(s.found[0].proof, PROOF_ACTED);
    assert_int_equal(s.found[0].cut, ACTION_REJECT);
    assert_true(has(0, "\"rule\":\"office/cleartext-udp\",\"action\":\"reject\""));
    assert_int_equal(s.found[3].key, s.found[0].key);
    assert_int_equal(s.found[3].count, 49);
    assert_true(has(3, "\"packets\":50"));
    assert_int_equal(s.found[1].transport, TRANSPORT_DOT);
    assert_int_equal(s.found[2].proof, PROOF_COUNTED);
    assert_true(s.found[1].key != s.found[0].key && s.found[2].key != s.found[0].key);
    scene_close(&s);
}

static void redirection_is_no_block(void **state)
{
    struct observation o = scene_query(T0, CLIENT, OTHERS, "www.example.org");

    (void)state;
    scene_open(&s, &detector_rule_evidence);
    s.policy->zones[ZONE_OFFICE].cleartext = ACTION_REDIRECT;
    scene_cut(&s, &o, T0, "office/redirect-udp-ip4", true);
    scene_cut(&s, &o, T0, "office/cleartext-udp-ip6", true);
    assert_int_equal(s.found[0].cut, ACTION_REDIRECT);
    assert_int_equal(s.found[1].cut, ACTION_REJECT);
    scene_close(&s);
}

/* Sources that somebody invents: bounded, and told as the zone's. */
static void inventions_end_in_one_event(void **state)
{
    struct observation o = scene_query(T0, CLIENT, OTHERS, "www.example.org");
    size_t beyond = 0;

    (void)state;
    scene_open(&s, &detector_rule_evidence);
    for (uint32_t i = 0; i < 40000; i++) {
        uint8_t from[4] = {10, 20, (uint8_t)(i >> 8), (uint8_t)i};

        o.client = addr_v4(from);
        o.server.b[3] = (uint8_t)(i >> 16);
        scene_cut(&s, &o, T0, "office/cleartext-udp", true);
        beyond += s.count && addr_is_zero(&s.found[s.count - 1].client);
        s.count = 0;
    }
    assert_true(beyond > 0 && beyond < 3);
    scene_close(&s);
}

static void clear_text_is_blocked_by_the_kernels_word(void **state)
{
    struct observation o = scene_query(T0, CLIENT, OTHERS, "www.example.org");

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_see(&s, &o);
    assert_int_equal(s.found[0].proof, PROOF_POLICY);
    assert_false(has(0, "proof"));
    scene_cut(&s, &o, T0 + 10 * MS, "office/cleartext-udp", true);
    scene_tick(&s, T0 + 2 * S);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[1].proof, PROOF_ACTED);
    assert_true(has(1, "\"proof\":\"kernel-log\""));
    scene_cut(&s, &o, T0 + 3 * S, "office/cleartext-udp", true);
    assert_int_equal(s.count, 2); /* said once */
    scene_close(&s);
}

static void a_line_that_came_first_is_known_at_once(void **state)
{
    struct observation o = scene_query(T0, CLIENT, OTHERS, "www.example.org");
    struct observation dot = scene_flow(T0, CLIENT, OTHERS, FLOW_FAILED, 1);

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_cut(&s, &o, T0 - 10 * MS, "office/cleartext-udp", true);
    scene_see(&s, &o);
    assert_int_equal(s.found[0].proof, PROOF_ACTED);
    scene_close(&s);
    scene_open(&s, &detector_unapproved);
    scene_cut(&s, &dot, T0 - 10 * MS, "office/unapproved-dot", true);
    scene_see(&s, &dot);
    assert_int_equal(s.found[0].proof, PROOF_ACTED);
    scene_close(&s);
}

static void what_only_counted_proves_no_block(void **state)
{
    struct observation dot = scene_flow(T0, CLIENT, OTHERS, FLOW_FAILED, 1);

    (void)state;
    scene_open(&s, &detector_unapproved);
    scene_cut(&s, &dot, T0, "office/unapproved-dot", false);
    scene_see(&s, &dot);
    scene_cut(&s, &dot, T0 + MS, "office/unapproved-dot", false);
    scene_tick(&s, T0 + 2 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].proof, PROOF_POLICY);
    scene_close(&s);
}

/* A reset, then clear text. line: when the kernel's word comes, after the SYN; rule: NULL for none.
 */
static void fall_back(const char *client, nsec_t line, const char *rule, bool acted)
{
    struct observation o = scene_flow(T0, client, OTHERS, FLOW_OPENED, 1), of = o;

    of.client_port = line_port ? line_port : o.client_port;
    if (rule && line < 0)
        scene_cut(&s, &of, T0 + line, rule, acted);
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    o.time = T0 + 2 * MS;
    scene_see(&s, &o);
    if (rule && line >= 0)
        scene_cut(&s, &of, T0 + line, rule, acted);
    scene_clear(&s, T0 + 300 * MS, client, OTHERS, "www.example.org");
    scene_tick(&s, T0 + 5 * S);
    scene_flush(&s, T0 + 5 * S);
    assert_true(s.count > 0);
}

/* The policy of the zone cuts nothing: only the kernel knows that it was us. */
static void the_kernels_word_goes_before_the_policy(void **state)
{
    static const nsec_t lines[] = {-10 * MS, MS, 20 * MS};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        scene_open(&s, &detector_downgrade);
        fall_back(LAB, lines[i], "lab/unapproved-dot", true);
        assert_true(has(s.count - 1, "\"cause\":\"own-rule\",\"origin\":\"gateway\","
                                     "\"proof\":\"kernel-log\""));
        scene_close(&s);
    }
}

static void where_it_is_silent_the_policy_speaks(void **state)
{
    (void)state;
    scene_open(&s, &detector_downgrade);
    s.policy->mode = MODE_ENFORCE;
    fall_back(CLIENT, 0, NULL, false);
    assert_true(has(s.count - 1, "\"cause\":\"own-rule\",\"origin\":\"gateway\","
                                 "\"proof\":\"policy\""));
    scene_close(&s);
    scene_open(&s, &detector_downgrade);
    fall_back(LAB, 0, NULL, false);
    assert_true(has(s.count - 1, "\"cause\":\"reset\""));
    scene_close(&s);
}

/* The rule let it pass, whatever the policy means: somebody else reset it. */
static void a_rule_that_counted_is_not_to_blame(void **state)
{
    (void)state;
    scene_open(&s, &detector_downgrade);
    s.policy->mode = MODE_ENFORCE;
    fall_back(CLIENT, -10 * MS, "office/unapproved-dot", false);
    assert_true(has(s.count - 1, "\"cause\":\"reset\""));
    scene_close(&s);
}

static void another_connection_is_no_evidence(void **state)
{
    struct observation other = scene_flow(T0, LAB, OTHERS, FLOW_OPENED, 9);

    (void)state;
    scene_open(&s, &detector_downgrade);
    other.client_port = 50001;
    scene_cut(&s, &other, T0, "lab/unapproved-dot", true);
    other.client_port = 50000;
    scene_cut(&s, &other, T0 - 10 * S, "lab/unapproved-dot", true); /* long ago */
    line_port = 50001;
    fall_back(LAB, 20 * MS, "lab/unapproved-dot", true);
    line_port = 0;
    assert_true(has(s.count - 1, "\"cause\":\"reset\""));
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_for_client_server_and_rule),
        cmocka_unit_test(redirection_is_no_block),
        cmocka_unit_test(inventions_end_in_one_event),
        cmocka_unit_test(clear_text_is_blocked_by_the_kernels_word),
        cmocka_unit_test(a_line_that_came_first_is_known_at_once),
        cmocka_unit_test(what_only_counted_proves_no_block),
        cmocka_unit_test(the_kernels_word_goes_before_the_policy),
        cmocka_unit_test(where_it_is_silent_the_policy_speaks),
        cmocka_unit_test(a_rule_that_counted_is_not_to_blame),
        cmocka_unit_test(another_connection_is_no_evidence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
