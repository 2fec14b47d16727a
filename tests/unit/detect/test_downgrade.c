/* Every way to fail that makes a downgrade, and every innocent that must not. */
#include "scene.h"

extern const struct detector detector_downgrade;

#define C     "10.30.1.1"
#define C6    "2001:db8:30::1"
#define Q4    "9.9.9.9"
#define Q6    "2620:fe::fe"
#define PLAIN "198.51.100.7" /* a resolver that nobody knows */

static struct scene s;
static uint64_t flows;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_downgrade);
    flows = 0;
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static uint64_t attempt(nsec_t t, const char *client, const char *server)
{
    struct observation o = scene_flow(t, client, server, FLOW_OPENED, ++flows);

    scene_see(&s, &o);
    return flows;
}

static struct observation outcome(nsec_t t, nsec_t first, const char *client, const char *server,
                                  enum flow_phase phase, uint64_t id)
{
    struct observation o = scene_flow(t, client, server, phase, id);

    o.flow.first = first;
    return o;
}

static void give_up(nsec_t t, nsec_t first, const char *client, const char *server, uint64_t id,
                    enum cause cause)
{
    struct observation o = outcome(t, first, client, server, FLOW_FAILED, id);

    o.flow.cause = (uint8_t)cause;
    scene_see(&s, &o);
}

static void succeed(nsec_t t, const char *client, const char *server)
{
    struct observation o;
    uint64_t id = attempt(t, client, server);

    o = outcome(t + 20 * MS, t, client, server, FLOW_ESTABLISHED, id);
    o.flow.responses = 1;
    scene_see(&s, &o);
}

/* SYN and failure within ten milliseconds. */
static void fail_at_once(nsec_t t, const char *client, const char *server, enum cause cause)
{
    give_up(t + 5 * MS, t, client, server, attempt(t, client, server), cause);
}

static void ask(nsec_t t, const char *client, const char *server, const char *name)
{
    scene_clear(&s, t, client, server, name);
}

static void answer(nsec_t t, const char *client, const char *server, const char *name,
                   const char *address)
{
    struct observation o = scene_answer(t, client, server, name, address);

    scene_see(&s, &o);
}

static void run_until(nsec_t from, nsec_t to)
{
    for (nsec_t t = from; t <= to; t += 100 * MS)
        scene_tick(&s, t);
}

static bool evidence_has(size_t i, const char *text)
{
    return strstr(s.found[i].evidence.text, text) != NULL;
}

/* --- what is one ------------------------------------------------------------------------------ */

