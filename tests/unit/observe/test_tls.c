#include "tls_trace.h"

static void send_alert(int side, uint8_t level, uint8_t description)
{
    uint8_t bytes[7];

    record(bytes, 21, 2);
    bytes[5] = level;
    bytes[6] = description;
    trace_data(&t, side, bytes, sizeof bytes);
}

static const struct observation *fails(enum cause cause)
{
    const struct observation *o = trace_phase(&t, FLOW_FAILED);

    assert_non_null(o);
    assert_string_equal(cause_name(o->flow.cause), cause_name(cause));
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_FAILED), 1);
    return o;
}

static void sum(uint32_t *queries, uint32_t *responses)
{
    *queries = *responses = 0;
    for (size_t i = 0; i < t.count; i++) {
        *queries += t.told[i].flow.queries;
        *responses += t.told[i].flow.responses;
    }
}

static void test_a_dot_conversation(void **state)
{
    const struct observation *o;
    uint8_t tickets[1024];
    size_t n;
    uint32_t queries, responses;

    (void)state;
    begin(853);
    hello();
    finished();
    n = record(tickets, 23, 250);
    n += record(tickets + n, 23, 250);
    send_record(0, 23, 147);
    trace_data(&t, 1, tickets, n);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 0);
    send_record(1, 23, 487);
    o = trace_phase(&t, FLOW_ESTABLISHED);
    assert_non_null(o);
    assert_int_equal(o->transport, TRANSPORT_DOT);
    assert_true(o->flow.queries_estimated);
    assert_true(o->flow.handshake_us > 0);
    assert_int_equal(o->flow.ttl_server, 57);
    send_record(0, 23, 277); /* two queries in one record */
    send_record(1, 23, 487);
    send_record(1, 23, 100); /* an answer that is not padded */
    send_record(0, 23, 19);  /* a prefix of its own ... */
    send_record(0, 23, 145); /* ... and its message */
    send_record(0, 21, 19);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    trace_end(&t);
    sum(&queries, &responses);
    assert_int_equal(queries, 4);
    assert_int_equal(responses, 3);
    o = trace_phase(&t, FLOW_IDENTIFIED);
    assert_int_equal(o->flow.identified_by, BY(BY_PORT));
    assert_int_equal(o->flow.confidence, 99);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    assert_null(trace_phase(&t, FLOW_FAILED));
}

/* All that the observations say of records together. */
static struct record_shape shape_told(void)
{
    struct record_shape all = {.exact = false};

    for (size_t i = 0; i < t.count; i++) {
        const struct record_shape *s = &t.told[i].flow.shape;

        all.client.records += s->client.records;
        all.client.messages += s->client.messages;
        all.client.padded += s->client.padded;
        all.client.large += s->client.large;
        all.client.octets += s->client.octets;
        all.server.records += s->server.records;
        all.server.messages += s->server.messages;
        all.server.padded += s->server.padded;
        all.exact |= s->exact;
        for (size_t b = 0; b < LATENCY_BUCKETS; b++)
            all.answer[b] = (uint8_t)(all.answer[b] + s->answer[b]);
    }
    return all;
}

static void test_shape_of_records(void **state)
{
    struct record_shape s;

    (void)state;
    begin(853);
    hello();
    finished();
    send_record(1, 23, 250); /* a ticket */
    send_record(0, 23, 147);
    t.now += 3 * NSEC_MS;
    send_record(1, 23, 487);
    send_record(0, 23, 277); /* two of 128: which of them is answered, nobody knows */
    send_record(1, 23, 487);
    send_record(1, 23, 19);  /* a prefix of its own ... */
    send_record(1, 23, 485); /* ... and its message */
    send_record(0, 23, 275); /* N = 256 */
    t.now += 20 * NSEC_MS;
    send_record(1, 23, 100);
    send_record(0, 23, 60); /* not padded */
    send_record(0, 23, 22); /* a key update */
    send_record(0, 23, 19); /* an alert */
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_end(&t);
    s = shape_told();
    assert_true(s.exact);
    assert_int_equal(s.client.records, 4);
    assert_int_equal(s.client.messages, 5);
    assert_int_equal(s.client.padded, 4);
    assert_int_equal(s.client.large, 1);
    assert_int_equal(s.client.octets, 130 + 260 + 258 + 43);
    assert_int_equal(s.server.records, 4);
    assert_int_equal(s.server.messages, 4);
    assert_int_equal(s.server.padded, 3);
    assert_int_equal(s.answer[latency_bucket(3000)], 1);
    assert_int_equal(s.answer[latency_bucket(20000)], 1);
}

