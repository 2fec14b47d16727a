#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/hours.h"
#include "model/names.h"

#define HOUR (INT64_C(1795262400) * NSEC_S)

static struct record of(uint8_t client, nsec_t hour, uint64_t queries)
{
    const uint8_t from[4] = {10, 0, 0, client}, to[4] = {192, 0, 2, 53};
    struct record r = {.kind = RECORD_CONVERSATION, .hour = hour, .zone = "lan"};

    r.conversation.key = (struct conversation_key){.client = addr_v4(from),
                                                   .server = addr_v4(to),
                                                   .server_port = 53,
                                                   .transport = TRANSPORT_DO53_UDP};
    r.conversation.first = hour + 5;
    r.conversation.last = hour + (nsec_t)queries;
    r.conversation.queries = queries;
    return r;
}

static void what_comes_on_top_is_added_and_told_later(void **state)
{
    struct hours *h = hours_create(64);
    struct record a = of(1, HOUR, 7), b = of(1, HOUR, 3), other = of(2, HOUR, 1);
    struct hour_row row;
    nsec_t part, told;

    (void)state;
    hours_add(h, &a, 1000, &row);
    assert_int_equal(row.conversation->queries, 7);
    part = row.part;
    hours_add(h, &other, 1001, &row);
    assert_int_equal(row.conversation->queries, 1);
    assert_int_not_equal(row.part, part);
    told = row.told;
    hours_add(h, &b, 900, &row); /* the clock was set back */
    assert_int_equal(row.conversation->queries, 10);
    assert_int_equal(row.conversation->last, HOUR + 7);
    assert_int_equal(row.part, part);
    assert_true(row.told > told);
    assert_string_equal(row.zone, "lan");
    hours_destroy(h);
}

static void another_hour_is_another_sum(void **state)
{
    struct hours *h = hours_create(64);
    struct record a = of(1, HOUR, 7), b = of(1, HOUR + 3600 * NSEC_S, 3);
    struct hour_row row;

    (void)state;
    hours_add(h, &a, 1000, &row);
    hours_add(h, &b, 2000, &row);
    assert_int_equal(row.conversation->queries, 3);
    assert_int_equal(row.hour, b.hour);
    hours_destroy(h);
}

/* Of the newest rows of all parts the sum is what was told, however many sums are kept. */
static void a_sum_begun_anew_is_another_part(void **state)
{
    enum { CLIENTS = 200, ROUNDS = 5 };
    struct hours *h = hours_create(8);
    struct {
        nsec_t part;
        uint64_t queries;
    } parts[CLIENTS * ROUNDS] = {{0}};
    uint64_t sum = 0;
    nsec_t now = 1;

    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        for (int client = 0; client < CLIENTS; client++) {
            struct record r = of((uint8_t)client, HOUR, 2);
            struct hour_row row;
            size_t i = 0;

            hours_add(h, &r, now++, &row);
            while (parts[i].part && parts[i].part != row.part)
                i++;
            parts[i].part = row.part;
            parts[i].queries = row.conversation->queries;
        }
    for (size_t i = 0; i < CLIENTS * ROUNDS; i++)
        sum += parts[i].queries;
    assert_int_equal(sum, 2 * CLIENTS * ROUNDS);
    assert_int_not_equal(parts[CLIENTS].part, 0); /* some had to begin anew */
    hours_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_on_top_is_added_and_told_later),
        cmocka_unit_test(another_hour_is_another_sum),
        cmocka_unit_test(a_sum_begun_anew_is_another_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
