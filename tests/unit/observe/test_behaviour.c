#include "observe/behaviour.h"
#include "trace.h"

static struct trace t;

static size_t record(uint8_t *out, uint8_t type, uint16_t length)
{
    memset(out, 0, 5u + length);
    out[0] = type;
    out[1] = 3;
    out[2] = 3;
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)length;
    return 5u + length;
}

static void send_record(int side, uint8_t type, uint16_t length)
{
    uint8_t bytes[16384 + 5];

    trace_data(&t, side, bytes, record(bytes, type, length));
}

/* A connection of TLS 1.3 that is nothing else yet. */
static void connect_to(const struct observer_limits *limits, uint16_t port)
{
    trace_begin_with(&t, limits, IP_PROTO_TCP, port);
    t.sni = "www.example.com";
    trace_handshake(&t);
    send_record(0, 22, 300);
    t.now += NSEC_MS;
    send_record(1, 22, 122);
    send_record(1, 23, 1500);
    send_record(0, 23, 53);
    t.now += NSEC_MS;
}

/* A POST: headers and a padded query in two records, answered by two. */
static void exchange(uint16_t query, uint16_t answer, nsec_t wait)
{
    send_record(0, 23, 55);
    send_record(0, 23, query);
    t.now += wait;
    send_record(1, 23, 60);
    send_record(1, 23, answer);
    t.now += 200 * NSEC_MS;
}

static int32_t told(enum feature feature)
{
    const struct observation *o = trace_phase(&t, FLOW_BEHAVIOUR);

    assert_non_null(o);
    return o->flow.behaviour.feature[feature];
}

static void test_features_of_doh(void **state)
{
    (void)state;
    connect_to(NULL, 443);
    for (int i = 0; i < 9; i++)
        exchange(154, 494, 20 * NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 0);
    t.now += 2 * NSEC_S;
    exchange(282, 494, 400 * NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 1);
    assert_int_equal(t.stats.behaviours, 1);
    assert_string_equal(trace_phase(&t, FLOW_BEHAVIOUR)->flow.tls.sni, "www.example.com");
    assert_int_equal(told(FEATURE_QUIC), 0);
    assert_int_equal(told(FEATURE_CLIENT_RECORDS), 20);
    assert_int_equal(told(FEATURE_SERVER_RECORDS), 19); /* told when it can be */
    assert_int_equal(told(FEATURE_CLIENT_MEDIAN), 154);
    assert_int_equal(told(FEATURE_CLIENT_P90), 154);
    assert_int_equal(told(FEATURE_CLIENT_QUERY), 1000);
    assert_int_equal(told(FEATURE_CLIENT_DISTINCT), 3 * 1000 / 17);
    assert_int_equal(told(FEATURE_CLIENT_LATTICE), 9 * 1000 / 17); /* 154 and 282 by 128 */
    assert_int_equal(told(FEATURE_CLIENT_PAIRED), 500);
    assert_int_equal(told(FEATURE_SERVER_MEDIAN), 60);
    assert_int_equal(told(FEATURE_SERVER_SMALL), 1000);
    assert_int_equal(told(FEATURE_BURST), 554);
    assert_int_equal(told(FEATURE_ANSWERED), 900); /* the last came after 400 ms */
    assert_int_equal(told(FEATURE_GAPS), 100);
    assert_int_equal(told(FEATURE_LIFETIME), 9 * 220 + 2000);
    assert_int_equal(told(FEATURE_RATIO), 1000 * (10 * 60 + 9 * 494) / (10 * 55 + 9 * 154 + 282));
    trace_end(&t);
}

/* Again after each 64 records, and no more after the third. */
static void test_told_again(void **state)
{
    (void)state;
    connect_to(NULL, 443);
    for (int i = 0; i < 42; i++)
        exchange(154, 494, NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 2);
    for (int i = 0; i < 200; i++)
        exchange(154, 494, NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 3);
    assert_int_equal(told(FEATURE_CLIENT_RECORDS), 148);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 3);
}

/* TLS 1.2 has other overheads; the lengths told are those of TLS 1.3. */
static void test_lengths_of_tls_1_2(void **state)
{
    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 443);
    t.sni = "www.example.com";
    t.cipher = 0xc02b; /* AES-128-GCM */
    trace_handshake(&t);
    send_record(0, 22, 300);
    send_record(1, 22, 1500);
    send_record(0, 22, 70);
    send_record(0, 20, 1);
    send_record(0, 22, 40);
    send_record(1, 20, 1);
    send_record(1, 22, 40);
    for (int i = 0; i < 12; i++)
        exchange(161, 501, NSEC_MS);
    assert_int_equal(told(FEATURE_CLIENT_P90), 154);
    trace_end(&t);
}