static void tls_1_2_with(uint16_t cipher, unsigned query, unsigned answer)
{
    begin(853);
    t.alpn = "dot";
    t.cipher = cipher;
    send_record(0, 22, 200);
    send_record(1, 22, 2000);
    send_record(0, 22, 70);
    send_record(0, 20, 1);
    send_record(0, 22, 40);
    send_record(1, 20, 1);
    send_record(1, 22, 40);
    send_record(0, 23, (uint16_t)query);
    send_record(1, 23, (uint16_t)answer);
    trace_end(&t);
}

static void test_shape_by_suite(void **state)
{
    static const struct {
        uint16_t cipher, query, answer;
        bool exact;
    } cases[] = {{0xc02f, 154, 494, true},
                 {0xcca8, 146, 486, true},
                 {0xc0a2, 146, 486, true},
                 {0xc027, 192, 528, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_shape s;

        tls_1_2_with(cases[i].cipher, cases[i].query, cases[i].answer);
        s = shape_told();
        assert_int_equal(s.exact, cases[i].exact);
        assert_int_equal(s.client.padded, cases[i].exact);
        assert_int_equal(s.server.padded, cases[i].exact);
        assert_int_equal(s.client.messages, 1);
        assert_int_equal(s.server.messages, 1);
    }
}

/* Two tickets, each in its own segment, are no answer; a server without tickets may answer at once.
 */
static void test_tickets_are_no_answer(void **state)
{
    uint32_t queries, responses;

    (void)state;
    begin(853);
    hello();
    finished();
    send_record(0, 23, 147);
    send_record(1, 23, 250);
    send_record(1, 23, 250);
    trace_pass(&t, 2 * NSEC_S);
    assert_null(trace_phase(&t, FLOW_ESTABLISHED));
    send_record(0, 23, 19);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
    sum(&queries, &responses);
    assert_int_equal(responses, 0);
    begin(853); /* the first comes before the query */
    hello();
    finished();
    send_record(1, 23, 250);
    send_record(0, 23, 147);
    send_record(1, 23, 250);
    trace_pass(&t, 11 * NSEC_S);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
    begin(853); /* of OpenSSL one is a block shorter at times */
    hello();
    finished();
    send_record(0, 23, 147);
    send_record(1, 23, 250);
    send_record(1, 23, 234);
    trace_pass(&t, 11 * NSEC_S);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
    begin(853); /* one record alone was the answer */
    hello();
    finished();
    send_record(0, 23, 80);
    send_record(1, 23, 120);
    assert_null(trace_phase(&t, FLOW_ESTABLISHED));
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    assert_null(trace_phase(&t, FLOW_FAILED));
    trace_end(&t);
    sum(&queries, &responses);
    assert_int_equal(responses, 1);
}

static void test_hello_retry(void **state)
{
    (void)state;
    begin(853);
    send_record(0, 22, 290);
    send_record(1, 22, 88);
    send_record(1, 20, 1);
    send_record(0, 20, 1);
    send_record(0, 22, 320);
    send_record(1, 22, 122);
    send_record(1, 23, 40);
    send_record(1, 23, 600);
    send_record(0, 23, 69);
    send_record(0, 23, 63);
    send_record(1, 23, 250);
    send_record(1, 23, 250);
    trace_pass(&t, 2 * NSEC_S);
    assert_null(trace_phase(&t, FLOW_ESTABLISHED));
    send_record(1, 23, 90);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    trace_end(&t);
}

/* HTTP/2: settings are no answer, headers and body of a POST are one query. */
static void test_a_doh_conversation(void **state)
{
    struct policy *policy;
    uint32_t queries, responses;

    (void)state;
    begin(443);
    policy = use_resolver();
    t.alpn = "h2";
    hello();
    finished();
    send_record(0, 23, 56);
    send_record(0, 23, 92);
    send_record(0, 23, 154);
    send_record(1, 23, 250);
    send_record(1, 23, 250);
    send_record(1, 23, 32);
    send_record(1, 23, 26);
    assert_null(trace_phase(&t, FLOW_ESTABLISHED));
    send_record(1, 23, 50);
    send_record(1, 23, 87);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    assert_int_equal(trace_phase(&t, FLOW_ESTABLISHED)->transport, TRANSPORT_DOH2);
    assert_int_equal(trace_phase(&t, FLOW_ESTABLISHED)->flow.confidence, 85);
    trace_end(&t);
    policy_destroy(policy);
    sum(&queries, &responses);
    assert_int_equal(queries, 1);
    assert_int_equal(responses, 1);
}

static void test_tls_1_2(void **state)
{
    uint8_t bytes[4096];
    size_t n;
    uint32_t queries, responses;

    (void)state;
    begin(853);
    send_record(0, 22, 200);
    n = record(bytes, 22, 90);
    n += record(bytes + n, 22, 2000);
    n += record(bytes + n, 22, 4);
    trace_data(&t, 1, bytes, n);
    send_record(0, 22, 70);
    send_record(0, 20, 1);
    send_record(0, 22, 40);
    send_record(1, 22, 202);
    send_record(1, 20, 1);
    send_record(1, 22, 40);
    send_record(0, 23, 154);
    send_record(1, 23, 494);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 1);
    trace_end(&t);
    sum(&queries, &responses);
    assert_int_equal(queries, 1);
    assert_int_equal(responses, 1);
}

