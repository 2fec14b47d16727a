#include "trace.h"

static struct trace t;

static void test_pair(void **state)
{
    uint8_t m[64];
    size_t n = trace_dns(m, 7, false, DNS_TYPE_A);

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, n);
    t.now += 5 * NSEC_MS;
    n = trace_dns(m, 7, true, DNS_TYPE_A);
    trace_datagram(&t, 1, m, n);
    trace_end(&t);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.told[0].kind, OBSERVE_DNS);
    assert_int_equal(t.told[0].transport, TRANSPORT_DO53_UDP);
    assert_true(t.told[0].dns.new_flow);
    assert_false(t.told[0].dns.retried);
    assert_int_equal(t.told[0].bytes, n + 42);
    assert_int_equal(t.told[0].station, 1);
    assert_int_equal(t.told[0].client_port, 40000);
    assert_int_equal(t.told[1].server_port, 53);
    assert_true(t.told[1].dns.answered);
    assert_true(t.told[1].dns.question_ok);
    assert_false(t.told[1].dns.new_flow);
    assert_int_equal(t.told[1].dns.latency_us, 5000);
    assert_int_equal(t.told[1].station, 1);
    assert_true(addr_equal(&t.told[0].client, &t.told[1].client));
    assert_true(t.told[0].flow_id == t.told[1].flow_id);
    assert_true(t.told[0].flow_id < UINT64_C(1) << 53);
    assert_true(t.told[0].dns.qname_hash == t.told[1].dns.qname_hash);
    assert_int_equal(t.stats.dns_queries, 1);
    assert_int_equal(t.stats.dns_responses, 1);
    assert_int_equal(t.stats.dns_unmatched, 0);
    assert_int_equal(t.stats.flows, 0);
}

static void test_two_types_share_a_tuple(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_AAAA));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_AAAA));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_A));
    trace_end(&t);
    assert_int_equal(t.stats.dns_queries, 2);
    assert_int_equal(t.stats.dns_retried, 0);
    assert_int_equal(t.stats.dns_unmatched, 0);
    assert_true(t.told[2].dns.answered && t.told[3].dns.answered);
    assert_false(t.told[1].dns.new_flow);
}

static void test_retried_and_unanswered(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    t.now += NSEC_S;
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    assert_int_equal(t.stats.dns_retried, 1);
    assert_true(t.told[1].dns.retried);
    trace_pass(&t, 3900 * NSEC_MS);
    assert_int_equal(t.stats.dns_unanswered, 0);
    trace_pass(&t, 200 * NSEC_MS);
    assert_int_equal(t.stats.dns_unanswered, 1);
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_A));
    assert_int_equal(t.stats.dns_unmatched, 1);
    assert_false(t.told[2].dns.answered);
    trace_end(&t);
}

static void test_another_question_is_no_answer(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_TXT));
    assert_false(t.told[1].dns.answered);
    /* FORMERR without any question answers by its id */
    memset(m + 4, 0, 8);
    trace_datagram(&t, 1, m, 12);
    assert_true(t.told[2].dns.answered);
    assert_false(t.told[2].dns.question_ok);
    trace_end(&t);
}

static void test_how_an_answer_meets_the_queries(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 1, m, trace_dns(m, 9, true, DNS_TYPE_A));
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    trace_datagram(&t, 1, m, trace_dns(m, 8, true, DNS_TYPE_A));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_TXT));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_A));
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_A));
    assert_int_equal(t.told[0].dns.match, ANSWER_UNASKED);
    assert_int_equal(t.told[1].dns.match, ANSWER_NONE);
    assert_int_equal(t.told[2].dns.match, ANSWER_WRONG_ID);
    assert_int_equal(t.told[3].dns.match, ANSWER_WRONG_QUESTION);
    assert_int_equal(t.told[4].dns.match, ANSWER_MATCHED);
    assert_int_equal(t.told[5].dns.match, ANSWER_AGAIN);
    trace_end(&t);
}

/* The response with one A record, the last octet of its address, at the end. */
static size_t with_address(uint8_t *m, uint8_t last)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2};
    size_t n = trace_dns(m, 7, true, DNS_TYPE_A);

    m[7]++;
    memcpy(m + n, record, sizeof record);
    m[n + sizeof record] = last;
    return n + sizeof record + 1;
}

static const struct dns_observation *answer_again(uint8_t last, uint8_t ttl)
{
    uint8_t m[96];
    struct packet p;

    t.now += 7 * NSEC_MS;
    p = trace_packet(&t, 1);
    p.payload_length = (uint32_t)with_address(m, last);
    p.payload = m;
    p.ttl = ttl;
    trace_give(&t, &p);
    return &t.told[t.count - 1].dns;
}