static void test_slow_ones_are_told_of(void **state)
{
    (void)state;
    connect_to(NULL, 443);
    for (int i = 0; i < 6; i++)
        exchange(154, 494, NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 0);
    trace_pass(&t, 12 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 1);
    assert_int_equal(told(FEATURE_CLIENT_RECORDS), 12);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 1);
    connect_to(NULL, 443); /* too little for any word */
    for (int i = 0; i < 5; i++)
        exchange(154, 494, NSEC_MS);
    trace_pass(&t, 12 * NSEC_S);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 0);
}

static void test_the_end_is_told_of(void **state)
{
    (void)state;
    connect_to(NULL, 443);
    for (int i = 0; i < 7; i++)
        exchange(154, 494, NSEC_MS);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 1);
    assert_false(trace_phase(&t, FLOW_CLOSED)->flow.bulky);
    trace_end(&t);
}

/* The web is let go at its first burst, and says so at its end. */
static void test_bulk_is_let_go(void **state)
{
    (void)state;
    connect_to(NULL, 443);
    send_record(0, 23, 200);
    send_record(1, 23, 8000);
    send_record(1, 23, 300);
    for (int i = 0; i < 40; i++)
        exchange(154, 494, NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 0);
    trace_end(&t);
    assert_true(trace_phase(&t, FLOW_CLOSED)->flow.bulky);
}

/* Known resolvers need no guess. */
static void test_dot_is_not_watched(void **state)
{
    (void)state;
    connect_to(NULL, 853);
    for (int i = 0; i < 40; i++)
        exchange(147, 487, NSEC_MS);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 0);
    assert_int_equal(t.stats.behaviours_unwatched, 0);
}

static void test_bounded(void **state)
{
    struct observer_limits limits = {.flows = 64};

    (void)state;
    connect_to(&limits, 443);
    send_record(0, 23, 200);
    for (uint16_t i = 1; i < 12; i++) {
        t.client_port = (uint16_t)(40000 + i);
        trace_handshake(&t);
        send_record(0, 22, 300);
        send_record(1, 22, 122);
        send_record(1, 23, 1500);
        send_record(0, 23, 53);
        send_record(0, 23, 200);
    }
    assert_int_equal(t.stats.behaviours_unwatched, 12 - (64 / 32 + 8));
    trace_end(&t);
}

static void quic_packet_of(int side, uint8_t first, size_t length)
{
    uint8_t bytes[1300];

    memset(bytes, 0, sizeof bytes);
    bytes[0] = first;
    bytes[4] = 1; /* version 1, where the header is long */
    if (first & 0x80) {
        bytes[5] = bytes[14] = 8;
        bytes[24] = 0x44; /* a varint of two octets: 1,100 */
        bytes[25] = 0x4c;
    }
    trace_datagram(&t, side, bytes, length);
    t.now += NSEC_MS;
}

static void test_quic(void **state)
{
    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 443);
    t.sni = "www.example.com";
    quic_packet_of(0, 0xc0, 1200);
    quic_packet_of(1, 0xc0, 1200);
    quic_packet_of(0, 0x40, 80);
    for (int i = 0; i < 30; i++) {
        quic_packet_of(0, 0x40, 150);
        quic_packet_of(0, 0x40, 30); /* an acknowledgment */
        quic_packet_of(1, 0x40, 200);
    }
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_BEHAVIOUR), 1);
    assert_int_equal(told(FEATURE_QUIC), 1);
    assert_int_equal(told(FEATURE_CLIENT_MEDIAN), 150);
    assert_int_equal(told(FEATURE_SERVER_MEDIAN), 200);
    assert_int_equal(told(FEATURE_CLIENT_RECORDS), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_of_doh),
        cmocka_unit_test(test_told_again),
        cmocka_unit_test(test_lengths_of_tls_1_2),
        cmocka_unit_test(test_slow_ones_are_told_of),
        cmocka_unit_test(test_the_end_is_told_of),
        cmocka_unit_test(test_bulk_is_let_go),
        cmocka_unit_test(test_dot_is_not_watched),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_quic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