static void test_alpn_on_another_port(void **state)
{
    const struct observation *o;

    (void)state;
    begin(443);
    t.alpn = "dot";
    send_record(0, 22, 300);
    o = trace_phase(&t, FLOW_IDENTIFIED);
    assert_non_null(o);
    assert_int_equal(o->transport, TRANSPORT_DOT);
    assert_int_equal(o->flow.identified_by, BY(BY_ALPN));
    assert_string_equal(o->flow.tls.alpn, "dot");
    trace_end(&t);
}

static void test_tls_on_53(void **state)
{
    uint8_t bytes[512];
    const struct observation *o;

    (void)state;
    begin(53);
    record(bytes, 22, 300);
    bytes[5] = 1;
    t.sni = "example.com";
    trace_data(&t, 0, bytes, 305);
    send_record(1, 22, 100);
    trace_end(&t);
    o = trace_phase(&t, FLOW_IDENTIFIED);
    assert_non_null(o);
    assert_int_equal(o->transport, TRANSPORT_TLS);
    assert_int_equal(t.stats.dns_queries + t.stats.dns_malformed, 0);
}

/* RFC 9849: the extension alone is GREASE as a rule; with a public name in front it hides another
 * name, and that one is no resolver's even if the policy calls it so. */
static void test_outer_names(void **state)
{
    static char outer[1][256] = {"cloudflare-ech.com"};
    struct policy *policy;

    (void)state;
    for (int known = 0; known < 2; known++) {
        trace_begin(&t, IP_PROTO_TCP, 443);
        policy = calloc(1, sizeof *policy);
        policy->zones = calloc(2, sizeof *policy->zones);
        policy->zone_count = 2;
        policy->resolvers = calloc(1, sizeof *policy->resolvers);
        policy->resolver_count = 1;
        policy->resolvers->names = calloc(1, sizeof(char *));
        policy->resolvers->names[0] = strdup("cloudflare-ech.com");
        policy->resolvers->name_count = 1;
        policy->outer_names = calloc(1, sizeof outer);
        memcpy(policy->outer_names, outer, sizeof outer);
        policy->outer_name_count = (size_t)known;
        assert_int_equal(policy_compile(policy), 0);
        observer_use_policy(t.observer, policy);
        t.sni = "cloudflare-ech.com";
        t.ech = true;
        trace_handshake(&t);
        hello();
        finished();
        trace_end(&t);
        assert_non_null(trace_phase(&t, FLOW_IDENTIFIED));
        assert_int_equal(trace_phase(&t, FLOW_IDENTIFIED)->flow.tls.sni_outer, known);
        assert_int_equal(trace_phase(&t, FLOW_IDENTIFIED)->transport,
                         known ? TRANSPORT_TLS : TRANSPORT_DOH2);
        assert_int_equal(t.stats.hellos, 1);
        assert_int_equal(t.stats.hellos_ech, 1);
        assert_int_equal(t.stats.hellos_outer, known);
        policy_destroy(policy);
    }
}