static void each_cause_makes_an_informational_event(void **state)
{
    static const struct {
        enum cause cause;
        nsec_t failed, clear;
        const char *word;
    } row[] = {{CAUSE_RESET, MS, 2 * MS, "\"cause\":\"reset\""},
               {CAUSE_ICMP, MS, 30 * MS, "\"cause\":\"icmp\""},
               {CAUSE_NOT_TLS, 10 * MS, 30 * MS, "\"cause\":\"not-tls\""},
               {CAUSE_CERTIFICATE, 10 * MS, 40 * MS, "\"cause\":\"certificate\""},
               {CAUSE_TLS_ALERT, 10 * MS, 40 * MS, "\"cause\":\"tls-alert\""},
               {CAUSE_VERSION, 10 * MS, 40 * MS, "\"cause\":\"version\""},
               {CAUSE_TIMEOUT, 2900 * MS, 3000 * MS, "\"cause\":\"timeout\""},
               {CAUSE_NO_ANSWER, 2000 * MS, 2030 * MS, "\"cause\":\"no-answer\""}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        for (int six = 0; six < 2; six++) {
            const char *client = six ? C6 : C, *server = six ? Q6 : Q4;
            uint64_t id;

            open_scene(NULL);
            id = attempt(T0, client, server);
            give_up(T0 + row[i].failed, T0, client, server, id, row[i].cause);
            ask(T0 + row[i].clear, client, server, "www.example.org");
            run_until(T0 + row[i].clear, T0 + 10 * S);
            assert_int_equal(s.count, 1);
            assert_string_equal(s.found[0].rule, "downgrade");
            assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
            assert_int_equal(s.found[0].confidence, 40);
            assert_string_equal(s.found[0].name, "www.example.org");
            assert_true(evidence_has(0, row[i].word));
            assert_true(s.found[0].time == T0 + row[i].clear);
            assert_int_equal(s.found[0].server_port, 853);
            close_scene(NULL);
        }
}

static void a_query_before_the_silent_failure_is_known_counts(void **state)
{
    uint64_t id = attempt(T0, C, Q4);

    (void)state;
    ask(T0 + 2010 * MS, C, Q4, "www.example.org"); /* the client gave up after two seconds */
    answer(T0 + 2020 * MS, C, Q4, "www.example.org", "192.0.2.1");
    run_until(T0 + 2030 * MS, T0 + 2900 * MS);
    assert_int_equal(s.count, 0);
    give_up(T0 + 2900 * MS, T0, C, Q4, id, CAUSE_TIMEOUT);
    assert_int_equal(s.count, 1);
    assert_true(s.found[0].time == T0 + 2010 * MS);
    assert_true(evidence_has(0, "\"delay_ms\":2010"));
}

static void one_event_for_a_client_and_a_group(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    fail_at_once(T0 + 10 * MS, C, Q6, CAUSE_RESET); /* the same operator */
    for (int i = 0; i < 20; i++) {
        char name[32];

        snprintf(name, sizeof name, "host%d.example.org", i);
        ask(T0 + 100 * MS + i * 50 * MS, C, Q4, name);
    }
    run_until(T0 + S, T0 + 20 * S);
    assert_in_range(s.count, 1, 4);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
    assert_true(s.found[s.count - 1].confidence >= 80);
}

static void clear_text_to_another_resolver_is_not_innocent(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    ask(T0 + 50 * MS, C, PLAIN, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    assert_true(evidence_has(0, "\"clear_server\":\"198.51.100.7\""));
    assert_true(evidence_has(0, "\"failed_server\":\"9.9.9.9\""));
}

/* DoT, DoQ and DoH of one operator fail, over both families; clear text to any address of it. */
static void a_group_is_all_of_an_operator(void **state)
{
    static const struct {
        uint8_t transport, proto;
        uint16_t port;
        const char *server;
    } way[] = {{TRANSPORT_DOT, 6, 853, Q4},
               {TRANSPORT_DOQ, 17, 853, Q6},
               {TRANSPORT_DOH2, 6, 443, Q4},
               {TRANSPORT_DOH3, 17, 443, Q6}};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct observation o;

        open_scene(NULL);
        for (int n = 0; n < 4; n++) {
            o = scene_flow(T0 + n * MS, C, way[(i + n) % 4].server, FLOW_OPENED, ++flows);
            o.transport = way[(i + n) % 4].transport;
            o.proto = way[(i + n) % 4].proto;
            o.server_port = way[(i + n) % 4].port;
            scene_see(&s, &o);
            o.flow.phase = FLOW_FAILED;
            o.flow.cause = CAUSE_RESET;
            scene_see(&s, &o);
        }
        ask(T0 + 50 * MS, C, i % 2 ? Q6 : Q4, "www.example.org");
        run_until(T0, T0 + 3 * S);
        assert_int_equal(s.count, 1);
        assert_int_equal(s.found[0].transport, way[i].transport);
        assert_true(evidence_has(0, "\"attempts\":4"));
        assert_true(evidence_has(0, "\"same_resolver\":1"));
        close_scene(NULL);
    }
}

/* DNS over HTTPS at a shared address is told by its name alone. */
static void a_name_of_the_operator_joins_the_group(void **state)
{
    struct observation o = scene_flow(T0, C, PLAIN, FLOW_IDENTIFIED, 1);

    (void)state;
    o.transport = TRANSPORT_DOH2;
    o.server_port = 443;
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.quad9.net");
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    o.time += 5 * MS;
    scene_see(&s, &o);
    succeed(T0 + 100 * MS, C, Q6); /* DoT of the same operator works: no downgrade */
    ask(T0 + S, C, Q4, "www.example.org");
    run_until(T0, T0 + 4 * S);
    assert_int_equal(s.count, 0);
}

static void clear_text_over_tcp_counts(void **state)
{
    struct observation o = scene_query(T0 + 20 * MS, C, Q4, "www.example.org");

    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    o.transport = TRANSPORT_DO53_TCP;
    o.proto = 6;
    scene_see(&s, &o);
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    assert_true(evidence_has(0, "\"clear_transport\":\"do53-tcp\""));
}

static void a_doq_attempt_that_nobody_answers_counts(void **state)
{
    struct observation o = scene_flow(T0, C, Q4, FLOW_OPENED, 77);

    (void)state;
    o.transport = TRANSPORT_DOQ;
    o.proto = 17;
    scene_see(&s, &o);
    ask(T0 + 2 * S, C, Q4, "www.example.org");
    o.time = T0 + 2900 * MS;
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_TIMEOUT;
    scene_see(&s, &o);
    run_until(T0 + 2900 * MS, T0 + 5 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].transport, TRANSPORT_DOQ);
}

