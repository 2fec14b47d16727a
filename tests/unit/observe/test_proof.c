/* Who only writes an address into his packets is not the client that has it. */
#include "tls_trace.h"

static uint8_t bytes[1500];
static struct policy *policy;

static void open_as(uint8_t proto)
{
    trace_begin(&t, proto, 443);
    policy = use_resolver();
    t.sni = "dns.example";
    t.alpn = proto == IP_PROTO_UDP ? "h3" : "h2";
}

static void end(void)
{
    trace_end(&t);
    policy_destroy(policy);
}

static bool proven(uint8_t phase)
{
    const struct observation *o = trace_phase(&t, phase);

    assert_non_null(o);
    return o->flow.client_proven;
}

static bool ever_proven(void)
{
    bool any = false;

    end();
    for (size_t i = 0; i < t.count; i++)
        any |= t.told[i].flow.client_proven;
    return any;
}

static void a_handshake_proves(void **state)
{
    (void)state;
    open_as(IP_PROTO_TCP);
    trace_handshake(&t);
    send_record(0, 22, 300);
    assert_true(proven(FLOW_IDENTIFIED));
    end();
}

static void a_hello_out_of_nothing_does_not(void **state)
{
    (void)state;
    open_as(IP_PROTO_TCP);
    send_record(0, 22, 300);
    assert_false(proven(FLOW_IDENTIFIED));
    trace_segment(&t, 1, TCP_RST, NULL, 0);
    end();
    assert_false(proven(FLOW_IDENTIFIED));
}

/* The server's SYN-ACK goes to the client, who sent no SYN; the forger does not see its number. */
static void a_blind_handshake_does_not(void **state)
{
    (void)state;
    open_as(IP_PROTO_TCP);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    trace_segment(&t, 1, TCP_SYN | TCP_ACK, NULL, 0);
    t.seq[1] += 4711;
    send_record(0, 22, 300);
    assert_false(proven(FLOW_IDENTIFIED));
    t.seq[1] -= 4711;
    trace_segment(&t, 1, TCP_RST, NULL, 0);
    end();
    assert_false(proven(FLOW_FAILED));
}

/* A forged SYN and hello lie there before the client connects from that port. */
static void a_hello_sent_ahead_does_not(void **state)
{
    (void)state;
    open_as(IP_PROTO_TCP);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    send_record(0, 22, 300);
    t.now += 10 * NSEC_MS;
    t.seq[0] = 0x70000000;
    trace_handshake(&t);
    hello();
    finished();
    send_record(0, 23, 90);
    send_record(1, 23, 300);
    assert_false(ever_proven());
}

/* The SYN-ACK was missed, or its number is no longer kept: the server's answer says it too. */
static void the_servers_answer_proves(void **state)
{
    (void)state;
    open_as(IP_PROTO_TCP);
    trace_segment(&t, 0, TCP_SYN, NULL, 0);
    t.seq[1]++;
    hello();
    finished();
    assert_false(proven(FLOW_IDENTIFIED));
    assert_true(ever_proven());
}

/* A long header of version 1 and connection ids of eight octets. */
static size_t long_packet(uint8_t type, uint32_t version, uint8_t to, uint8_t from)
{
    size_t n = 0;

    memset(bytes, 0, sizeof bytes);
    bytes[n++] = (uint8_t)(0xc0 | type << 4);
    n += 3;
    bytes[n++] = (uint8_t)version;
    bytes[n++] = 8;
    memset(bytes + n, to, 8);
    n += 8;
    bytes[n++] = 8;
    memset(bytes + n, from, 8);
    n += 8;
    n += type == 0; /* no token */
    bytes[n++] = 0x40 | 1180 >> 8;
    bytes[n++] = 1180 & 0xff;
    return n + 1180;
}

static void sends_long(int side, uint8_t type, uint8_t to, uint8_t from)
{
    trace_datagram(&t, side, bytes, long_packet(type, 1, to, from));
    t.now += NSEC_MS;
}

static void sends_short(int side, uint8_t to)
{
    memset(bytes, to, 100);
    bytes[0] = 0x41;
    trace_datagram(&t, side, bytes, 100);
    t.now += NSEC_MS;
}

static void an_initial_alone_does_not(void **state)
{
    (void)state;
    open_as(IP_PROTO_UDP);
    sends_long(0, 0, 1, 2);
    assert_false(proven(FLOW_IDENTIFIED));
    sends_long(1, 0, 2, 3); /* to the client, who never asked */
    sends_long(0, 2, 1, 2); /* the forger goes on, blind */
    sends_short(0, 9);
    sends_short(1, 2);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    assert_false(ever_proven());
}

static void the_servers_id_proves(void **state)
{
    (void)state;
    for (int is_short = 0; is_short < 2; is_short++) {
        open_as(IP_PROTO_UDP);
        sends_long(0, 0, 1, 2);
        sends_long(1, 0, 2, 3);
        assert_null(trace_phase(&t, FLOW_PROGRESS));
        if (is_short)
            sends_short(0, 3);
        else
            sends_long(0, 2, 3, 2);
        assert_true(proven(FLOW_PROGRESS)); /* told at once */
        end();
    }
}

static void a_version_refused_proves_nothing(void **state)
{
    (void)state;
    open_as(IP_PROTO_UDP);
    sends_long(0, 0, 1, 2);
    trace_datagram(&t, 1, bytes, long_packet(0, 0, 2, 1));
    sends_long(0, 0, 1, 2);
    assert_false(ever_proven());
}

static void an_id_that_the_client_made_needs_both_ways(void **state)
{
    (void)state;
    open_as(IP_PROTO_UDP);
    sends_long(0, 0, 1, 2);
    sends_long(1, 0, 2, 1);
    sends_long(0, 2, 1, 2);
    sends_short(0, 1);
    assert_null(trace_phase(&t, FLOW_PROGRESS));
    sends_short(1, 2);
    assert_true(ever_proven());
}

static void an_initial_sent_ahead_does_not(void **state)
{
    (void)state;
    open_as(IP_PROTO_UDP);
    sends_long(0, 0, 7, 8); /* never came to the server */
    sends_long(0, 0, 1, 2);
    sends_long(1, 0, 2, 3);
    sends_long(0, 2, 3, 2);
    sends_short(0, 3);
    sends_short(1, 2);
    assert_false(ever_proven());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_proves),
        cmocka_unit_test(a_hello_out_of_nothing_does_not),
        cmocka_unit_test(a_blind_handshake_does_not),
        cmocka_unit_test(a_hello_sent_ahead_does_not),
        cmocka_unit_test(the_servers_answer_proves),
        cmocka_unit_test(an_initial_alone_does_not),
        cmocka_unit_test(the_servers_id_proves),
        cmocka_unit_test(a_version_refused_proves_nothing),
        cmocka_unit_test(an_id_that_the_client_made_needs_both_ways),
        cmocka_unit_test(an_initial_sent_ahead_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