static void test_plain_tls_is_let_go(void **state)
{
    const struct observation *o;
    uint64_t in = 0;

    (void)state;
    begin(443);
    t.sni = "www.example.com";
    hello();
    finished();
    send_record(0, 23, 200);
    assert_int_equal(t.states, 0);
    for (int i = 0; i < 100; i++)
        send_record(1, 23, 1200);
    trace_end(&t);
    o = trace_phase(&t, FLOW_IDENTIFIED);
    assert_int_equal(o->transport, TRANSPORT_TLS);
    for (size_t i = 0; i < t.count; i++)
        in += t.told[i].flow.bytes_in;
    assert_int_equal(in, 54 + 900 + 54 + 783 + 54 + 100 * (1205 + 54));
    assert_true(t.count < 8);
}

static void test_no_answer_to_syn(void **state)
{
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_segment_at(&t, 0, 1000, TCP_SYN, NULL, 0);
    trace_pass(&t, NSEC_S);
    trace_segment_at(&t, 0, 1000, TCP_SYN, NULL, 0);
    trace_pass(&t, 1900 * NSEC_MS - 40 * NSEC_MS);
    assert_null(trace_phase(&t, FLOW_FAILED));
    trace_pass(&t, 110 * NSEC_MS);
    o = fails(CAUSE_TIMEOUT);
    assert_int_equal(o->transport, TRANSPORT_DOT);
    assert_int_equal(o->flow.attempts, 2);
    assert_int_equal(o->flow.packets, 2);
    assert_false(o->flow.payload_seen);
    /* a late answer, and all goes on */
    t.seq[0] = 1001;
    trace_segment(&t, 1, TCP_SYN | TCP_ACK, NULL, 0);
    hello();
    finished();
    send_record(0, 23, 147);
    send_record(1, 23, 487);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 1);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 1);
}

static void test_packets_are_the_clock_too(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    t.now += 3 * NSEC_S;
    t.proto = IP_PROTO_UDP;
    t.server_port = 53;
    trace_datagram(&t, 0, m, trace_dns(m, 1, false, DNS_TYPE_A));
    assert_int_equal(t.count, 3);
    assert_int_equal(t.told[1].flow.phase, FLOW_FAILED);
    assert_int_equal(t.told[2].kind, OBSERVE_DNS);
    trace_end(&t);
}

static void test_resets(void **state)
{
    struct packet p;
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    trace_segment(&t, 1, TCP_RST | TCP_ACK, NULL, 0);
    o = fails(CAUSE_RESET);
    assert_int_equal(o->flow.origin, ORIGIN_UNKNOWN);
    assert_false(o->flow.from_client);
    trace_end(&t);
    begin(853); /* after the hello, with another TTL */
    send_record(0, 22, 300);
    p = trace_packet(&t, 1);
    p.tcp_flags = TCP_RST;
    p.ttl = 61;
    trace_give(&t, &p);
    o = fails(CAUSE_RESET);
    assert_int_equal(o->flow.origin, ORIGIN_PATH);
    assert_int_equal(o->flow.ttl_fault, 61);
    assert_int_equal(o->flow.ttl_server, 57);
    assert_true(o->flow.payload_seen);
    trace_end(&t);
}