static void a_doh_attempt_at_a_resolvers_own_address_counts(void **state)
{
    struct observation o = scene_flow(T0, C, Q4, FLOW_OPENED, 77);

    (void)state;
    o.transport = TRANSPORT_TLS; /* a SYN to 443: no name yet */
    o.server_port = 443;
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    o.time += 5 * MS;
    scene_see(&s, &o);
    ask(T0 + 50 * MS, C, Q4, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
}

static void proven_encryption_makes_it_graver(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        succeed(T0 + i * 60 * S, C, Q4);
    fail_at_once(T0 + 300 * S, C, Q4, CAUSE_RESET);
    ask(T0 + 300 * S + 50 * MS, C, Q4, "www.example.org");
    run_until(T0 + 300 * S, T0 + 303 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_true(evidence_has(0, "\"proven\":4"));
}

static struct observation reset(nsec_t t, nsec_t first, const char *client, const char *server)
{
    struct observation o =
        outcome(t, first, client, server, FLOW_FAILED, attempt(first, client, server));

    o.flow.cause = CAUSE_RESET;
    return o;
}

static void succeed_with(nsec_t t, const char *client, const char *server, uint8_t ttl)
{
    struct observation o =
        outcome(t + 20 * MS, t, client, server, FLOW_ESTABLISHED, attempt(t, client, server));

    o.flow.ttl_server = ttl;
    o.flow.rtt_us = 20000;
    scene_see(&s, &o);
}

static void an_injected_reset_after_success_is_high(void **state)
{
    struct observation o;

    (void)state;
    for (int i = 0; i < 3; i++)
        succeed_with(T0 + i * S, C, Q4, 52);
    o = reset(T0 + 60 * S + MS, T0 + 60 * S, C, Q4);
    o.flow.ttl_fault = 61;
    o.flow.ttl_server = 52;
    o.flow.signs = RESET_TTL | RESET_IP_ID;
    scene_see(&s, &o);
    ask(T0 + 60 * S + 2 * MS, C, Q4, "www.example.org");
    run_until(T0 + 60 * S, T0 + 63 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
    assert_true(evidence_has(0, "\"origin\":\"path\",\"signs\":\"ttl ip-id\""));
    assert_true(evidence_has(0, "\"ttl_seen\":61,\"ttl_server\":52"));
}

static void one_sign_names_the_path_but_is_weaker(void **state)
{
    struct observation o;

    (void)state;
    for (int i = 0; i < 3; i++)
        succeed_with(T0 + i * S, C, Q4, 52);
    o = reset(T0 + 60 * S + MS, T0 + 60 * S, C, Q4);
    o.flow.ttl_fault = 61;
    scene_see(&s, &o);
    ask(T0 + 60 * S + 2 * MS, C, Q4, "www.example.org");
    run_until(T0 + 60 * S, T0 + 63 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_true(evidence_has(0, "\"origin\":\"path\",\"signs\":\"ttl\""));
    /* the server goes on after what claimed to be its reset: now two agree, and the event grows */
    o.flow.phase = FLOW_AFTERMATH;
    o.flow.signs = RESET_SEQUENCE;
    o.flow.cause = o.flow.ttl_fault = 0;
    o.time = T0 + 63 * S;
    scene_see(&s, &o);
    assert_int_equal(s.count, 2);
    assert_true(s.found[1].key == s.found[0].key);
    assert_int_equal(s.found[1].severity, SEVERITY_HIGH);
    assert_true(evidence_has(1, "\"signs\":\"ttl sequence\""));
}

static void a_lone_odd_form_proves_nothing(void **state)
{
    struct observation o = reset(T0 + MS, T0, C, Q4);

    (void)state;
    o.flow.signs = RESET_FORM;
    o.flow.ttl_fault = 61;
    scene_see(&s, &o);
    ask(T0 + 2 * MS, C, Q4, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    assert_true(evidence_has(0, "\"origin\":\"unknown\",\"signs\":\"form\""));
}

static void a_reset_that_comes_too_early_and_from_elsewhere(void **state)
{
    struct observation o;

    (void)state;
    for (int i = 0; i < 5; i++) /* of other clients */
        succeed_with(T0 + i * S, "10.30.7.7", Q4, 52);
    o = reset(T0 + 10 * S + MS, T0 + 10 * S, C, Q4);
    o.flow.ttl_fault = 61;
    o.flow.gap_us = 1000; /* of 20,000 */
    scene_see(&s, &o);
    ask(T0 + 10 * S + 2 * MS, C, PLAIN, "www.example.org");
    run_until(T0 + 10 * S, T0 + 13 * S);
    assert_int_equal(s.count, 1);
    assert_true(evidence_has(0, "\"signs\":\"ttl early\""));
}

static void a_server_of_several_routes_accuses_nobody(void **state)
{
    struct observation o;

    (void)state;
    for (int i = 0; i < 6; i++)
        succeed_with(T0 + i * S, "10.30.7.7", Q4, i % 2 ? 52 : 61);
    o = reset(T0 + 10 * S + MS, T0 + 10 * S, C, Q4);
    o.flow.ttl_fault = 61;
    scene_see(&s, &o);
    ask(T0 + 10 * S + 2 * MS, C, PLAIN, "www.example.org");
    run_until(T0 + 10 * S, T0 + 13 * S);
    assert_true(evidence_has(0, "\"origin\":\"unknown\""));
}

/* The answer to the fallback itself shows what the server's packets look like. */
static void clear_text_answers_tell_a_reset_at_first_sight(void **state)
{
    static const uint8_t ttl[] = {63, 55, 56, 55};
    static const char *const word[] = {"\"origin\":\"path\",\"signs\":\"ttl\"",
                                       "\"origin\":\"server\",\"ttl_seen\":55",
                                       "\"origin\":\"unknown\"", "\"origin\":\"server\""};

    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *client = i == 3 ? C6 : C, *server = i == 3 ? Q6 : Q4;
        struct observation o;

        open_scene(NULL);
        o = reset(T0 + MS, T0, client, server);
        o.flow.ttl_fault = ttl[i];
        scene_see(&s, &o);
        ask(T0 + 2 * MS, client, server, "www.example.org");
        o = scene_answer(T0 + 20 * MS, client, server, "www.example.org", "192.0.2.1");
        o.ttl = 55;
        scene_see(&s, &o);
        run_until(T0, T0 + 3 * S);
        assert_int_equal(s.count, 1);
        assert_true(evidence_has(0, word[i]));
        close_scene(NULL);
    }
}

/* It answers with an alert, in plain text, with another certificate: from as far as it is. */
static void an_impostor_is_told_from_the_server(void **state)
{
    static const struct {
        enum cause cause;
        bool from_client;
        uint8_t alert, ttl;
        const char *word;
    } row[] = {
        {CAUSE_TLS_ALERT, false, 40, 63, "\"origin\":\"path\",\"signs\":\"ttl\""},
        {CAUSE_TLS_ALERT, false, 40, 55, "\"origin\":\"server\""},
        {CAUSE_TLS_ALERT, false, 40, 0, "\"origin\":\"unknown\""},
        {CAUSE_VERSION, true, 70, 63, "\"origin\":\"path\""},
        {CAUSE_VERSION, true, 70, 55, "\"origin\":\"client\""},
        {CAUSE_NOT_TLS, false, 0, 63, "\"origin\":\"path\""},
        {CAUSE_NOT_TLS, false, 0, 55, "\"origin\":\"server\""},
        {CAUSE_NO_ANSWER, true, 0, 63, "\"origin\":\"path\""},
        {CAUSE_NO_ANSWER, true, 0, 55, "\"origin\":\"unknown\""},
        {CAUSE_TIMEOUT, false, 0, 0, "\"origin\":\"unknown\""},
        {CAUSE_CERTIFICATE, true, 48, 63, "\"origin\":\"path\""},
        {CAUSE_CERTIFICATE, true, 48, 55,
         "\"origin\":\"client\",\"ttl_seen\":55,\"ttl_server\":55,\"alert\":48,"
         "\"alert_name\":\"unknown_ca\",\"alert_from\":\"client\""},
        {CAUSE_CERTIFICATE, true, 255, 0, "\"origin\":\"client\",\"alert_name\":\"encrypted\""}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct observation o;

        open_scene(NULL);
        succeed_with(T0 - 100 * S, C, Q4, 55);
        o = outcome(T0 + 150 * MS, T0, C, Q4, FLOW_FAILED, attempt(T0, C, Q4));
        o.flow.cause = (uint8_t)row[i].cause;
        o.flow.from_client = row[i].from_client;
        o.flow.alert = row[i].alert;
        o.flow.ttl_server = row[i].ttl;
        o.flow.ttl_fault = 64; /* of whatever packet came last */
        scene_see(&s, &o);
        ask(T0 + 300 * MS, C, PLAIN, "www.example.org");
        run_until(T0, T0 + 3 * S);
        if (!s.count || !evidence_has(0, row[i].word))
            print_error("row %zu: %s\n", i, s.count ? s.found[0].evidence.text : "nothing");
        assert_int_equal(s.count, 1);
        assert_true(evidence_has(0, row[i].word));
        close_scene(NULL);
    }
}

static void an_icmp_error_in_the_servers_name(void **state)
{
    (void)state;
    for (int forged = 0; forged < 2; forged++) {
        struct observation o;

        open_scene(NULL);
        succeed_with(T0 - 100 * S, C, Q4, 55);
        o = outcome(T0 + MS, T0, C, Q4, FLOW_FAILED, attempt(T0, C, Q4));
        o.flow.cause = CAUSE_ICMP;
        o.flow.icmp_source = at(Q4);
        o.flow.icmp_type = 3;
        o.flow.icmp_code = 13;
        o.flow.ttl_fault = forged ? 63 : 55;
        scene_see(&s, &o);
        ask(T0 + 2 * MS, C, Q4, "www.example.org");
        run_until(T0, T0 + 3 * S);
        assert_true(evidence_has(0, forged ? "\"origin\":\"path\"" : "\"origin\":\"server\""));
        assert_true(evidence_has(0, "\"icmp\":\"type 3 code 13\",\"icmp_source\":\"9.9.9.9\""));
        close_scene(NULL);
    }
}

static void a_reset_is_held_against_the_ttl_of_flows_that_worked(void **state)
{
    static const uint8_t ttl[] = {64, 57, 58};
    static const char *const word[] = {"\"origin\":\"path\"", "\"origin\":\"server\"",
                                       "\"origin\":\"unknown\""};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct observation o;

        open_scene(NULL);
        o = outcome(T0 + 20 * MS, T0, C, Q4, FLOW_ESTABLISHED, attempt(T0, C, Q4));
        o.flow.ttl_server = 57;
        scene_see(&s, &o);
        o = outcome(T0 + S + MS, T0 + S, C, Q4, FLOW_FAILED, attempt(T0 + S, C, Q4));
        o.flow.cause = CAUSE_RESET;
        o.flow.ttl_fault = ttl[i];
        scene_see(&s, &o);
        ask(T0 + S + 2 * MS, C, Q4, "www.example.org");
        run_until(T0, T0 + 4 * S);
        assert_int_equal(s.count, 1);
        assert_true(evidence_has(0, word[i]));
        close_scene(NULL);
    }
}

static void a_strict_like_client_is_high(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct observation o;
        uint64_t id = attempt(T0 + i * S, C, Q4);

        o = outcome(T0 + i * S + 20 * MS, T0 + i * S, C, Q4, FLOW_ESTABLISHED, id);
        snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "dns.quad9.net");
        scene_see(&s, &o);
    }
    fail_at_once(T0 + 60 * S, C, Q4, CAUSE_ICMP);
    ask(T0 + 60 * S + 50 * MS, C, Q4, "www.example.org");
    run_until(T0 + 60 * S, T0 + 63 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
}

static void our_own_rule_is_told_as_such(void **state)
{
    (void)state;
    s.policy->mode = MODE_ENFORCE;
    fail_at_once(T0, "10.20.1.1", "8.8.8.8", CAUSE_ICMP);
    ask(T0 + 50 * MS, "10.20.1.1", PLAIN, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    assert_true(evidence_has(0, "\"cause\":\"own-rule\",\"origin\":\"gateway\""));
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_int_equal(s.found[0].cut, ACTION_REJECT);
}

static void where_an_icmp_error_comes_from(void **state)
{
    static const char *const source[] = {Q4, "10.20.0.1", "198.51.100.254"};
    static const char *const word[] = {"\"origin\":\"server\"", "\"origin\":\"gateway\"",
                                       "\"origin\":\"path\""};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct observation o;

        open_scene(NULL);
        o = outcome(T0 + MS, T0, C, Q4, FLOW_FAILED, attempt(T0, C, Q4));
        o.flow.cause = CAUSE_ICMP;
        o.flow.icmp_source = at(source[i]);
        scene_see(&s, &o);
        ask(T0 + 2 * MS, C, Q4, "www.example.org");
        run_until(T0, T0 + 3 * S);
        assert_true(evidence_has(0, word[i]));
        close_scene(NULL);
    }
}

static void bootstrap_and_then_a_leak_is_one(void **state)
{
    (void)state;
    ask(T0, C, PLAIN, "dns.quad9.net");
    fail_at_once(T0 + 10 * MS, C, Q4, CAUSE_RESET);
    ask(T0 + 20 * MS, C, PLAIN, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
}

static void a_new_fallback_after_recovery_is_told_again(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    ask(T0 + 50 * MS, C, Q4, "www.example.org");
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    succeed(T0 + 10 * S, C, Q4);
    assert_int_equal(s.count, 2);
    assert_true(evidence_has(1, "\"recovered\":true"));
    fail_at_once(T0 + 20 * S, C, Q4, CAUSE_RESET);
    ask(T0 + 21 * S, C, Q4, "www.example.org");
    run_until(T0 + 21 * S, T0 + 24 * S);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.found[2].severity, SEVERITY_LOW);
    assert_true(s.found[2].key == s.found[0].key);
}

static void an_old_count_is_no_success(void **state)
{
    struct observation o;
    uint64_t id = attempt(T0, C, Q4), second;

    (void)state;
    o = outcome(T0 + 20 * MS, T0, C, Q4, FLOW_ESTABLISHED, id);
    scene_see(&s, &o);
    second = attempt(T0 + 500 * MS, C, Q4);
    give_up(T0 + 501 * MS, T0 + 500 * MS, C, Q4, second, CAUSE_RESET);
    o = outcome(T0 + 600 * MS, T0, C, Q4, FLOW_PROGRESS, id);
    o.flow.responses = 2; /* of before the failure */
    scene_see(&s, &o);
    o.flow.phase = FLOW_CLOSED;
    scene_see(&s, &o);
    ask(T0 + 700 * MS, C, Q4, "www.example.org");
    run_until(T0 + 700 * MS, T0 + 3 * S);
    assert_int_equal(s.count, 1);
}

static void who_settles_in_clear_text_is_told_once(void **state)
{
    uint64_t told = 0;

    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    for (int i = 0; i < 3600; i++) {
        char name[32];

        snprintf(name, sizeof name, "host%d.example.org", i);
        ask(T0 + 50 * MS + i * S, C, Q4, name);
        if (i % 900 == 899) /* an opportunistic client tries again and again */
            fail_at_once(T0 + i * S + 500 * MS, C, Q4, CAUSE_RESET);
    }
    scene_flush(&s, T0 + 3600 * S);
    assert_in_range(s.count, 2, 6);
    for (size_t i = 0; i < s.count; i++)
        told += s.found[i].count;
    assert_in_range(told, 25, 200);
}

static void the_other_family_of_one_client_is_the_same_client(void **state)
{
    struct observation o = scene_flow(T0, C6, Q6, FLOW_OPENED, 1);

    (void)state;
    o.station = 0x020000000001;
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    scene_see(&s, &o);
    o = scene_query(T0 + 50 * MS, C, PLAIN, "www.example.org");
    o.station = 0x020000000001;
    scene_see(&s, &o);
    o = scene_query(T0 + 60 * MS, "10.30.1.2", PLAIN, "www.example.org");
    o.station = 0x020000000002;
    scene_see(&s, &o);
    run_until(T0, T0 + 3 * S);
    assert_int_equal(s.count, 1);
    assert_true(addr_is_v4(&s.found[0].client) == false);
}

/* --- what is none ----------------------------------------------------------------------------- */

static void nothing_was_told(void)
{
    run_until(T0 + 400 * S, T0 + 402 * S);
    scene_flush(&s, T0 + 500 * S);
    if (s.count)
        print_error("told: %s %s\n", s.found[0].name, s.found[0].evidence.text);
    assert_int_equal(s.count, 0);
}

static void bootstrap_is_innocent(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    ask(T0 + 10 * MS, C, Q4, "dns.quad9.net"); /* the policy's */
    ask(T0 + 20 * MS, C, PLAIN, "dns.google"); /* the catalogue's */
    nothing_was_told();
}

static void bootstrap_of_an_earlier_sni_is_innocent(void **state)
{
    struct observation o = scene_flow(T0, C, PLAIN, FLOW_IDENTIFIED, 1);

    (void)state;
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "Private.Example");
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    o.time += 10 * MS;
    scene_see(&s, &o);
    ask(T0 + 100 * MS, C, Q4, "private.example");
    nothing_was_told();
}

static void bootstrap_is_known_by_the_address_it_resolves_to(void **state)
{
    (void)state;
    /* first the answer, then the attempt, then again */
    ask(T0, C, Q4, "dns.private.example");
    answer(T0 + 10 * MS, C, Q4, "dns.private.example", PLAIN);
    fail_at_once(T0 + 20 * MS, C, PLAIN, CAUSE_RESET);
    ask(T0 + 50 * MS, C, Q4, "dns.private.example");
    /* first the failure, then the name, whose answer is the address that failed */
    fail_at_once(T0 + 100 * S, "10.30.2.2", PLAIN, CAUSE_RESET);
    ask(T0 + 100 * S + 50 * MS, "10.30.2.2", Q4, "dns.private.example");
    answer(T0 + 100 * S + 60 * MS, "10.30.2.2", Q4, "dns.private.example", PLAIN);
    /* a failure, then the name of another resolver, and only then the attempt at it */
    fail_at_once(T0 + 200 * S, "10.30.3.3", Q4, CAUSE_RESET);
    ask(T0 + 200 * S + 50 * MS, "10.30.3.3", Q4, "dns.private.example");
    answer(T0 + 200 * S + 60 * MS, "10.30.3.3", Q4, "dns.private.example", PLAIN);
    attempt(T0 + 200 * S + 90 * MS, "10.30.3.3", PLAIN);
    nothing_was_told();
}

static void ddr_probes_and_inside_names_are_innocent(void **state)
{
    static const char *const name[] = {
        "_dns.resolver.arpa",
        "resolver.arpa",
        "_dns.dns.private.example",
        "connectivitycheck.gstatic.com",
        "abc123-dnsotls-ds.metric.gstatic.com",
        "captive.apple.com",
        "use-application-dns.net",
        "www.intra.example",
        "intra.example",
        "printer.local",
        "nas.home.arpa",
        "router",
        "_ldap._tcp.dc._msdcs.corp.example.com",
        "1.0.30.10.in-addr.arpa",
        "1.2.20.172.in-addr.arpa",
        "1.1.168.192.in-addr.arpa",
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f."
        "ip6.arpa"};

    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        ask(T0 + 10 * MS + (nsec_t)i * MS, C, Q4, name[i]);
    nothing_was_told();
}

static void a_name_the_inside_resolver_answers_with_a_private_address(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    ask(T0 + 10 * MS, C, "10.20.0.1", "files.corp.example");
    answer(T0 + 12 * MS, C, "10.20.0.1", "files.corp.example", "10.1.1.5");
    ask(T0 + 20 * MS, C, "10.20.0.1", "files.corp.example"); /* AAAA: no address will come */
    /* an inside resolver with a public address, on the client's link */
    fail_at_once(T0 + 10 * S, C6, Q6, CAUSE_RESET);
    ask(T0 + 10 * S + 10 * MS, C6, "2001:db8:30::53", "files.corp.example");
    answer(T0 + 10 * S + 12 * MS, C6, "2001:db8:30::53", "files.corp.example", "10.1.1.5");
    nothing_was_told();
    /* what it answers with a public address leaks */
    fail_at_once(T0 + 600 * S, C, Q4, CAUSE_RESET);
    ask(T0 + 600 * S + 10 * MS, C, "10.20.0.1", "www.example.org");
    answer(T0 + 600 * S + 20 * MS, C, "10.20.0.1", "www.example.org", "192.0.2.80");
    run_until(T0 + 600 * S, T0 + 603 * S);
    assert_int_equal(s.count, 1);
}

static void strict_clients_and_clear_clients_are_innocent(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) /* fails closed */
        fail_at_once(T0 + i * S, C, Q4, i % 2 ? CAUSE_RESET : CAUSE_CERTIFICATE);
    for (int i = 0; i < 30; i++) /* clear text only */
        ask(T0 + i * S, "10.30.4.4", Q4, "www.example.org");
    nothing_was_told();
}

