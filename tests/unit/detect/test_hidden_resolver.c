#include "scene.h"

extern const struct detector detector_hidden_resolver;

#define SERVER "192.0.2.77"

/* A tree of one question: what has a median up to 200 is DNS. */
static void give_tree(struct scene *s)
{
    static const struct decision_tree tree = {
        .count = 3,
        .node = {{.feature = FEATURE_CLIENT_MEDIAN, .most = 200, .then = 1, .other = 2},
                 {.feature = FEATURE_COUNT, .confidence = 80},
                 {.feature = FEATURE_COUNT, .confidence = 10}},
    };
    struct policy *p = s->policy;

    p->detections = calloc(1, sizeof *p->detections);
    p->detection_count = 1;
    snprintf(p->detections->id, sizeof p->detections->id, "hidden-resolver");
    p->detections->severity = SEVERITY_MEDIUM;
    p->detections->tree = tree;
    s->detector->use_policy(s->state, p);
}

static void begin(struct scene *s)
{
    scene_open(s, &detector_hidden_resolver);
    give_tree(s);
}

static struct observation behaves(nsec_t t, const char *client, const char *server, uint64_t flow,
                                  int32_t median)
{
    struct observation o = scene_flow(t, client, server, FLOW_BEHAVIOUR, flow);

    o.transport = TRANSPORT_TLS;
    o.server_port = 443;
    o.flow.identified_by = BY(BY_PAYLOAD);
    o.flow.behaviour.feature[FEATURE_CLIENT_MEDIAN] = median;
    return o;
}

static void see(struct scene *s, nsec_t t, const char *client, uint64_t flow, int32_t median)
{
    struct observation o = behaves(t, client, SERVER, flow, median);

    scene_see(s, &o);
}

static bool says(const struct finding *f, const char *member)
{
    return strstr(f->evidence.text, member) != NULL;
}

static void three_flows_of_two_clients(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    see(&s, T0, "10.20.1.1", 1, 154);
    see(&s, T0 + S, "10.20.1.1", 1, 154); /* the same flow, looked at again */
    see(&s, T0 + 2 * S, "10.20.1.1", 2, 154);
    assert_int_equal(s.count, 0);
    see(&s, T0 + 3 * S, "10.20.1.2", 3, 154);
    scene_tick(&s, T0 + 5 * S);
    assert_int_equal(s.count, 2); /* both clients are told of */
    for (size_t i = 0; i < s.count; i++) {
        const struct finding *f = s.found + i;

        assert_int_equal(f->kind, KIND_UNAPPROVED_RESOLVER);
        assert_string_equal(f->rule, "hidden-resolver");
        assert_int_equal(f->confidence, 80);
        assert_int_equal(f->transport, TRANSPORT_DOH2);
        assert_int_equal(f->cut, ACTION_ALERT); /* nothing is cut for behaviour alone */
        assert_true(says(f, "\"identified_by\":\"behaviour\""));
        assert_true(says(f, "\"server_clients\":2"));
        assert_true(says(f, "\"leaf\":1"));
        assert_true(says(f, "\"client_median\":154"));
        assert_false(f->evidence.truncated);
    }
    assert_false(addr_equal(&s.found[0].client, &s.found[1].client));
    scene_close(&s);
}

static void five_flows_of_one_client(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (uint64_t flow = 1; flow < 5; flow++)
        see(&s, T0 + (nsec_t)flow * S, "10.20.1.1", flow, 154);
    assert_int_equal(s.count, 0);
    see(&s, T0 + 9 * S, "10.20.1.1", 5, 154);
    scene_flush(&s, T0 + 20 * S);
    assert_true(s.count > 0);
    assert_int_equal(s.found[s.count - 1].server_port, 443);
    scene_close(&s);
}

