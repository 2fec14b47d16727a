/* Flows that the kernel counts in the observer's place: which, until when, and that what is told of
 * them is the same as without. */
#include "tls_trace.h"

/* The kernel's map, of one flow. */
static struct kernel {
    bool kept, refuses;
    struct shunt_flow flow;
    struct shunt_counts counts;
    unsigned puts, looks;
} kernel;

static bool put(void *context, const struct shunt_flow *flow)
{
    assert_ptr_equal(context, &kernel);
    assert_false(kernel.kept);
    kernel.puts++;
    if (kernel.refuses)
        return false;
    kernel.kept = true;
    kernel.flow = *flow;
    memset(&kernel.counts, 0, sizeof kernel.counts);
    return true;
}

static bool look(void *context, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    assert_ptr_equal(context, &kernel);
    assert_true(kernel.kept);
    assert_memory_equal(flow, &kernel.flow, sizeof *flow);
    kernel.looks++;
    *counts = kernel.counts;
    return true;
}

static bool take(void *context, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    assert_ptr_equal(context, &kernel);
    assert_true(kernel.kept);
    assert_memory_equal(flow, &kernel.flow, sizeof *flow);
    kernel.kept = false;
    *counts = kernel.counts;
    return true;
}

static void keep(int side, uint32_t length)
{
    struct addr client = trace_addr(&t, 0);

    kernel.counts.packets++;
    if (addr_equal(&client, side ? &kernel.flow.high : &kernel.flow.low))
        kernel.counts.bytes_low += length;
    else
        kernel.counts.bytes_high += length;
    kernel.counts.last = t.now;
}

/* A segment as it comes to the interface; returns whether it came to the observer. */
static bool segment(int side, uint8_t flags, const uint8_t *bytes, size_t length)
{
    if (!kernel.kept || flags & (TCP_FIN | TCP_SYN | TCP_RST)) {
        trace_segment(&t, side, flags, bytes, length);
        return true;
    }
    keep(side, (uint32_t)length + 54);
    t.seq[side] += (uint32_t)length;
    return false;
}

static bool data(int side, uint16_t length)
{
    uint8_t bytes[1000] = {0};

    return segment(side, TCP_ACK | TCP_PSH, bytes, length);
}

static struct policy *use_policy(bool shunt)
{
    struct policy *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->zones = calloc(2, sizeof *p->zones);
    p->zone_count = 2;
    p->shunt = shunt;
    assert_int_equal(policy_compile(p), 0);
    observer_use_policy(t.observer, p);
    return p;
}

static void begin_with(const struct observer_limits *limits, uint16_t port)
{
    kernel = (struct kernel){.kept = false};
    trace_begin_with(&t, limits, IP_PROTO_TCP, port);
    observer_use_shunt(t.observer, (struct shunt_sink){put, look, take, &kernel});
    t.sni = "www.example.com";
}

/* A handshake of TLS 1.3, a request and its answer. */
static void fetch(uint16_t answer)
{
    trace_handshake(&t);
    send_record(0, 22, 300);
    send_record(1, 22, 122);
    send_record(1, 23, 1500);
    send_record(0, 23, 53);
    send_record(0, 23, 200);
    assert_false(kernel.kept);
    send_record(1, 23, answer);
}

/* The web, up to its first burst. */
static struct policy *browse(uint16_t port, bool shunt)
{
    struct policy *p;

    begin_with(NULL, port);
    p = use_policy(shunt);
    fetch(8000);
    send_record(1, 23, 300);
    return p;
}

static void finish(struct policy *p)
{
    trace_end(&t);
    policy_destroy(p);
}

static uint64_t sum(uint64_t (*count)(const struct flow_observation *f))
{
    uint64_t all = 0;

    for (size_t i = 0; i < t.count; i++)
        if (t.told[i].kind == OBSERVE_FLOW)
            all += count(&t.told[i].flow);
    return all;
}

static uint64_t bytes_out(const struct flow_observation *f)
{
    return f->bytes_out;
}

static uint64_t bytes_in(const struct flow_observation *f)
{
    return f->bytes_in;
}

static uint64_t packets(const struct flow_observation *f)
{
    return f->packets;
}

/* A download of a minute and a half, then its end. */
static void download(bool shunt, uint64_t out[4])
{
    struct policy *p = browse(443, shunt);

    assert_int_equal(kernel.kept, shunt);
    for (int i = 0; i < 900; i++) {
        data(1, 1000);
        data(1, 900);
        data(0, 0);
        trace_pass(&t, 100 * NSEC_MS);
    }
    segment(1, TCP_FIN | TCP_ACK, NULL, 0);
    data(0, 0);
    segment(0, TCP_FIN | TCP_ACK, NULL, 0);
    segment(1, TCP_ACK, NULL, 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    trace_pass(&t, 6 * NSEC_S);
    assert_false(kernel.kept);
    out[0] = (uint64_t)(trace_phase(&t, FLOW_CLOSED)->flow.last - t.now) / NSEC_S;
    finish(p);
    out[1] = sum(bytes_out);
    out[2] = sum(bytes_in);
    out[3] = sum(packets);
    assert_int_equal(t.stats.shunted, 0);
}

static void test_told_as_without(void **state)
{
    uint64_t with[4], without[4];
    size_t steps[2][FLOW_RESUMED + 1];

    (void)state;
    download(false, without);
    assert_int_equal(kernel.puts, 0);
    for (uint8_t i = 0; i <= FLOW_RESUMED; i++)
        steps[0][i] = trace_count(&t, OBSERVE_FLOW, i);
    download(true, with);
    for (uint8_t i = 0; i <= FLOW_RESUMED; i++)
        steps[1][i] = trace_count(&t, OBSERVE_FLOW, i);
    assert_int_equal(kernel.puts, 1);
    assert_true(kernel.looks >= 3); /* merged at least every 30 s */
    assert_int_equal(t.stats.shunts, 1);
    assert_memory_equal(with, without, sizeof with);
    assert_memory_equal(steps[1], steps[0], sizeof steps[0]);
}

/* Silent to us for six minutes is not silent: nothing ends, and a SYN that somebody forges does not
 * end it either. */
static void test_not_idle(void **state)
{
    struct policy *p = browse(443, true);

    (void)state;
    for (int i = 0; i < 360; i++) {
        assert_false(data(1, 100));
        trace_pass(&t, NSEC_S);
    }
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 0);
    for (int i = 0; i < 25; i++) {
        data(1, 100);
        trace_pass(&t, NSEC_S);
    }
    trace_segment_at(&t, 0, 77, TCP_SYN, NULL, 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 0);
    assert_true(kernel.kept);
    assert_int_equal(t.stats.flows, 1);
    trace_pass(&t, 400 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_CLOSED), 1);
    assert_false(kernel.kept);
    finish(p);
}