static void test_icmp(void **state)
{
    struct packet p;
    const struct observation *o;
    const uint8_t router[4] = {192, 0, 2, 1};

    (void)state;
    for (int quic = 0; quic < 2; quic++) {
        uint8_t initial[1200] = {0xc0, 0, 0, 0, 1, 8, [14] = 0, 0, 0x44, 0xd0};

        trace_begin(&t, quic ? IP_PROTO_UDP : IP_PROTO_TCP, 853);
        if (quic)
            trace_datagram(&t, 0, initial, sizeof initial);
        else
            trace_segment(&t, 0, TCP_SYN, NULL, 0);
        p = trace_packet(&t, 1);
        p.quote = (struct packet_quote){
            .src = p.dst, .dst = p.src, .sport = p.dport, .dport = p.sport, .proto = t.proto};
        p.proto = IP_PROTO_ICMP;
        p.src = addr_v4(router);
        p.sport = p.dport = 0;
        p.icmp_type = 3;
        p.icmp_code = 4;
        trace_give(&t, &p); /* too big is no refusal */
        assert_null(trace_phase(&t, FLOW_FAILED));
        p.icmp_code = 13;
        trace_give(&t, &p);
        trace_give(&t, &p);
        o = fails(CAUSE_ICMP);
        assert_int_equal(o->flow.icmp_type, 3);
        assert_int_equal(o->flow.icmp_code, 13);
        assert_int_equal(o->flow.origin, ORIGIN_PATH);
        assert_true(addr_equal(&o->flow.icmp_source, &p.src));
        assert_int_equal(o->transport, quic ? TRANSPORT_DOQ : TRANSPORT_DOT);
        trace_end(&t);
    }
}

static void test_alerts(void **state)
{
    static const struct {
        int side;
        uint8_t level, alert;
        enum cause cause;
    } cases[] = {
        {0, 2, 48, CAUSE_CERTIFICATE}, {0, 2, 42, CAUSE_CERTIFICATE}, {0, 2, 46, CAUSE_CERTIFICATE},
        {1, 2, 40, CAUSE_TLS_ALERT},   {1, 2, 70, CAUSE_VERSION},     {1, 2, 71, CAUSE_VERSION},
        {1, 2, 120, CAUSE_TLS_ALERT},
    };
    const struct observation *o;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(853);
        if (cases[i].side == 0)
            hello();
        else
            send_record(0, 22, 300);
        send_alert(cases[i].side, cases[i].level, cases[i].alert);
        o = fails(cases[i].cause);
        assert_int_equal(o->flow.alert, cases[i].alert);
        assert_int_equal(o->flow.from_client, cases[i].side == 0);
        trace_end(&t);
    }
    begin(853); /* unrecognized_name as a warning: the handshake goes on */
    send_record(0, 22, 300);
    send_alert(1, 1, 112);
    assert_null(trace_phase(&t, FLOW_FAILED));
    trace_end(&t);
}

static void test_rejected_certificate(void **state)
{
    const struct observation *o;

    (void)state;
    begin(853); /* GnuTLS: an encrypted alert instead of Finished */
    hello();
    send_record(0, 20, 1);
    send_record(0, 23, 19);
    o = fails(CAUSE_CERTIFICATE);
    assert_int_equal(o->flow.alert, 255);
    assert_true(o->flow.from_client);
    trace_end(&t);
    begin(853); /* closed without a word */
    hello();
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    fails(CAUSE_CERTIFICATE);
    trace_end(&t);
    begin(853); /* reset */
    hello();
    trace_segment(&t, 0, TCP_RST, NULL, 0);
    fails(CAUSE_CERTIFICATE);
    trace_end(&t);
}