static void upgrade_from_clear_text_is_innocent(void **state)
{
    (void)state;
    ask(T0, C, Q4, "www.example.org");
    succeed(T0 + S, C, Q4);
    ask(T0 + 2 * S, C, Q4, "other.example.org");
    nothing_was_told();
}

static void what_was_asked_in_clear_before_explains_itself(void **state)
{
    (void)state;
    ask(T0, C, Q4, "ink.example.com");
    ask(T0 + MS, C, Q4, "time.example.net");
    fail_at_once(T0 + S, C, Q4, CAUSE_RESET);
    ask(T0 + 2 * S, C, Q4, "ink.example.com");
    ask(T0 + 2 * S, C, Q4, "time.example.net");
    nothing_was_told();
}

static void a_client_that_lives_in_clear_text_and_tries_once(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 100; i++) { /* a new name each two seconds */
        snprintf(name, sizeof name, "before%d.example.org", i);
        ask(T0 + i * 2 * S, C, Q4, name);
    }
    fail_at_once(T0 + 200 * S, C, Q4, CAUSE_RESET);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "after%d.example.org", i);
        ask(T0 + 200 * S + S + i * 2 * S, C, Q4, name);
    }
    nothing_was_told();
}

static void but_a_burst_is_no_habit(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 5; i++) { /* a new name a minute */
        snprintf(name, sizeof name, "before%d.example.org", i);
        ask(T0 + i * 60 * S, C, Q4, name);
    }
    fail_at_once(T0 + 300 * S, C, Q4, CAUSE_RESET);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "after%d.example.org", i);
        ask(T0 + 301 * S + i * 100 * MS, C, Q4, name);
    }
    run_until(T0 + 302 * S, T0 + 305 * S);
    assert_true(s.count >= 1);
}

