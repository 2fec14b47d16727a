#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observe/stream.h"
#include "observe/transactions.h"

/* The stream under test: byte n of it is n * 7. */
struct fixture {
    struct stream stream;
    struct budget budget;
    struct stats stats;
    uint32_t start, read, missing;
};

static void take(void *context, const struct stream_piece *piece)
{
    struct fixture *x = context;

    assert_int_equal(piece->seq, x->start + x->read);
    for (uint32_t i = 0; i < piece->length; i++)
        assert_int_equal(piece->bytes[i], (uint8_t)((x->read + i) * 7));
    x->read += piece->length + piece->missing;
    x->missing += piece->missing;
}

static struct fixture *begin(uint32_t start)
{
    static struct fixture x;

    memset(&x, 0, sizeof x);
    x.budget.limit = 1 << 20;
    x.start = start;
    stream_start(&x.stream, start);
    return &x;
}

static void push(struct fixture *x, uint32_t from, uint32_t length)
{
    static uint8_t bytes[4096];
    struct packet p = {.payload = bytes, .payload_length = length, .time = NSEC_S};

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((from + i) * 7);
    stream_push(&x->stream, &x->budget, &p, x->start + from, (struct stream_reader){take, x},
                &x->stats);
}

/* Segments that overlap and come in any order make the same stream, across the wrap of numbers. */
static void test_any_order(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 300; round++) {
        struct fixture *x = begin(0xffffff00u);

        for (int i = 0; i < STREAM_SEGMENTS - 14; i++) {
            uint32_t from = (uint32_t)(rand() % 1000), length = (uint32_t)(1 + rand() % 200);

            push(x, from, from + length > 1000 ? 1000 - from : length);
        }
        for (uint32_t from = 0; from < 1000; from += 100)
            push(x, from, 100);
        assert_int_equal(x->read, 1000);
        assert_int_equal(x->missing, 0);
        assert_null(x->stream.held);
        assert_int_equal(x->budget.used, 0);
    }
}

static void test_a_hole_is_acknowledged(void **state)
{
    struct fixture *x = begin(5);

    (void)state;
    push(x, 0, 10);
    push(x, 30, 10);
    assert_int_equal(x->read, 10);
    stream_acked(&x->stream, &x->budget, 5 + 30, (struct stream_reader){take, x}, &x->stats);
    assert_int_equal(x->read, 40);
    assert_int_equal(x->missing, 20);
    assert_int_equal(x->stats.tcp_gaps, 1);
    stream_acked(&x->stream, &x->budget, 5 + 60, (struct stream_reader){take, x}, &x->stats);
    push(x, 50, 10); /* known to be lost before it came */
    assert_int_equal(x->read, 60);
    assert_int_equal(x->stats.tcp_gaps, 2);
    assert_int_equal(x->budget.used, 0);
}

/* What waits for a segment that never comes is bounded in number and in bytes. */
static void test_bounds(void **state)
{
    struct fixture *x = begin(0);

    (void)state;
    for (uint32_t i = 1; i <= 1000; i++) {
        push(x, i * 100, 50);
        assert_true(x->stream.held_count <= STREAM_SEGMENTS);
    }
    assert_true(x->stats.tcp_overflow > 0);
    assert_true(x->read > 0);
    stream_drop(&x->stream, &x->budget);
    assert_int_equal(x->budget.used, 0);
    x = begin(0);
    x->budget.limit = 500;
    for (uint32_t i = 1; i <= 20; i++)
        push(x, i * 100, 50);
    assert_true(x->budget.used <= 500);
    stream_drop(&x->stream, &x->budget);
    assert_int_equal(x->budget.used, 0);
}

static void test_transactions_wrap_and_expire(void **state)
{
    struct transactions *t = transactions_create(64);
    struct stats stats = {0};
    struct transaction_answer a;
    struct transaction_response said = {0};

    (void)state;
    assert_non_null(t);
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t who = i * UINT64_C(0x9e3779b97f4a7c15);
        nsec_t now = (nsec_t)i * NSEC_MS;

        transactions_expire(t, now, 64, &stats);
        assert_false(transaction_ask(t, who, (struct transaction_question){i | 1, 0}, now, &stats));
        if (i % 3 != 0)
            continue;
        a = transaction_answer(t, who, i | 1, said);
        assert_true(a.matched && a.question_ok);
        assert_true(a.asked == now);
        assert_false(transaction_answer(t, who, i | 1, said).matched);
    }
    transactions_expire(t, 1000 * NSEC_S, 1000, &stats);
    assert_int_equal(stats.dns_unanswered + stats.state_evicted, 100000 - 33334);
    transactions_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_a_hole_is_acknowledged),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_transactions_wrap_and_expire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
