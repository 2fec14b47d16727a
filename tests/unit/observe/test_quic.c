#include "observe/quic.h"
#include "trace.h"

static struct trace t;
static uint8_t bytes[1500];

/* A long-header packet of version 1 with 8-byte connection ids and `body` bytes behind them. */
static size_t long_packet(uint8_t *out, uint8_t type, uint16_t body)
{
    size_t n = 0;

    out[n++] = (uint8_t)(0xc0 | type << 4);
    memcpy(out + n, "\0\0\0\1", 4);
    n += 4;
    for (int i = 0; i < 2; i++) {
        out[n++] = 8;
        memset(out + n, 0x11, 8);
        n += 8;
    }
    if (type == 0)
        out[n++] = 0; /* no token */
    out[n++] = (uint8_t)(0x40 | body >> 8);
    out[n++] = (uint8_t)body;
    memset(out + n, 0x22, body);
    return n + body;
}

static size_t short_packet(uint8_t *out, size_t length)
{
    memset(out, 0x33, length);
    out[0] = 0x41;
    return length;
}

static void test_look(void **state)
{
    struct quic_sight s;
    size_t n = long_packet(bytes, 0, 200);

    (void)state;
    s = quic_look(bytes, n);
    assert_true(s.initial && s.long_header && s.one_rtt == 0);
    n += long_packet(bytes + n, 2, 100);
    n += short_packet(bytes + n, 90);
    s = quic_look(bytes, n);
    assert_true(s.initial && s.long_header);
    assert_int_equal(s.one_rtt, 90);
    s = quic_look(bytes, 10);
    assert_false(s.long_header);
    for (size_t i = 0; i <= n; i++)
        quic_look(bytes, i);
    memcpy(bytes, "\xc0\x6b\x33\x43\xcf", 5); /* version 2 numbers its types from 1 */
    assert_false(quic_look(bytes, n).initial);
    bytes[0] = 0xd0;
    assert_true(quic_look(bytes, n).initial);
    assert_true(quic_is_dnscrypt((const uint8_t *)"r6fnvWj8rest", 12));
    assert_false(quic_is_dnscrypt((const uint8_t *)"r6fnvWj", 7));
    n = trace_dns(bytes, 7, false, DNS_TYPE_TXT);
    assert_false(quic_is_dnscrypt(bytes, n));
    memcpy(bytes + 12,
           "\1"
           "2\7example\3com\0\0\20\0\1",
           19);
    assert_true(quic_is_dnscrypt(bytes, 31));
    assert_false(quic_is_dnscrypt(bytes, 26));
}

static void initial(int side)
{
    trace_datagram(&t, side, bytes, long_packet(bytes, 0, 1180));
}

static void one_rtt(int side, size_t length)
{
    trace_datagram(&t, side, bytes, short_packet(bytes, length));
}

static void test_a_doq_conversation(void **state)
{
    const struct observation *o;
    uint32_t queries = 0, responses = 0;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 784);
    t.alpn = "doq-i00";
    initial(0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_OPENED), 1);
    o = trace_phase(&t, FLOW_IDENTIFIED);
    assert_non_null(o);
    assert_int_equal(o->transport, TRANSPORT_DOQ);
    assert_int_equal(o->flow.identified_by, BY(BY_ALPN));
    t.now += 20 * NSEC_MS;
    initial(1);
    t.now += 20 * NSEC_MS;
    one_rtt(0, 30);
    one_rtt(0, 90);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_ESTABLISHED), 0);
    one_rtt(1, 120);
    o = trace_phase(&t, FLOW_ESTABLISHED);
    assert_non_null(o);
    assert_int_equal(o->flow.handshake_us, 40000);
    one_rtt(1, 120);
    trace_end(&t);
    for (size_t i = 0; i < t.count; i++) {
        queries += t.told[i].flow.queries;
        responses += t.told[i].flow.responses;
    }
    assert_int_equal(queries, 1);
    assert_int_equal(responses, 1);
    assert_null(trace_phase(&t, FLOW_FAILED));
}

static void test_no_reply(void **state)
{
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 853);
    initial(0);
    initial(0); /* the second half of one hello */
    trace_pass(&t, NSEC_S);
    initial(0);
    trace_pass(&t, 2 * NSEC_S);
    o = trace_phase(&t, FLOW_FAILED);
    assert_non_null(o);
    assert_int_equal(o->flow.cause, CAUSE_TIMEOUT);
    assert_int_equal(o->transport, TRANSPORT_DOQ);
    assert_int_equal(o->flow.attempts, 2);
    assert_true(o->flow.payload_seen);
    trace_pass(&t, 100 * NSEC_S);
    trace_end(&t);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_FAILED), 1);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 0);
}

static void test_handshake_stalls(void **state)
{
    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 853);
    initial(0);
    initial(1);
    trace_pass(&t, 11 * NSEC_S);
    assert_non_null(trace_phase(&t, FLOW_FAILED));
    assert_int_equal(trace_phase(&t, FLOW_FAILED)->flow.cause, CAUSE_NO_ANSWER);
    trace_end(&t);
}

static void test_web_is_counted_only(void **state)
{
    uint64_t in = 0;
    uint32_t queries = 0;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 443);
    t.sni = "www.example.com";
    t.alpn = "h3";
    initial(0);
    initial(1);
    for (int i = 0; i < 50; i++) {
        one_rtt(0, 80);
        one_rtt(1, 1200);
    }
    assert_int_equal(t.states, 0);
    trace_end(&t);
    for (size_t i = 0; i < t.count; i++) {
        in += t.told[i].flow.bytes_in;
        queries += t.told[i].flow.queries;
    }
    assert_int_equal(in, 50 * 1242 + 1180 + 26 + 42 - 5 + 5);
    assert_int_equal(queries, 0);
    assert_int_equal(trace_phase(&t, FLOW_IDENTIFIED)->transport, TRANSPORT_QUIC);
    assert_true(t.count < 8);
}

static void test_dnscrypt(void **state)
{
    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 443);
    memset(bytes, 0x21, 512);
    trace_datagram(&t, 0, bytes, 512);
    memcpy(bytes, "r6fnvWj8", 8);
    trace_datagram(&t, 1, bytes, 512);
    trace_end(&t);
    assert_non_null(trace_phase(&t, FLOW_IDENTIFIED));
    assert_int_equal(trace_phase(&t, FLOW_IDENTIFIED)->transport, TRANSPORT_DNSCRYPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_a_doq_conversation),
        cmocka_unit_test(test_no_reply),
        cmocka_unit_test(test_handshake_stalls),
        cmocka_unit_test(test_web_is_counted_only),
        cmocka_unit_test(test_dnscrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
