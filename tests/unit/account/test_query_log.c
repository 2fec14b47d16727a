#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/query_log.h"
#include "base/error.h"
#include "base/hash.h"

enum { LINES = 8192 };

struct told {
    size_t count, room;
    struct record list[LINES];
};

static struct told told;
static struct policy policy;
static struct policy_zone zones[2] = {{.id = "default"}, {.id = "office", .logged = true}};
static struct stats stats;

static int keep(void *context, const struct record *r)
{
    struct told *t = context;

    if (t->count == t->room)
        return SD_ELIMIT;
    memcpy(&t->list[t->count++], r, record_size(r));
    return SD_OK;
}

static struct query_log *start(enum query_mode mode)
{
    told.count = 0;
    told.room = LINES;
    memset(&stats, 0, sizeof stats);
    policy.zones = zones;
    policy.zone_count = 2;
    policy.query_log.mode = mode;
    policy.query_log.interval = 60 * NSEC_S;
    return query_log_create(&policy, NULL, 7, (struct record_sink){keep, &told}, &stats);
}

static int reset(void **state)
{
    (void)state;
    memset(&policy, 0, sizeof policy);
    return 0;
}

static struct observation message(unsigned client, const char *wire, size_t size, bool response)
{
    struct observation o = {.kind = OBSERVE_DNS,
                            .transport = TRANSPORT_DO53_UDP,
                            .proto = 17,
                            .client_port = 40000,
                            .server_port = 53,
                            .time = 5 * NSEC_S,
                            .flow_id = 99,
                            .note = {.zone = 1, .resolver = -1}};
    struct dns_message *m = &o.dns.message;

    o.client = addr_v4((uint8_t[]){10, 20, (uint8_t)(client >> 8), (uint8_t)client});
    o.server = addr_v4((uint8_t[]){9, 9, 9, 9});
    m->has_question = true;
    m->qtype = DNS_TYPE_AAAA;
    m->qclass = 1;
    m->flags = response ? 0x8183 : 0x0100;
    m->rcode = response ? 3 : 0;
    m->id = 4711;
    m->qname_length = (uint8_t)size;
    memcpy(m->qname, wire, size);
    o.dns.answered = response;
    o.dns.latency_us = 1500;
    o.dns.qname_hash = hash_bytes(wire, size, 3);
    return o;
}

static const char name[] = "\3www\7example\2co\2uk";

static void a_pair_is_two_lines(void **state)
{
    struct query_log *l = start(QUERIES_ALL);
    struct observation pair[] = {message(5, name, sizeof name, false),
                                 message(5, name, sizeof name, true)};

    (void)state;
    pair[1].dns.message.address_count = 1;
    query_log_observe(l, pair, 2);
    assert_int_equal(told.count, 2);
    assert_false(told.list[0].query.response);
    assert_true(told.list[1].query.response);
    assert_int_equal(told.list[1].query.rcode, 3);
    assert_int_equal(told.list[1].query.latency_us, 1500);
    assert_int_equal(told.list[1].query.address_count, 0); /* nobody wants answers */
    assert_int_equal(told.list[0].query.id, 4711);
    assert_memory_equal(told.list[0].query.qname, name, sizeof name);
    assert_string_equal(told.list[0].zone, "office");
    assert_true(told.list[0].query.number != told.list[1].query.number);
    assert_int_equal(stats.queries_logged, 2);
    query_log_destroy(l);
}

static void a_sample_has_whole_pairs_and_about_its_part(void **state)
{
    struct query_log *l;
    size_t asked = 0, answered = 0;

    (void)state;
    policy.query_log.sample = 10;
    l = start(QUERIES_SAMPLED);
    for (unsigned client = 0; client < 10000; client++) {
        struct observation pair[] = {message(client, name, sizeof name, false),
                                     message(client, name, sizeof name, true)};

        query_log_observe(l, pair, 2);
    }
    for (size_t i = 0; i < told.count; i += 2) {
        asked += !told.list[i].query.response;
        answered += told.list[i + 1].query.response;
        assert_true(addr_equal(&told.list[i].query.client, &told.list[i + 1].query.client));
        assert_int_equal(told.list[i].query.sample, 10);
    }
    assert_int_equal(asked, answered);
    assert_in_range(asked, 850, 1150);
    query_log_destroy(l);
}

