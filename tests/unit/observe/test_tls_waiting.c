/* Encrypted DNS that has worked, and then a query gets no answer. */
#include "tls_trace.h"

/* A connection over which DNS has worked, and a query a second later. */
static void ask_again(uint16_t port)
{
    begin(port);
    t.alpn = "h2";
    hello();
    finished();
    send_record(0, 23, 147);
    t.now += NSEC_MS;
    send_record(1, 23, 487);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    trace_pass(&t, NSEC_S);
    send_record(0, 23, 147);
}

static const struct observation *stalls(enum cause cause, nsec_t since)
{
    const struct observation *o = trace_phase(&t, FLOW_STALLED);

    assert_non_null(o);
    assert_string_equal(cause_name(o->flow.cause), cause_name(cause));
    assert_int_equal(o->flow.first, since);
    assert_int_equal(o->flow.responses, 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_FAILED), 0);
    return o;
}

/* What the client repeats does not make the silence shorter. */
static void test_silence_after_success(void **state)
{
    nsec_t asked;

    (void)state;
    ask_again(853);
    asked = t.now;
    trace_pass(&t, NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_WAITING), 1);
    assert_int_equal(trace_phase(&t, FLOW_WAITING)->flow.first, asked);
    t.seq[0] -= 152;
    send_record(0, 23, 147);
    trace_pass(&t, 1500 * NSEC_MS);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 0);
    trace_pass(&t, NSEC_S);
    stalls(CAUSE_TIMEOUT, asked);
    trace_pass(&t, 20 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 1);
    send_record(0, 23, 147);
    trace_pass(&t, 4 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 2);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_RESUMED), 0);
    send_record(1, 23, 487);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_RESUMED), 1);
    trace_end(&t);
}

static void test_taken_but_not_answered(void **state)
{
    nsec_t asked;

    (void)state;
    ask_again(853);
    asked = t.now;
    t.now += NSEC_MS;
    trace_segment(&t, 1, TCP_ACK, NULL, 0);
    trace_pass(&t, 9 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 0);
    trace_pass(&t, 2 * NSEC_S);
    stalls(CAUSE_NO_ANSWER, asked);
    trace_end(&t);
}

static void test_a_late_answer_is_no_stall(void **state)
{
    (void)state;
    ask_again(853);
    trace_pass(&t, 2500 * NSEC_MS);
    send_record(1, 23, 487);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_RESUMED), 1);
    trace_pass(&t, 30 * NSEC_S);
    send_record(0, 23, 147);
    trace_pass(&t, 300 * NSEC_MS);
    send_record(1, 23, 487);
    trace_pass(&t, 30 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 0);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_WAITING), 1);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_RESUMED), 1);
    trace_end(&t);
}

/* Neither a browser's PING nor its WINDOW_UPDATE waits for an answer. */
static void test_small_frames_wait_for_nothing(void **state)
{
    struct policy *policy;

    (void)state;
    begin(443);
    policy = use_resolver();
    t.alpn = "h2";
    hello();
    finished();
    send_record(0, 23, 300);
    t.now += NSEC_MS;
    send_record(1, 23, 300);
    send_record(1, 23, 300);
    send_record(1, 23, 80);
    assert_non_null(trace_phase(&t, FLOW_ESTABLISHED));
    assert_int_equal(trace_phase(&t, FLOW_ESTABLISHED)->transport, TRANSPORT_DOH2);
    for (uint16_t length = 26; length < 36; length++)
        send_record(0, 23, length);
    trace_pass(&t, 30 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_WAITING), 0);
    send_record(0, 23, 37); /* the head of a POST, much of it a reference to earlier ones */
    trace_pass(&t, 5 * NSEC_S);
    assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), 1);
    trace_end(&t);
    policy_destroy(policy);
}

static void test_ends_instead_of_answers(void **state)
{
    static const struct {
        int side;
        uint8_t flags;
        nsec_t after;
        enum cause cause; /* CAUSE_NONE: that is no stall */
    } ends[] = {{1, TCP_RST | TCP_ACK, NSEC_MS, CAUSE_RESET},
                {1, TCP_FIN | TCP_ACK, NSEC_MS, CAUSE_NONE},
                {0, TCP_FIN | TCP_ACK, NSEC_MS, CAUSE_NONE},
                {0, TCP_FIN | TCP_ACK, 1500 * NSEC_MS, CAUSE_TIMEOUT},
                {0, TCP_RST, 1500 * NSEC_MS, CAUSE_TIMEOUT}};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        nsec_t asked;

        ask_again(853);
        asked = t.now;
        trace_pass(&t, ends[i].after);
        trace_segment(&t, ends[i].side, ends[i].flags, NULL, 0);
        if (ends[i].cause != CAUSE_NONE)
            stalls(ends[i].cause, asked);
        trace_end(&t);
        assert_int_equal(trace_count(&t, OBSERVE_FLOW, FLOW_STALLED), ends[i].cause != CAUSE_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_after_success),
        cmocka_unit_test(test_taken_but_not_answered),
        cmocka_unit_test(test_a_late_answer_is_no_stall),
        cmocka_unit_test(test_small_frames_wait_for_nothing),
        cmocka_unit_test(test_ends_instead_of_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
