#include "trace.h"

static struct trace t;

static void begin(void)
{
    trace_begin(&t, IP_PROTO_TCP, 53);
    trace_handshake(&t);
}

static void test_a_connection(void **state)
{
    uint8_t m[64];
    const struct observation *o;
    uint64_t out = 0, in = 0, flows = 0, packets = 0;

    (void)state;
    begin();
    trace_data(&t, 0, m, trace_dns_tcp(m, 7, false));
    t.now += 2 * NSEC_MS;
    trace_data(&t, 1, m, trace_dns_tcp(m, 7, true));
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 0, TCP_ACK, NULL, 0);
    trace_end(&t);
    assert_int_equal(t.stats.dns_queries, 1);
    assert_int_equal(t.stats.dns_responses, 1);
    assert_int_equal(t.told[0].flow.phase, FLOW_OPENED);
    assert_int_equal(t.told[0].transport, TRANSPORT_DO53_TCP);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 1);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_FAILED), 0);
    o = trace_phase(&t, FLOW_ESTABLISHED);
    assert_int_equal(o->flow.attempts, 1);
    for (size_t i = 0; i < t.count; i++) {
        if (t.told[i].kind != OBSERVE_FLOW) {
            assert_int_equal(t.told[i].bytes, 0);
            assert_true(t.told[i].flow_id == o->flow_id);
            continue;
        }
        out += t.told[i].flow.bytes_out;
        in += t.told[i].flow.bytes_in;
        flows += t.told[i].flow.flows;
        packets += t.told[i].flow.packets;
        assert_int_equal(t.told[i].flow.queries + t.told[i].flow.responses, 0);
    }
    assert_int_equal(flows, 1);
    assert_int_equal(packets, 8);
    assert_int_equal(out, 5 * 54 + 35);
    assert_int_equal(in, 3 * 54 + 35);
}

/* A zone in two messages, the second without a question (RFC 5936 2.2). */
static void test_several_answers_to_one_query(void **state)
{
    uint8_t m[64];

    (void)state;
    begin();
    trace_data(&t, 0, m, trace_dns_tcp(m, 7, false));
    trace_data(&t, 1, m, trace_dns_tcp(m, 7, true));
    memset(m + 6, 0, 8);
    m[1] = 12;
    trace_data(&t, 1, m, 14);
    trace_end(&t);
    assert_int_equal(t.stats.dns_responses, 2);
    assert_int_equal(t.stats.dns_unmatched, 0);
    assert_int_equal(t.stats.dns_malformed, 0);
}

static void test_split_at_every_byte(void **state)
{
    uint8_t m[64];
    size_t n = trace_dns_tcp(m, 7, false);

    (void)state;
    for (size_t at = 1; at < n; at++) {
        begin();
        trace_data(&t, 0, m, at);
        trace_data(&t, 0, m + at, n - at);
        assert_int_equal(t.stats.dns_queries, 1);
        trace_end(&t);
    }
}

static void test_many_in_one_segment(void **state)
{
    uint8_t m[512];
    size_t n = 0;

    (void)state;
    begin();
    for (uint16_t i = 0; i < 5; i++)
        n += trace_dns_tcp(m + n, i, false);
    trace_data(&t, 0, m, n - 7);
    assert_int_equal(t.stats.dns_queries, 4);
    trace_data(&t, 0, m + n - 7, 7);
    assert_int_equal(t.stats.dns_queries, 5);
    trace_end(&t);
    assert_int_equal(t.stats.dns_malformed, 0);
}

/* Retransmitted whole, in part, and out of order: each message counts once. */
static void test_disorder(void **state)
{
    uint8_t m[256];
    size_t n = 0;
    uint32_t first;

    (void)state;
    begin();
    for (uint16_t i = 0; i < 3; i++)
        n += trace_dns_tcp(m + n, i, false);
    first = t.seq[0];
    trace_segment_at(&t, 0, first + 80, TCP_ACK, m + 80, n - 80);
    trace_segment_at(&t, 0, first + 40, TCP_ACK, m + 40, 50);
    assert_int_equal(t.stats.dns_queries, 0);
    trace_segment_at(&t, 0, first, TCP_ACK, m, 40);
    assert_int_equal(t.stats.dns_queries, 3);
    trace_segment_at(&t, 0, first, TCP_ACK, m, n);
    trace_segment_at(&t, 0, first + 20, TCP_ACK, m + 20, 20);
    assert_int_equal(t.stats.dns_queries, 3);
    assert_int_equal(t.stats.tcp_retransmitted, 2);
    assert_true(t.stats.tcp_out_of_order > 0);
    assert_int_equal(t.stats.tcp_gaps, 0);
    trace_end(&t);
}

/* A segment of the server that the capture lacks, seen by the client's acknowledgment. */
static void test_lost_segment(void **state)
{
    uint8_t m[64];
    size_t n = trace_dns_tcp(m, 1, false);

    (void)state;
    begin();
    trace_data(&t, 0, m, n);
    n = trace_dns_tcp(m, 1, true);
    trace_data(&t, 1, m, n);
    t.seq[1] += 200;
    n = trace_dns_tcp(m, 2, true);
    trace_data(&t, 1, m, n);
    assert_int_equal(t.stats.dns_responses, 1);
    trace_segment(&t, 0, TCP_ACK, NULL, 0);
    assert_int_equal(t.stats.dns_responses, 2);
    assert_int_equal(t.stats.tcp_gaps, 1);
    n = trace_dns_tcp(m, 3, true);
    trace_data(&t, 1, m, n);
    assert_int_equal(t.stats.dns_responses, 3);
    trace_end(&t);
}

