#include "scene.h"

extern const struct detector detector_unapproved, detector_mismatch;

static void see_flow(struct scene *s, struct observation o)
{
    scene_see(s, &o);
}

static void tells_dot_to_an_unapproved_resolver(void **state)
{
    struct scene s;
    struct observation o = scene_flow(T0, "10.20.1.1", "8.8.8.8", FLOW_IDENTIFIED, 5);

    (void)state;
    scene_open(&s, &detector_unapproved);
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.google");
    see_flow(&s, scene_flow(T0, "10.20.1.1", "8.8.8.8", FLOW_OPENED, 5));
    assert_int_equal(s.count, 0);
    see_flow(&s, o);
    assert_int_equal(s.count, 1);
    assert_string_equal(s.found[0].rule, "unapproved-resolver");
    assert_string_equal(s.found[0].name, "dns.google");
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    assert_int_equal(s.found[0].cut, ACTION_REJECT);
    assert_int_equal(s.found[0].confidence, 99);
    assert_int_equal(s.found[0].transport, TRANSPORT_DOT);
    o.flow.phase = FLOW_ESTABLISHED;
    o.time += 2 * S;
    see_flow(&s, o); /* news, but no second flow */
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[1].count, 0);
    assert_non_null(strstr(s.found[1].evidence.text, "\"worked\":true"));
    scene_close(&s);
}

static void an_attempt_that_failed_is_one(void **state)
{
    struct scene s;
    struct observation o = scene_flow(T0 + S, "10.20.1.1", "8.8.8.8", FLOW_FAILED, 6);

    (void)state;
    scene_open(&s, &detector_unapproved);
    o.transport = TRANSPORT_DOQ;
    o.proto = 17;
    o.flow.cause = CAUSE_TIMEOUT;
    see_flow(&s, o);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"failed_by\":\"timeout\""));
    scene_close(&s);
}

static void an_unknown_resolver_is_graver_and_the_gateway_less(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_unapproved);
    see_flow(&s, scene_flow(T0, "10.20.1.1", "192.0.2.77", FLOW_IDENTIFIED, 1));
    see_flow(&s, scene_flow(T0, "10.20.0.1", "192.0.2.77", FLOW_IDENTIFIED, 2));
    see_flow(&s, scene_flow(T0, "10.20.9.9", "192.0.2.77", FLOW_IDENTIFIED, 3));
    assert_int_equal(s.count, 3);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(s.found[1].severity, SEVERITY_INFORMATIONAL);
    assert_true(s.found[2].excepted);
    assert_int_equal(s.found[2].severity, SEVERITY_INFORMATIONAL);
    scene_close(&s);
}

static void says_nothing_of_the_approved_the_allowed_and_the_uncertain(void **state)
{
    struct scene s;
    struct observation o = scene_flow(T0, "10.20.1.1", "8.8.8.8", FLOW_ESTABLISHED, 4);

    (void)state;
    scene_open(&s, &detector_unapproved);
    see_flow(&s, scene_flow(T0, "10.20.1.1", "9.9.9.9", FLOW_ESTABLISHED, 1));
    see_flow(&s, scene_flow(T0, "10.20.1.1", "2620:fe::fe", FLOW_ESTABLISHED, 2));
    see_flow(&s, scene_flow(T0, "10.40.1.1", "8.8.8.8", FLOW_ESTABLISHED, 3));
    o.transport = TRANSPORT_DOH2;
    o.server_port = 443;
    o.flow.confidence = 40;
    see_flow(&s, o);
    o.transport = TRANSPORT_TLS;
    o.flow.confidence = 100;
    see_flow(&s, o);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

static void doh_is_cut_by_the_kernel_only_at_a_dedicated_address(void **state)
{
    struct scene s;
    struct observation o = scene_flow(T0, "10.20.1.1", "8.8.8.8", FLOW_IDENTIFIED, 1);

    (void)state;
    scene_open(&s, &detector_unapproved);
    o.transport = TRANSPORT_DOH2;
    o.server_port = 443;
    see_flow(&s, o);
    o.server = at("192.0.2.80");
    o.flow_id = 2;
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.google");
    see_flow(&s, o);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[0].cut, ACTION_REJECT);
    assert_int_equal(s.found[1].cut, ACTION_ALERT);
    scene_close(&s);
}

/* DNS over HTTPS to google's name at an address that is nobody's own. */
static struct observation named(const char *client)
{
    struct observation o = scene_flow(T0, client, "192.0.2.80", FLOW_IDENTIFIED, 1);

    o.transport = TRANSPORT_DOH2;
    o.server_port = 443;
    o.flow.identified_by = BY(BY_SNI);
    o.flow.client_proven = true;
    o.station = 0x025300000001;
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.google");
    return o;
}

static size_t pairs_asked(struct observation o, enum mode mode)
{
    struct scene s;

    scene_open(&s, &detector_unapproved);
    s.policy->mode = mode;
    s.policy->pairs.timeout = 600 * S;
    see_flow(&s, o);
    scene_close(&s);
    return s.pair_count;
}