static void test_not_tls(void **state)
{
    const struct observation *o;

    (void)state;
    begin(853);
    send_record(0, 22, 300);
    trace_data(&t, 1, (const uint8_t *)"HTTP/1.1 400 Bad Request\r\n", 26);
    o = fails(CAUSE_NOT_TLS);
    assert_int_equal(o->transport, TRANSPORT_DOT);
    trace_end(&t);
    begin(853); /* the server speaks first */
    trace_data(&t, 1, (const uint8_t *)"SSH-2.0-OpenSSH_9.2\r\n", 21);
    o = fails(CAUSE_NOT_TLS);
    assert_int_equal(o->transport, TRANSPORT_DOT);
    trace_end(&t);
    begin(853); /* the client never meant TLS */
    trace_data(&t, 0, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18);
    trace_data(&t, 1, (const uint8_t *)"HTTP/1.1 200 OK\r\n\r\n", 19);
    trace_end(&t);
    assert_null(trace_phase(&t, FLOW_FAILED));
    o = trace_phase(&t, FLOW_PROGRESS);
    assert_non_null(o);
    assert_int_equal(o->transport, TRANSPORT_OTHER);
}

static void test_no_answer(void **state)
{
    (void)state;
    begin(853);
    send_record(0, 22, 300);
    trace_pass(&t, 9 * NSEC_S);
    assert_null(trace_phase(&t, FLOW_FAILED));
    trace_pass(&t, 2 * NSEC_S);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
    begin(853); /* the client gives up first */
    send_record(0, 22, 300);
    trace_pass(&t, 5 * NSEC_S);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    assert_true(fails(CAUSE_NO_ANSWER)->flow.from_client);
    trace_end(&t);
    begin(853); /* a query, and the server closes */
    hello();
    finished();
    send_record(0, 23, 147);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
    begin(853); /* a query, and silence */
    hello();
    finished();
    send_record(0, 23, 147);
    trace_pass(&t, 11 * NSEC_S);
    fails(CAUSE_NO_ANSWER);
    trace_end(&t);
}

static void test_unused_is_no_failure(void **state)
{
    (void)state;
    begin(853);
    hello();
    finished();
    trace_pass(&t, 12 * NSEC_S);
    send_record(0, 23, 19);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    assert_null(trace_phase(&t, FLOW_FAILED));
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    trace_end(&t);
    begin(853); /* nor is a bare connection */
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    trace_end(&t);
    assert_null(trace_phase(&t, FLOW_FAILED));
}

static void test_idle_after_success(void **state)
{
    (void)state;
    begin(853);
    hello();
    finished();
    send_record(0, 23, 147);
    send_record(1, 23, 487);
    trace_pass(&t, 301 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    assert_null(trace_phase(&t, FLOW_FAILED));
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
}

/* Counts come at most once a second, and all of them in the end. */
static void test_progress(void **state)
{
    uint32_t queries, responses;

    (void)state;
    begin(853);
    hello();
    finished();
    for (int i = 0; i < 100; i++) {
        send_record(0, 23, 147);
        send_record(1, 23, 487);
        trace_pass(&t, 100 * NSEC_MS);
    }
    assert_in_range(trace_count(&t, OBSERVE_FLOW, FLOW_PROGRESS), 7, 10);
    trace_end(&t);
    sum(&queries, &responses);
    assert_int_equal(queries, 100);
    assert_int_equal(responses, 100);
}

static void test_ports_are_used_again(void **state)
{
    uint64_t first;

    (void)state;
    begin(853);
    hello();
    first = t.told[0].flow_id;
    trace_segment(&t, 1, TCP_RST | TCP_ACK, NULL, 0);
    t.seq[0] += 70000;
    trace_pass(&t, NSEC_S);
    trace_handshake(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 2);
    assert_true(trace_phase(&t, FLOW_OPENED)->flow_id != first);
    trace_end(&t);
    assert_int_equal(t.stats.flows, 2);
}

/* A SYN that nobody answers does not end a live connection; a SYN-ACK to another one does. */
static void test_forged_syn(void **state)
{
    (void)state;
    begin(853);
    hello();
    finished();
    send_record(0, 23, 147);
    send_record(1, 23, 487);
    trace_segment_at(&t, 0, 77, TCP_SYN, NULL, 0);
    send_record(0, 23, 147);
    send_record(1, 23, 487);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 1);
    assert_null(trace_phase(&t, FLOW_CLOSED));
    t.seq[0] = 78;
    trace_segment(&t, 1, TCP_SYN | TCP_ACK, NULL, 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 2);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    hello();
    assert_non_null(trace_phase(&t, FLOW_IDENTIFIED));
    trace_segment(&t, 1, TCP_RST, NULL, 0);
    fails(CAUSE_RESET);
    trace_end(&t);
}

