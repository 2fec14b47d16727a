/* Each test of who sent a reset, and the server's own resets, which show none. */
#include "trace.h"

static struct trace t;

static struct packet reset_packet(uint8_t flags, uint32_t seq)
{
    struct packet p = trace_packet(&t, 1);

    p.tcp_flags = TCP_RST | flags;
    p.seq = seq;
    p.ack = flags & TCP_ACK ? t.seq[0] : 0;
    return p;
}

static void hello(void)
{
    uint8_t bytes[305] = {22, 3, 3, 1, 44};

    trace_data(&t, 0, bytes, sizeof bytes);
    t.now += NSEC_MS;
}

static void begin(void)
{
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_handshake(&t);
    t.now += NSEC_MS;
    hello();
}

/* The server's packets, with the IP IDs given. */
static void server_sends(const uint16_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[45] = {22, 3, 3, 0, 40};
        struct packet p = trace_packet(&t, 1);

        p.tcp_flags = TCP_ACK;
        p.seq = t.seq[1];
        p.ack = t.seq[0];
        p.ip_id = ids[i];
        p.payload = bytes;
        p.payload_length = sizeof bytes;
        trace_give(&t, &p);
        t.seq[1] += sizeof bytes;
        t.now += NSEC_MS;
    }
}

static void expect(unsigned signs, enum origin origin)
{
    const struct observation *o = trace_phase(&t, FLOW_FAILED);

    assert_non_null(o);
    assert_int_equal(o->flow.cause, CAUSE_RESET);
    assert_int_equal(o->flow.signs, signs);
    assert_string_equal(origin_name(o->flow.origin), origin_name(origin));
}

static void give(const struct packet *p)
{
    trace_give(&t, p);
}

static void test_a_refusal_by_the_server(void **state)
{
    struct packet p;

    (void)state;
    trace_begin(&t, IP_PROTO_TCP, 853);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    t.now += 3 * NSEC_MS;
    p = reset_packet(TCP_ACK, 0);
    give(&p);
    expect(0, ORIGIN_UNKNOWN); /* nothing to hold it against, yet */
    assert_int_equal(trace_phase(&t, FLOW_FAILED)->flow.gap_us, 3000);
    assert_int_equal(trace_phase(&t, FLOW_FAILED)->flow.rtt_us, 0);
    trace_end(&t);
    begin(); /* ... and after the hello: the stack answers from no socket, or closes one */
    p = reset_packet(0, t.seq[1]);
    give(&p);
    expect(0, ORIGIN_SERVER);
    assert_int_equal(trace_phase(&t, FLOW_FAILED)->flow.rtt_us, 1000);
    trace_end(&t);
    begin();
    p = reset_packet(TCP_ACK, t.seq[1]);
    p.window = 502;
    p.ip_id = 40000;
    give(&p);
    expect(0, ORIGIN_SERVER);
    trace_end(&t);
}

static void test_ttl(void **state)
{
    (void)state;
    for (int hops = -4; hops <= 4; hops++) {
        struct packet p;

        begin();
        p = reset_packet(TCP_ACK, t.seq[1]);
        p.ttl = (uint8_t)(57 + hops);
        give(&p);
        if (hops == 0)
            expect(0, ORIGIN_SERVER);
        else
            expect(hops >= 3 || hops <= -3 ? RESET_TTL : 0, ORIGIN_UNKNOWN);
        trace_end(&t);
    }
}

static void test_ip_id(void **state)
{
    static const struct {
        uint16_t before[3], reset;
        unsigned signs;
    } row[] = {{{0, 0, 0}, 7, RESET_IP_ID}, {{0, 0, 0}, 0, 0},
               {{100, 101, 102}, 103, 0},   {{100, 101, 102}, 9000, RESET_IP_ID},
               {{100, 101, 102}, 0, 0},       /* from no socket */
               {{100, 30000, 102}, 9000, 0}}; /* drawn at random */

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct packet p;

        begin();
        server_sends(row[i].before, 3);
        p = reset_packet(TCP_ACK, t.seq[1]);
        p.ip_id = row[i].reset;
        give(&p);
        expect(row[i].signs, row[i].signs ? ORIGIN_UNKNOWN : ORIGIN_SERVER);
        trace_end(&t);
    }
}

static void test_two_agree(void **state)
{
    static const uint16_t ids[] = {0, 0, 0};
    struct packet p;

    (void)state;
    begin();
    server_sends(ids, 3);
    p = reset_packet(TCP_ACK, t.seq[1]);
    p.ip_id = 54321;
    p.ttl = 128;
    give(&p);
    expect(RESET_IP_ID | RESET_TTL, ORIGIN_PATH);
    trace_end(&t);
}