static void a_named_resolver_at_a_shared_address_is_asked_to_be_cut(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_unapproved);
    s.policy->mode = MODE_ENFORCE;
    s.policy->pairs.timeout = 600 * S;
    see_flow(&s, named("10.20.1.1"));
    assert_int_equal(s.pair_count, 1);
    assert_true(pair_is_sound(&s.pair));
    assert_true(addr_equal(&s.pair.server, &s.found[0].server));
    assert_true(s.pair.resolver == hash_bytes("google", 6, 0) && s.pair.station == 0x025300000001);
    assert_int_equal(s.pair.proof, PAIR_BY_NAME);
    scene_close(&s);
    assert_int_equal(pairs_asked(named("10.20.1.1"), MODE_SHADOW), 1);
}

static void nobody_else_is(void **state)
{
    struct observation o = named("10.20.1.1");

    (void)state;
    assert_int_equal(pairs_asked(o, MODE_MONITOR), 0);
    assert_int_equal(pairs_asked(named("10.20.9.9"), MODE_ENFORCE), 0); /* an exception */
    assert_int_equal(pairs_asked(named("10.30.1.1"), MODE_ENFORCE), 0); /* only alerts */
    assert_int_equal(pairs_asked(named("10.40.1.1"), MODE_ENFORCE), 0); /* allows */
    assert_int_equal(pairs_asked(named("10.20.0.1"), MODE_ENFORCE), 0); /* the gateway */
    o.server = at("8.8.8.8");
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0); /* cut by address */
    o.server = at("9.9.9.9");
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0); /* an approved resolver's address */
    o = named("10.20.1.1");
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.quad9.net");
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0); /* an approved resolver's name */
    o = named("10.20.1.1");
    o.flow.tls.sni_outer = true;
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0);
    o = named("10.20.1.1");
    o.flow.identified_by = BY(BY_ADDRESS);
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0);
    o = named("10.20.1.1");
    o.flow.client_proven = false; /* somebody may have sent it in the client's name */
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0);
    o = named("10.20.1.1");
    o.server_port = 8443;
    assert_int_equal(pairs_asked(o, MODE_ENFORCE), 0);
}

static void what_the_kernel_has_is_told_as_cut(void **state)
{
    struct scene s;
    struct observation o = named("10.20.1.1"), cut = o;

    (void)state;
    scene_open(&s, &detector_unapproved);
    s.policy->mode = MODE_ENFORCE;
    see_flow(&s, o);
    o.flow.phase = FLOW_ESTABLISHED;
    o.time += 2 * S;
    see_flow(&s, o);
    assert_int_equal(s.found[s.count - 1].cut, ACTION_ALERT);
    cut.kind = OBSERVE_CUT;
    cut.time = T0 + 4 * S;
    cut.note = (struct observation_note){.zone = ZONE_OFFICE, .resolver = -1};
    s.detector->cut(s.state, &cut);
    scene_tick(&s, T0 + 6 * S);
    assert_int_equal(s.found[s.count - 1].cut, ACTION_REJECT);
    assert_int_equal(s.found[s.count - 1].count, 0);
    scene_close(&s);
}

static void mismatch_tells_what_does_not_fit_its_port(void **state)
{
    struct scene s;
    struct observation o = scene_flow(T0, "10.30.1.1", "192.0.2.5", FLOW_FAILED, 1);

    (void)state;
    scene_open(&s, &detector_mismatch);
    o.transport = TRANSPORT_OTHER;
    o.flow.cause = CAUSE_NOT_TLS;
    see_flow(&s, o); /* nobody said a word: a scan */
    assert_int_equal(s.count, 0);
    o.flow.payload_seen = true;
    see_flow(&s, o);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"expected\":\"TLS or QUIC\""));
    o.server_port = 53;
    o.transport = TRANSPORT_TLS;
    see_flow(&s, o);
    assert_int_equal(s.count, 2);
    o.transport = TRANSPORT_DOT;
    o.server_port = 5353;
    o.flow.phase = FLOW_IDENTIFIED;
    o.flow.identified_by = BY(BY_ALPN);
    see_flow(&s, o);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.found[2].severity, SEVERITY_INFORMATIONAL);
    o.server_port = 853;
    see_flow(&s, o); /* where it belongs */
    o.transport = TRANSPORT_DOQ;
    o.server_port = 784;
    see_flow(&s, o);
    assert_int_equal(s.count, 3);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_dot_to_an_unapproved_resolver),
        cmocka_unit_test(an_attempt_that_failed_is_one),
        cmocka_unit_test(an_unknown_resolver_is_graver_and_the_gateway_less),
        cmocka_unit_test(says_nothing_of_the_approved_the_allowed_and_the_uncertain),
        cmocka_unit_test(doh_is_cut_by_the_kernel_only_at_a_dedicated_address),
        cmocka_unit_test(a_named_resolver_at_a_shared_address_is_asked_to_be_cut),
        cmocka_unit_test(nobody_else_is),
        cmocka_unit_test(what_the_kernel_has_is_told_as_cut),
        cmocka_unit_test(mismatch_tells_what_does_not_fit_its_port)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