static void a_sibling_that_wins_takes_the_failure_back(void **state)
{
    struct observation o;
    uint64_t lost, won;

    (void)state;
    lost = attempt(T0, C, Q4);
    won = attempt(T0 + 250 * MS, C, "2620:fe::fe"); /* same group */
    give_up(T0 + 260 * MS, T0, C, Q4, lost, CAUSE_RESET);
    ask(T0 + 270 * MS, C, Q4, "www.example.org");
    o = outcome(T0 + 400 * MS, T0 + 250 * MS, C, Q6, FLOW_ESTABLISHED, won);
    scene_see(&s, &o);
    ask(T0 + S, C, Q4, "more.example.org");
    nothing_was_told();
}

static void success_by_another_transport_takes_the_failure_back(void **state)
{
    struct observation o;

    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    o = scene_flow(T0 + 100 * MS, C, Q4, FLOW_ESTABLISHED, 99);
    o.transport = TRANSPORT_DOH2;
    o.server_port = 443;
    scene_see(&s, &o);
    ask(T0 + S, C, Q4, "www.example.org");
    nothing_was_told();
}

static void success_over_the_clients_other_family_takes_the_failure_back(void **state)
{
    struct observation o = scene_flow(T0, C, Q4, FLOW_OPENED, 1);

    (void)state;
    o.station = 0x020000000001;
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = CAUSE_RESET;
    scene_see(&s, &o);
    o = scene_flow(T0 + 50 * MS, C6, Q6, FLOW_OPENED, 2);
    o.station = 0x020000000001;
    scene_see(&s, &o);
    o.flow.phase = FLOW_ESTABLISHED;
    o.time += 20 * MS;
    scene_see(&s, &o);
    o = scene_query(T0 + S, C, Q4, "www.example.org");
    o.station = 0x020000000001;
    scene_see(&s, &o);
    nothing_was_told();
}