static void test_form(void **state)
{
    struct packet p;

    (void)state;
    for (int i = 0; i < 3; i++) {
        trace_begin(&t, IP_PROTO_TCP, 853);
        trace_segment(&t, 0, TCP_SYN, NULL, 0);
        p = reset_packet(i == 0 ? 0 : TCP_ACK, 0);
        p.ack = i == 1 ? 12345678 : p.ack;
        p.window = i == 2 ? 1000 : 0;
        give(&p);
        expect(RESET_FORM, ORIGIN_UNKNOWN);
        trace_end(&t);
    }
    begin();
    p = reset_packet(0, t.seq[1]);
    p.window = 8192;
    give(&p);
    expect(RESET_FORM, ORIGIN_UNKNOWN);
    trace_end(&t);
}

static void test_sequence(void **state)
{
    static const uint16_t ids[] = {1, 2};
    struct packet p;

    (void)state;
    begin(); /* below what the server had sent */
    server_sends(ids, 2);
    p = reset_packet(TCP_ACK, t.seq[1] - 45);
    give(&p);
    expect(RESET_SEQUENCE, ORIGIN_UNKNOWN);
    trace_end(&t);
    begin(); /* a late segment of the client, which had not seen all: the stack's own answer */
    server_sends(ids, 2);
    p = reset_packet(0, t.seq[1] - 45);
    give(&p);
    expect(0, ORIGIN_SERVER);
    trace_end(&t);
    begin(); /* beyond what the client can have acknowledged */
    p = reset_packet(0, t.seq[1] + 4380);
    give(&p);
    expect(RESET_SEQUENCE, ORIGIN_UNKNOWN);
    trace_end(&t);
}

static unsigned aftermath(void)
{
    const struct observation *o = trace_phase(&t, FLOW_AFTERMATH);

    return o ? o->flow.signs : 0;
}

static void test_the_server_goes_on(void **state)
{
    static const uint8_t data[100];
    struct packet p;

    (void)state;
    begin();
    p = reset_packet(TCP_ACK, t.seq[1]);
    give(&p);
    t.now += NSEC_MS;
    trace_data(&t, 1, data, sizeof data);
    trace_data(&t, 1, data, sizeof data); /* told once */
    assert_int_equal(aftermath(), RESET_SEQUENCE);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_AFTERMATH), 1);
    trace_end(&t);
    trace_begin(&t, IP_PROTO_TCP, 853); /* the SYN-ACK comes after the reset of the SYN */
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    p = reset_packet(TCP_ACK, 0);
    give(&p);
    t.now += NSEC_MS;
    trace_segment(&t, 1, TCP_SYN | TCP_ACK, NULL, 0);
    assert_int_equal(aftermath(), RESET_SEQUENCE);
    trace_end(&t);
    begin(); /* a volley, each a window higher */
    p = reset_packet(TCP_ACK, t.seq[1]);
    give(&p);
    p.seq += 1460;
    give(&p);
    assert_int_equal(aftermath(), RESET_SEQUENCE);
    trace_end(&t);
}

static void test_what_comes_after_a_true_reset(void **state)
{
    static const uint8_t data[100];
    struct packet p;

    (void)state;
    begin();
    t.seq[1] += 100; /* a segment that was overtaken */
    p = reset_packet(TCP_ACK, t.seq[1]);
    give(&p);
    give(&p);
    trace_segment_at(&t, 1, t.seq[1] - 100, TCP_ACK, data, sizeof data);
    assert_null(trace_phase(&t, FLOW_AFTERMATH));
    p = trace_packet(&t, 0); /* the client's stack answers stray data */
    p.tcp_flags = TCP_RST;
    give(&p);
    assert_null(trace_phase(&t, FLOW_AFTERMATH));
    t.now += 3 * NSEC_S; /* too late to say anything */
    trace_data(&t, 1, data, sizeof data);
    assert_null(trace_phase(&t, FLOW_AFTERMATH));
    trace_end(&t);
}

static void test_both_ways(void **state)
{
    struct packet p;

    (void)state;
    begin();
    p = reset_packet(TCP_ACK, t.seq[1]);
    give(&p);
    t.now += 2 * NSEC_MS;
    p = trace_packet(&t, 0);
    p.tcp_flags = TCP_RST | TCP_ACK;
    give(&p);
    assert_int_equal(aftermath(), RESET_BOTH_WAYS);
    trace_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_refusal_by_the_server),
                                       cmocka_unit_test(test_ttl),
                                       cmocka_unit_test(test_ip_id),
                                       cmocka_unit_test(test_two_agree),
                                       cmocka_unit_test(test_form),
                                       cmocka_unit_test(test_sequence),
                                       cmocka_unit_test(test_the_server_goes_on),
                                       cmocka_unit_test(test_what_comes_after_a_true_reset),
                                       cmocka_unit_test(test_both_ways)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