/* Another connection of the same ends is watched from its beginning. */
static void test_another_connection(void **state)
{
    struct policy *p = browse(443, true);

    (void)state;
    trace_pass(&t, 40 * NSEC_S);
    assert_true(kernel.kept);
    t.seq[0] += 100000;
    trace_handshake(&t);
    assert_false(kernel.kept);
    assert_int_equal(t.stats.flows, 2);
    finish(p);
}

/* More than 32 bits hold in half a minute: 80 Gbit/s. */
static void test_large_counts(void **state)
{
    struct policy *p = browse(443, true);
    uint64_t before = sum(bytes_in);

    (void)state;
    keep(1, 100);
    kernel.counts.bytes_low += 300 * UINT64_C(1000000000);
    kernel.counts.bytes_high += 7 * UINT64_C(1000000000);
    trace_pass(&t, 40 * NSEC_S);
    finish(p);
    assert_true(sum(bytes_in) + sum(bytes_out) - before > 307 * UINT64_C(1000000000));
    assert_true(sum(bytes_in) > 300 * UINT64_C(1000000000) ||
                sum(bytes_out) > 300 * UINT64_C(1000000000));
}

static void test_what_the_kernel_refuses_stays(void **state)
{
    struct policy *p;

    (void)state;
    begin_with(NULL, 443);
    kernel.refuses = true;
    p = use_policy(true);
    fetch(8000);
    send_record(1, 23, 300);
    for (int i = 0; i < 20; i++)
        assert_true(data(1, 700));
    assert_int_equal(kernel.puts, 1);
    assert_int_equal(t.stats.shunts_refused, 1);
    assert_int_equal(t.stats.shunts, 0);
    finish(p);
    assert_true(sum(bytes_in) > 20 * 700 + 8000);
}

/* A policy that says off takes back what is there, at the next look. */
static void test_off_by_a_new_policy(void **state)
{
    struct policy *p = browse(443, true), *off;

    (void)state;
    assert_true(kernel.kept);
    off = use_policy(false);
    data(1, 500);
    trace_pass(&t, 31 * NSEC_S);
    assert_false(kernel.kept);
    finish(off);
    policy_destroy(p);
    assert_int_equal(kernel.puts, 1);
}

/* An evicted flow takes what the kernel has of it along. */
static void test_evicted(void **state)
{
    struct observer_limits limits = {.flows = 8};
    struct policy *p;

    (void)state;
    begin_with(&limits, 443);
    p = use_policy(true);
    fetch(8000);
    send_record(1, 23, 300);
    assert_true(kernel.kept);
    keep(1, 1234567);
    for (uint16_t i = 1; i <= 8; i++) {
        t.client_port = (uint16_t)(40000 + i);
        trace_segment(&t, 0, TCP_ACK, (const uint8_t *)"in the middle",
                      13); /* an attempt would give way itself */
    }
    assert_false(kernel.kept);
    assert_true(sum(bytes_in) > 1234567);
    finish(p);
}

/* DNS in any form, ports beside 443, and flows whose behaviour is watched. */
static void test_what_never_is(void **state)
{
    struct policy *p = browse(853, true);

    (void)state;
    for (int i = 0; i < 60; i++)
        send_record(1, 23, 487);
    finish(p);
    p = browse(8443, true);
    for (int i = 0; i < 60; i++)
        send_record(1, 23, 8000);
    finish(p);
    begin_with(NULL, 443);
    p = use_resolver();
    p->shunt = true;
    fetch(200);
    for (int i = 0; i < 60; i++) {
        send_record(0, 23, 150);
        send_record(1, 23, 8000);
    }
    assert_int_equal(trace_phase(&t, FLOW_ESTABLISHED)->transport, TRANSPORT_DOH2);
    finish(p);
    assert_int_equal(kernel.puts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_as_without),
        cmocka_unit_test(test_not_idle),
        cmocka_unit_test(test_another_connection),
        cmocka_unit_test(test_large_counts),
        cmocka_unit_test(test_what_the_kernel_refuses_stays),
        cmocka_unit_test(test_off_by_a_new_policy),
        cmocka_unit_test(test_evicted),
        cmocka_unit_test(test_what_never_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