static void test_middle_of_a_conversation(void **state)
{
    const struct observation *o;
    uint8_t rest[600] = {9, 9, 9};

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_data(&t, 1, rest, sizeof rest); /* the end of a record */
    send_record(0, 23, 147);
    send_record(1, 23, 487);
    trace_end(&t);
    o = trace_phase(&t, FLOW_ESTABLISHED);
    assert_null(trace_phase(&t, FLOW_FAILED));
    assert_null(trace_phase(&t, FLOW_OPENED));
    if (o)
        assert_int_equal(o->transport, TRANSPORT_DOT);
    assert_int_equal(t.told[0].client_port, 40000);
}

/* One segment in a hundred is not in the capture: the counts stay within five in a hundred. */
static void test_loss_of_one_in_a_hundred(void **state)
{
    uint32_t queries, responses;
    uint8_t bytes[512];

    (void)state;
    begin(853);
    hello();
    finished();
    srand(11);
    for (int i = 0; i < 1000; i++) {
        for (int side = 0; side < 2; side++) {
            size_t n = record(bytes, 23, side ? 487 : 147);

            if (rand() % 100 == 0)
                t.seq[side] += (uint32_t)n;
            else
                trace_data(&t, side, bytes, n);
        }
        t.now += NSEC_MS;
    }
    trace_end(&t);
    sum(&queries, &responses);
    assert_in_range(queries, 950, 1000);
    assert_in_range(responses, 950, 1000);
    assert_true(t.stats.tcp_gaps > 5);
}

static void test_eviction_says_the_counts(void **state)
{
    const struct observer_limits limits = {.flows = 64};
    uint64_t packets = 0, flows = 0;

    (void)state;
    trace_begin_with(&t, &limits, IP_PROTO_TCP, 853);
    for (uint16_t i = 0; i < 1000; i++) {
        t.client_port = (uint16_t)(20000 + i);
        trace_segment(&t, 0, TCP_SYN, NULL, 0);
    }
    trace_end(&t);
    for (size_t i = 0; i < t.count; i++) {
        packets += t.told[i].flow.packets;
        flows += t.told[i].flow.flows;
    }
    assert_int_equal(packets, 1000);
    assert_int_equal(flows, 1000);
    assert_true(t.stats.flows_evicted >= 1000 - 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dot_conversation),
        cmocka_unit_test(test_shape_of_records),
        cmocka_unit_test(test_shape_by_suite),
        cmocka_unit_test(test_tickets_are_no_answer),
        cmocka_unit_test(test_hello_retry),
        cmocka_unit_test(test_a_doh_conversation),
        cmocka_unit_test(test_tls_1_2),
        cmocka_unit_test(test_alpn_on_another_port),
        cmocka_unit_test(test_tls_on_53),
        cmocka_unit_test(test_outer_names),
        cmocka_unit_test(test_plain_tls_is_let_go),
        cmocka_unit_test(test_no_answer_to_syn),
        cmocka_unit_test(test_packets_are_the_clock_too),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_icmp),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_rejected_certificate),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_unused_is_no_failure),
        cmocka_unit_test(test_idle_after_success),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_ports_are_used_again),
        cmocka_unit_test(test_forged_syn),
        cmocka_unit_test(test_middle_of_a_conversation),
        cmocka_unit_test(test_loss_of_one_in_a_hundred),
        cmocka_unit_test(test_eviction_says_the_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