/* Only one direction was captured: nothing acknowledges, so patience ends the wait. */
static void test_lost_segment_one_way(void **state)
{
    uint8_t m[64];
    size_t n = trace_dns_tcp(m, 1, false);

    (void)state;
    begin();
    trace_data(&t, 0, m, n);
    t.seq[0] += 40;
    trace_data(&t, 0, m, trace_dns_tcp(m, 2, false));
    assert_int_equal(t.stats.dns_queries, 1);
    trace_pass(&t, 3 * NSEC_S);
    assert_int_equal(t.stats.dns_queries, 2);
    assert_int_equal(t.stats.tcp_gaps, 1);
    trace_end(&t);
}

/* The prefix in a segment of its own, behind a hole. */
static void test_resynchronises_on_a_bare_prefix(void **state)
{
    uint8_t m[64];
    size_t n = trace_dns_tcp(m, 1, false);

    (void)state;
    begin();
    trace_data(&t, 0, m, n);
    t.seq[0] += 2; /* a prefix is lost, its message is not: it cannot be told apart */
    trace_segment(&t, 1, TCP_ACK, NULL, 0);
    trace_data(&t, 0, m + 2, n - 2);
    for (int i = 0; i < 3; i++) {
        trace_segment(&t, 1, TCP_ACK, NULL, 0);
        trace_data(&t, 0, m, 2);
        trace_data(&t, 0, m + 2, n - 2);
    }
    assert_int_equal(t.stats.dns_queries, 4);
    assert_int_equal(t.stats.dns_malformed, 0);
    trace_end(&t);
}

static void test_middle_of_a_stream(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 53);
    trace_data(&t, 1, (const uint8_t *)"the end of something", 20);
    trace_data(&t, 0, m, trace_dns_tcp(m, 1, false));
    trace_data(&t, 1, m, trace_dns_tcp(m, 1, true));
    assert_int_equal(t.stats.dns_queries, 1);
    assert_int_equal(t.stats.dns_responses, 1);
    assert_int_equal(t.stats.dns_malformed, 0);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 1);
}

/* A prefix that claims more than ever comes counts for nothing and costs no more than it brings. */
static void test_not_dns(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: example\r\n\r\n";

    (void)state;
    begin();
    trace_data(&t, 0, (const uint8_t *)get, sizeof get - 1);
    trace_data(&t, 1, (const uint8_t *)"HTTP/1.1 200 OK\r\n\r\n", 19);
    trace_segment(&t, 0, TCP_FIN | TCP_ACK, NULL, 0);
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    assert_int_equal(t.stats.dns_queries + t.stats.dns_responses, 0);
    trace_end(&t);
}

static void test_snapped_stream_stays_in_step(void **state)
{
    uint8_t m[64];
    struct packet p;
    size_t n = trace_dns_tcp(m, 1, true);

    (void)state;
    begin();
    for (int i = 0; i < 3; i++) {
        p = trace_packet(&t, 1);
        p.tcp_flags = TCP_ACK;
        p.seq = t.seq[1];
        p.ack = t.seq[0];
        p.payload = m;
        p.payload_length = (uint32_t)n - 10;
        p.payload_missing = 10;
        t.seq[1] += (uint32_t)n;
        trace_give(&t, &p);
    }
    assert_int_equal(t.stats.dns_responses, 3);
    assert_int_equal(t.stats.dns_malformed, 0);
    trace_end(&t);
}

static void test_failures(void **state)
{
    const struct observation *o;
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 53);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    trace_segment(&t, 1, TCP_RST | TCP_ACK, NULL, 0);
    o = trace_phase(&t, FLOW_FAILED);
    assert_non_null(o);
    assert_int_equal(o->flow.cause, CAUSE_RESET);
    assert_int_equal(o->flow.flows, 1);
    assert_int_equal(o->flow.origin, ORIGIN_UNKNOWN);
    trace_end(&t);
    begin();
    trace_data(&t, 0, m, trace_dns_tcp(m, 1, false));
    trace_segment(&t, 1, TCP_FIN | TCP_ACK, NULL, 0);
    o = trace_phase(&t, FLOW_FAILED);
    assert_non_null(o);
    assert_int_equal(o->flow.cause, CAUSE_NO_ANSWER);
    assert_false(o->flow.from_client);
    trace_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection),
        cmocka_unit_test(test_several_answers_to_one_query),
        cmocka_unit_test(test_split_at_every_byte),
        cmocka_unit_test(test_many_in_one_segment),
        cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_lost_segment),
        cmocka_unit_test(test_lost_segment_one_way),
        cmocka_unit_test(test_resynchronises_on_a_bare_prefix),
        cmocka_unit_test(test_middle_of_a_stream),
        cmocka_unit_test(test_not_dns),
        cmocka_unit_test(test_snapped_stream_stays_in_step),
        cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