static void what_is_alike_is_one_line_an_interval(void **state)
{
    struct query_log *l = start(QUERIES_AGGREGATED);
    uint64_t queries = 0, responses = 0;

    (void)state;
    query_log_tick(l, 1);
    for (unsigned i = 0; i < 300; i++) {
        struct observation pair[] = {message(i % 3, name, sizeof name, false),
                                     message(i % 3, name, sizeof name, true)};

        pair[0].time = pair[1].time = (nsec_t)i * NSEC_MS;
        pair[1].dns.message.rcode = i % 2;
        query_log_observe(l, pair, 2);
    }
    query_log_tick(l, 59 * NSEC_S);
    assert_int_equal(told.count, 0);
    query_log_tick(l, 60 * NSEC_S + 1);
    assert_int_equal(told.count, 9); /* three clients; asked, and two answers each */
    for (size_t i = 0; i < told.count; i++) {
        const struct query *q = &told.list[i].query;

        *(q->response ? &responses : &queries) += q->count;
        assert_true(q->sum && q->client_port == 0 && q->last > q->first);
    }
    assert_int_equal(queries, 300);
    assert_int_equal(responses, 300);
    query_log_tick(l, 120 * NSEC_S);
    assert_int_equal(told.count, 9); /* told once */
    query_log_destroy(l);
}

static void what_the_ring_has_no_room_for_waits_or_is_counted(void **state)
{
    struct query_log *l = start(QUERIES_AGGREGATED);
    struct observation o;

    (void)state;
    query_log_tick(l, 1);
    for (unsigned client = 0; client < 1000; client++) {
        o = message(client, name, sizeof name, false);
        query_log_observe(l, &o, 1);
    }
    told.room = 300;
    query_log_tick(l, 60 * NSEC_S + 1);
    assert_int_equal(told.count, 300);
    told.room = 900;
    query_log_tick(l, 61 * NSEC_S);
    assert_int_equal(told.count, 900);
    query_log_destroy(l);
    assert_int_equal(stats.queries_logged, 900);
    assert_int_equal(stats.queries_unlogged, 100);
    l = start(QUERIES_ALL);
    told.room = 0;
    query_log_observe(l, &o, 1);
    assert_int_equal(stats.queries_unlogged, 1);
    query_log_destroy(l);
}

static void what_is_encrypted_is_a_number_and_only_in_sums(void **state)
{
    struct observation o = message(5, name, sizeof name, false);
    struct query_log *l = start(QUERIES_ALL);

    (void)state;
    o.kind = OBSERVE_FLOW;
    o.transport = TRANSPORT_DOT;
    memset(&o.flow, 0, sizeof o.flow);
    o.flow.queries = 7;
    o.flow.responses = 6;
    query_log_observe(l, &o, 1);
    query_log_destroy(l);
    assert_int_equal(told.count, 0);
    l = start(QUERIES_AGGREGATED);
    query_log_observe(l, &o, 1);
    query_log_observe(l, &o, 1);
    query_log_destroy(l);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.list[0].query.count + told.list[1].query.count, 26);
    assert_true(told.list[0].query.sealed && told.list[0].query.qname_length == 0);
}

static void zones_networks_and_domains(void **state)
{
    struct observation o = message(0x0305, name, sizeof name, false), other = o;
    struct query_log *l;
    char text[ADDR_TEXT];

    (void)state;
    policy.query_log.some_zones = true;
    policy.query_log.clients = CLIENTS_NETWORK;
    policy.query_log.names = NAME_FORM_REGISTERED;
    l = start(QUERIES_ALL);
    other.note.zone = 0;
    o.note.domain = 4;
    query_log_observe(l, &other, 1);
    query_log_observe(l, &o, 1);
    assert_int_equal(told.count, 1);
    assert_string_equal(addr_text(&told.list[0].query.client, text), "10.20.3.0");
    assert_int_equal(told.list[0].query.client_port, 0);
    assert_int_equal(told.list[0].query.qname_length, sizeof name - 4);
    assert_memory_equal(told.list[0].query.qname, name + 4, sizeof name - 4);
    o.note.domain = sizeof name - 1; /* none is registered */
    query_log_observe(l, &o, 1);
    assert_int_equal(told.list[1].query.qname_length, 1);
    query_log_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_pair_is_two_lines, reset),
        cmocka_unit_test_setup(a_sample_has_whole_pairs_and_about_its_part, reset),
        cmocka_unit_test_setup(what_is_alike_is_one_line_an_interval, reset),
        cmocka_unit_test_setup(what_the_ring_has_no_room_for_waits_or_is_counted, reset),
        cmocka_unit_test_setup(what_is_encrypted_is_a_number_and_only_in_sums, reset),
        cmocka_unit_test_setup(zones_networks_and_domains, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