static void idle_close_and_reconnect_is_innocent(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct observation o;

        succeed(T0 + i * 20 * S, C, Q4);
        o = outcome(T0 + i * 20 * S + 10 * S, T0 + i * 20 * S, C, Q4, FLOW_CLOSED, flows);
        o.flow.cause = CAUSE_NONE;
        scene_see(&s, &o);
    }
    ask(T0 + 100 * S, C, Q4, "www.example.org");
    nothing_was_told();
}

static void a_flow_nobody_used_is_no_failure(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_NONE);
    ask(T0 + 50 * MS, C, Q4, "www.example.org");
    nothing_was_told();
}

static void clear_text_beside_a_slow_attempt_is_innocent(void **state)
{
    struct observation o;
    uint64_t id = attempt(T0, C, Q4);

    (void)state;
    ask(T0 + 10 * MS, C, Q4, "www.example.org"); /* at the same time, not after it */
    give_up(T0 + 2900 * MS, T0, C, Q4, id, CAUSE_TIMEOUT);
    id = attempt(T0 + 10 * S, "10.30.5.5", Q4);
    ask(T0 + 11 * S, "10.30.5.5", Q4, "www.example.org");
    o = outcome(T0 + 12 * S, T0 + 10 * S, "10.30.5.5", Q4, FLOW_ESTABLISHED, id);
    scene_see(&s, &o); /* it worked after all */
    nothing_was_told();
}