static void test_a_second_answer_is_held_against_the_first(void **state)
{
    uint8_t m[96];
    const struct dns_observation *d;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    assert_int_equal(answer_again(1, 60)->match, ANSWER_MATCHED);
    d = answer_again(1, 60); /* the same packet twice */
    assert_true(d->match == ANSWER_AGAIN && d->surplus && !d->differs);
    assert_int_equal(d->latency_us, 14000);
    d = answer_again(2, 57);
    assert_true(d->surplus && d->differs);
    assert_int_equal(d->first_ttl, 60);
    trace_end(&t);
}

static void test_who_asks_twice_gets_two_answers(void **state)
{
    uint8_t m[96];
    const struct dns_observation *d;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    assert_int_equal(answer_again(1, 60)->match, ANSWER_MATCHED);
    d = answer_again(2, 60);
    assert_true(d->match == ANSWER_AGAIN && d->differs && !d->surplus);
    assert_true(answer_again(3, 60)->surplus);
    trace_end(&t);
}

static void test_a_late_answer_is_no_wrong_one(void **state)
{
    uint8_t m[96];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    trace_pass(&t, 6 * NSEC_S);
    trace_datagram(&t, 1, m, trace_dns(m, 7, true, DNS_TYPE_A));
    trace_datagram(&t, 1, m, trace_dns(m, 8, true, DNS_TYPE_A));
    assert_int_equal(t.told[1].dns.match, ANSWER_LATE);
    assert_int_equal(t.told[2].dns.match, ANSWER_WRONG_ID);
    trace_end(&t);
}

static void test_malformed_and_empty(void **state)
{
    uint8_t m[64] = {0};

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, 0);
    assert_int_equal(t.stats.dns_malformed, 0);
    trace_datagram(&t, 0, m, 3);
    m[5] = 1;
    trace_datagram(&t, 0, m, 12);
    assert_int_equal(t.stats.dns_malformed, 2);
    assert_int_equal(t.count, 0);
    trace_end(&t);
}

/* The letters of the name: "Example" stands at octet 17. */
static const struct dns_observation *answer_in(uint8_t letter, bool ask)
{
    uint8_t m[64];

    if (ask)
        trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    size_t n = trace_dns(m, 7, true, DNS_TYPE_A);

    m[17] = letter;
    trace_datagram(&t, 1, m, n);
    return &t.told[t.count - 1].dns;
}

static void test_letters_come_back(void **state)
{
    const struct dns_observation *d;
    uint8_t m[64];
    size_t n;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    d = answer_in('E', true);
    assert_true(d->match == ANSWER_MATCHED && d->mixed_case && !d->case_differs);
    d = answer_in('e', true);
    assert_true(d->match == ANSWER_MATCHED && d->mixed_case && d->case_differs);
    n = trace_dns(m, 7, false,
                  DNS_TYPE_A); /* asked again, in other letters: either may come back */
    trace_datagram(&t, 0, m, n);
    m[18] = 'X';
    trace_datagram(&t, 0, m, n);
    d = answer_in('e', false);
    assert_true(d->match == ANSWER_MATCHED && !d->mixed_case && !d->case_differs);
    n = trace_dns(m, 8, false, DNS_TYPE_A); /* nothing but small letters asks for nothing */
    m[17] = 'e';
    trace_datagram(&t, 0, m, n);
    trace_datagram(&t, 1, m, trace_dns(m, 8, true, DNS_TYPE_A));
    assert_true(t.told[t.count - 1].dns.answered && !t.told[t.count - 1].dns.mixed_case);
    trace_end(&t);
}

/* The client says by ICMP that its port is closed. */
static void closed_port(uint16_t port, uint8_t code, bool by_client)
{
    struct packet p = trace_packet(&t, 0);

    p.proto = IP_PROTO_ICMP;
    p.sport = p.dport = 0;
    p.icmp_type = 3;
    p.icmp_code = code;
    p.quote = (struct packet_quote){.src = trace_addr(&t, 1),
                                    .dst = trace_addr(&t, 0),
                                    .sport = 53,
                                    .dport = port,
                                    .proto = IP_PROTO_UDP};
    if (!by_client)
        p.src = trace_addr(&t, 1);
    trace_give(&t, &p);
}