/* A day later it would take five again. */
static void the_window_passes(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (uint64_t flow = 1; flow < 12; flow++)
        see(&s, T0 + (nsec_t)flow * 30000 * S, "10.20.1.1", flow, 154);
    scene_flush(&s, T0 + 400000 * S);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

/* Most of what goes there is something else: a site, not a resolver. */
static void a_site_is_none(void **state)
{
    struct scene s;
    struct observation bulk = scene_flow(T0, "10.20.1.3", SERVER, FLOW_CLOSED, 50);

    (void)state;
    begin(&s);
    bulk.transport = TRANSPORT_TLS;
    bulk.server_port = 443;
    bulk.flow.bulky = true;
    see(&s, T0, "10.20.1.1", 1, 154);
    see(&s, T0, "10.20.1.1", 2, 300);
    see(&s, T0, "10.20.1.1", 3, 300);
    scene_see(&s, &bulk);
    see(&s, T0 + S, "10.20.1.2", 4, 154);
    see(&s, T0 + S, "10.20.1.2", 5, 300);
    see(&s, T0 + S, "10.20.1.2", 6, 154);
    see(&s, T0 + S, "10.20.1.2", 6, 300); /* on a second look it is none */
    see(&s, T0 + S, "10.20.1.2", 7, 154);
    scene_flush(&s, T0 + 20 * S);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

static void of_the_approved_the_allowed_and_the_uncertain_nothing(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (uint64_t flow = 1; flow < 9; flow++) {
        struct observation approved = behaves(T0, "10.20.1.1", "9.9.9.9", flow, 154);
        struct observation dns = behaves(T0, "10.20.1.1", SERVER, flow, 154);

        dns.transport = TRANSPORT_DOT;
        scene_see(&s, &approved);
        scene_see(&s, &dns);
        see(&s, T0, "10.40.1.1", flow, 154); /* its zone allows it */
        see(&s, T0, "10.30.1.1", 100 + flow, 250);
    }
    scene_flush(&s, T0 + 20 * S);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

static struct observation probe(nsec_t t, bool answers, bool encrypted)
{
    return (struct observation){
        .kind = OBSERVE_PROBE,
        .transport = TRANSPORT_DOH2,
        .proto = 6,
        .server_port = 443,
        .time = t,
        .server = at(SERVER),
        .probe = {.encrypted = encrypted, .reached = true, .post_works = answers}};
}

static void a_probe_settles_it(void **state)
{
    struct scene s;
    struct observation o = probe(T0 + 10 * S, true, true);

    (void)state;
    begin(&s);
    for (uint64_t flow = 1; flow < 6; flow++)
        see(&s, T0, "10.20.1.1", flow, 154);
    assert_int_equal(s.count, 1);
    s.detector->probed(s.state, &o);
    scene_tick(&s, T0 + 12 * S);
    assert_int_equal(s.found[s.count - 1].confidence, 98);
    assert_true(says(s.found + s.count - 1, "\"identified_by\":\"behaviour,probe\""));
    assert_true(s.found[s.count - 1].key == s.found[0].key); /* the same event grows */
    scene_close(&s);
}

/* Only where the policy says so, and only what a probe confirmed. */
static void a_confirmed_one_is_asked_to_be_cut(void **state)
{
    struct observation confirmed = probe(T0 + 10 * S, true, true);

    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct scene s;

        begin(&s);
        s.policy->mode = MODE_ENFORCE;
        s.policy->pairs = (struct policy_pairs){600 * S, hidden};
        for (uint64_t flow = 1; flow < 6; flow++)
            see(&s, T0 + (nsec_t)flow * S, "10.20.1.1", flow, 154);
        assert_int_equal(s.pair_count, 0);
        s.detector->probed(s.state, &confirmed);
        assert_int_equal(s.pair_count > 0, hidden);
        assert_true(!hidden || (s.pair.proof == PAIR_BY_PROBE && pair_is_sound(&s.pair)));
        scene_close(&s);
    }
}

static void a_denial_silences_it(void **state)
{
    struct scene s;
    struct observation mute = probe(T0, false, false), denial = probe(T0 + S, false, true);

    (void)state;
    begin(&s);
    s.detector->probed(s.state, &denial);
    for (uint64_t flow = 1; flow < 9; flow++)
        see(&s, T0 + 2 * S, "10.20.1.1", flow, 154);
    assert_int_equal(s.count, 0);
    scene_close(&s);
    begin(&s);
    s.detector->probed(s.state, &mute); /* nobody was reached: that says nothing */
    for (uint64_t flow = 1; flow < 9; flow++)
        see(&s, T0 + 2 * S, "10.20.1.1", flow, 154);
    assert_int_equal(s.count, 1);
    scene_close(&s);
}

/* RFC 9849: the outer name is not the server's. */
static void an_outer_name_is_told_as_such(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (uint64_t flow = 1; flow < 6; flow++) {
        struct observation o = behaves(T0, "10.20.1.1", SERVER, flow, 154);

        snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "cloudflare-ech.com");
        o.flow.tls.ech = o.flow.tls.sni_outer = true;
        scene_see(&s, &o);
    }
    assert_int_equal(s.count, 1);
    assert_true(s.found[0].sni_outer);
    assert_true(says(s.found, "\"sni_trust\":\"outer\""));
    scene_close(&s);
}

static void strangers_do_not_fill_the_memory(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (uint64_t i = 0; i < 20000; i++) {
        char server[32];
        struct observation o;

        snprintf(server, sizeof server, "198.18.%u.%u", (unsigned)(i >> 8 & 255),
                 (unsigned)(i & 255));
        o = behaves(T0 + (nsec_t)i * MS, "10.20.1.1", server, i + 1, 154);
        scene_see(&s, &o);
    }
    assert_int_equal(s.count, 0);
    assert_true(s.stats.state_evicted > 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_flows_of_two_clients),
        cmocka_unit_test(five_flows_of_one_client),
        cmocka_unit_test(the_window_passes),
        cmocka_unit_test(a_site_is_none),
        cmocka_unit_test(of_the_approved_the_allowed_and_the_uncertain_nothing),
        cmocka_unit_test(a_probe_settles_it),
        cmocka_unit_test(a_confirmed_one_is_asked_to_be_cut),
        cmocka_unit_test(a_denial_silences_it),
        cmocka_unit_test(an_outer_name_is_told_as_such),
        cmocka_unit_test(strangers_do_not_fill_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