static void clear_text_long_after_is_no_consequence(void **state)
{
    (void)state;
    fail_at_once(T0, C, Q4, CAUSE_RESET);
    ask(T0 + 60 * S, C, Q4, "www.example.org");
    nothing_was_told();
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_makes_an_informational_event),
        cmocka_unit_test(where_an_icmp_error_comes_from),
        cmocka_unit_test(a_reset_is_held_against_the_ttl_of_flows_that_worked),
        cmocka_unit_test(clear_text_answers_tell_a_reset_at_first_sight),
        cmocka_unit_test(a_group_is_all_of_an_operator),
        SCENE(a_name_of_the_operator_joins_the_group),
        cmocka_unit_test(an_impostor_is_told_from_the_server),
        cmocka_unit_test(an_icmp_error_in_the_servers_name),
        SCENE(one_sign_names_the_path_but_is_weaker),
        SCENE(a_lone_odd_form_proves_nothing),
        SCENE(a_reset_that_comes_too_early_and_from_elsewhere),
        SCENE(a_server_of_several_routes_accuses_nobody),
        SCENE(a_query_before_the_silent_failure_is_known_counts),
        SCENE(one_event_for_a_client_and_a_group),
        SCENE(clear_text_to_another_resolver_is_not_innocent),
        SCENE(clear_text_over_tcp_counts),
        SCENE(a_doq_attempt_that_nobody_answers_counts),
        SCENE(a_doh_attempt_at_a_resolvers_own_address_counts),
        SCENE(proven_encryption_makes_it_graver),
        SCENE(an_injected_reset_after_success_is_high),
        SCENE(a_strict_like_client_is_high),
        SCENE(our_own_rule_is_told_as_such),
        SCENE(bootstrap_and_then_a_leak_is_one),
        SCENE(a_new_fallback_after_recovery_is_told_again),
        SCENE(an_old_count_is_no_success),
        SCENE(who_settles_in_clear_text_is_told_once),
        SCENE(the_other_family_of_one_client_is_the_same_client),
        SCENE(bootstrap_is_innocent),
        SCENE(bootstrap_of_an_earlier_sni_is_innocent),
        SCENE(bootstrap_is_known_by_the_address_it_resolves_to),
        SCENE(ddr_probes_and_inside_names_are_innocent),
        SCENE(a_name_the_inside_resolver_answers_with_a_private_address),
        SCENE(strict_clients_and_clear_clients_are_innocent),
        SCENE(upgrade_from_clear_text_is_innocent),
        SCENE(what_was_asked_in_clear_before_explains_itself),
        SCENE(a_client_that_lives_in_clear_text_and_tries_once),
        SCENE(but_a_burst_is_no_habit),
        SCENE(a_sibling_that_wins_takes_the_failure_back),
        SCENE(success_by_another_transport_takes_the_failure_back),
        SCENE(success_over_the_clients_other_family_takes_the_failure_back),
        SCENE(idle_close_and_reconnect_is_innocent),
        SCENE(a_flow_nobody_used_is_no_failure),
        SCENE(clear_text_beside_a_slow_attempt_is_innocent),
        SCENE(clear_text_long_after_is_no_consequence)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