static void test_strays_are_those_nobody_asked_for(void **state)
{
    uint8_t m[64] = {0};

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 1, m, 0);
    assert_int_equal(trace_count(&t, OBSERVE_STRAY, 0), 1);
    assert_int_equal(t.told[0].client_port, 40000);
    assert_memory_equal(&t.told[0].client, &(struct addr[]){trace_addr(&t, 0)}, 16);
    trace_datagram(&t, 1, m, 5);
    closed_port(40001, 3, true);
    assert_int_equal(trace_count(&t, OBSERVE_STRAY, 0), 3);
    closed_port(40002, 13, true); /* a filter's word */
    closed_port(40003, 3, false); /* not the client's own */
    trace_datagram(&t, 0, m, 5);  /* from the client */
    t.client_port = 40010;
    trace_datagram(&t, 0, m, trace_dns(m, 7, false, DNS_TYPE_A));
    closed_port(40010, 3, true); /* the answer came too late */
    memset(m, 0, sizeof m);
    trace_datagram(&t, 1, m, 5);
    assert_int_equal(trace_count(&t, OBSERVE_STRAY, 0), 3);
    trace_end(&t);
}

static void test_cut_by_snap_length(void **state)
{
    uint8_t m[64];
    struct packet p;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    p = trace_packet(&t, 1);
    p.payload = m;
    p.payload_length = (uint32_t)trace_dns(m, 7, true, DNS_TYPE_A) - 6;
    p.payload_missing = 6;
    p.cut = true;
    trace_give(&t, &p);
    assert_int_equal(t.stats.dns_responses, 1);
    assert_int_equal(t.stats.dns_malformed, 0);
    assert_int_equal(t.told[0].dns.message.id, 7);
    assert_false(t.told[0].dns.message.has_question);
    m[7] = 1; /* an answer whose length passes the end of the datagram, cut or not */
    memcpy(m + p.payload_length + 6, "\300\14\0\1\0\1\0\0\0\0\377\377", 12);
    p.payload_length += 6 + 12;
    trace_give(&t, &p);
    assert_int_equal(t.stats.dns_malformed, 1);
    assert_int_equal(t.stats.dns_responses, 1);
    trace_end(&t);
}

/* The QR bit tells client and server, and the server's port is 53 all the same. */
static void test_response_sent_to_53(void **state)
{
    uint8_t m[64];
    struct addr client;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    trace_datagram(&t, 0, m, trace_dns(m, 7, true, DNS_TYPE_A));
    client = trace_addr(&t, 1);
    assert_true(addr_equal(&t.told[0].client, &client));
    assert_int_equal(t.told[0].server_port, 53);
    assert_int_equal(t.told[0].client_port, 40000);
    trace_end(&t);
}

static void test_local_names(void **state)
{
    uint8_t m[64];

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 5353);
    trace_datagram(&t, 0, m, trace_dns(m, 0, false, DNS_TYPE_A));
    assert_int_equal(t.stats.local_names, 1);
    assert_int_equal(t.stats.dns_queries, 0);
    assert_int_equal(t.count, 0);
    trace_end(&t);
}

/* Far more pending queries than there is room for: each is counted once in the end. */
static void test_pending_queries_are_bounded(void **state)
{
    const struct observer_limits limits = {.transactions = 64};
    uint8_t m[64];

    (void)state;
    trace_begin_with(&t, &limits, IP_PROTO_UDP, 53);
    for (uint16_t i = 0; i < 1000; i++)
        trace_datagram(&t, 0, m, trace_dns(m, i, false, DNS_TYPE_A));
    trace_pass(&t, 6 * NSEC_S);
    assert_int_equal(t.stats.dns_unanswered + t.stats.state_evicted, 1000);
    assert_true(t.stats.dns_unanswered > 0 && t.stats.dns_unanswered <= 64);
    trace_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_two_types_share_a_tuple),
        cmocka_unit_test(test_retried_and_unanswered),
        cmocka_unit_test(test_another_question_is_no_answer),
        cmocka_unit_test(test_how_an_answer_meets_the_queries),
        cmocka_unit_test(test_a_second_answer_is_held_against_the_first),
        cmocka_unit_test(test_who_asks_twice_gets_two_answers),
        cmocka_unit_test(test_a_late_answer_is_no_wrong_one),
        cmocka_unit_test(test_malformed_and_empty),
        cmocka_unit_test(test_letters_come_back),
        cmocka_unit_test(test_strays_are_those_nobody_asked_for),
        cmocka_unit_test(test_cut_by_snap_length),
        cmocka_unit_test(test_response_sent_to_53),
        cmocka_unit_test(test_local_names),
        cmocka_unit_test(test_pending_queries_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
