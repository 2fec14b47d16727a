#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/account.h"
#include "base/error.h"

static struct observation query(uint32_t client, nsec_t time)
{
    uint8_t from[4] = {10, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};
    uint8_t to[4] = {192, 0, 2, 53};

    return (struct observation){.kind = OBSERVE_DNS,
                                .transport = TRANSPORT_DO53_UDP,
                                .server_port = 53,
                                .client = addr_v4(from),
                                .server = addr_v4(to),
                                .time = time,
                                .bytes = 70,
                                .dns.new_flow = true};
}

struct totals {
    uint64_t queries, records;
    bool refuse;
};

static int add_up(void *context, const struct record *r)
{
    struct totals *t = context;

    if (t->refuse)
        return SD_ELIMIT;
    t->records++;
    t->queries += r->conversation.queries;
    return SD_OK;
}

static void the_least_active_are_folded_and_totals_add_up(void **state)
{
    const struct bounds bounds = {.clients = 100, .conversations = 100};
    struct account *a = account_create(&bounds, 1);
    struct account_omitted omitted;
    const struct conversation **list;
    struct stats stats = {0};
    struct totals totals = {0};
    struct record_sink sink = {add_up, &totals};
    uint64_t queries = 0;
    size_t count;

    (void)state;
    for (uint32_t n = 0; n < 5000; n++) {
        struct observation o = query(n % 10 == 0 ? 7 : n + 100, (nsec_t)n * NSEC_S);

        account_observe(a, &o, 1, &stats);
    }
    assert_int_equal(account_conversations(a, &list, &count, &omitted), SD_OK);
    assert_int_equal(count, 100);
    for (size_t i = 0; i < count; i++) {
        queries += list[i]->queries;
        assert_true(i == 0 || list[i - 1]->first <= list[i]->first);
    }
    assert_int_equal(list[0]->queries, 500); /* the busy client stayed, whole, and is the first */
    assert_int_equal(queries + omitted.queries, 5000);
    assert_int_equal(count + omitted.conversations, 4501);
    account_flush(a, 0, sink);
    assert_int_equal(totals.queries, 5000);
    account_flush(a, 0, sink);
    assert_int_equal(totals.queries, 5000); /* told once */
    free(list);
    account_destroy(a);
}

/* The last packets of a flow may be told of after a flush, with a time that was told already. */
static void what_comes_with_no_later_time_is_told(void **state)
{
    struct account *a = account_create(NULL, 1);
    struct stats stats = {0};
    struct totals totals = {0};
    struct record_sink sink = {add_up, &totals};
    struct observation first = query(1, NSEC_S), again = query(1, NSEC_S);

    (void)state;
    account_observe(a, &first, 1, &stats);
    account_flush(a, 0, sink);
    account_observe(a, &again, 1, &stats);
    account_flush(a, 0, sink);
    assert_int_equal(totals.queries, 2);
    account_destroy(a);
}

static void what_the_sink_refuses_stays(void **state)
{
    struct account *a = account_create(NULL, 1);
    struct stats stats = {0};
    struct totals totals = {.refuse = true};
    struct record_sink sink = {add_up, &totals};
    struct observation o = query(1, NSEC_S);

    (void)state;
    account_observe(a, &o, 1, &stats);
    account_flush(a, 0, sink);
    totals.refuse = false;
    account_flush(a, 0, sink);
    assert_int_equal(totals.queries, 1);
    assert_int_equal(totals.records, 1);
    account_destroy(a);
}

/* Zones: default, gateway, `others` times one of VLAN 9, and one of VLAN 7 on the first interface.
 */
static struct policy *policy_with(size_t others)
{
    struct policy *p = calloc(1, sizeof *p);
    struct policy_zone *last;

    p->zone_count = 3 + others;
    p->zones = calloc(p->zone_count, sizeof *p->zones);
    for (size_t i = 0; i <= others; i++) {
        struct policy_zone *z = p->zones + 2 + i;

        z->vlans = calloc(1, sizeof *z->vlans);
        z->vlans[0] = i < others ? 9 : 7;
        z->vlan_count = 1;
    }
    last = p->zones + 2 + others;
    last->interfaces = calloc(1, sizeof *last->interfaces);
    strcpy(last->interfaces[0], "lan0");
    last->interface_count = 1;
    p->interfaces = calloc(1, sizeof *p->interfaces);
    strcpy(p->interfaces[0], "lan0");
    p->interface_count = 1;
    assert_int_equal(policy_compile(p), SD_OK);
    return p;
}

static int16_t zone_of_vlan_7(struct account *a)
{
    struct observation o = query(1, NSEC_S);
    struct stats stats = {0};

    o.vlan = 7;
    account_observe(a, &o, 1, &stats);
    return o.note.zone;
}

static void zones_by_interface_and_vlan_outlive_a_reload(void **state)
{
    struct account *a = account_create(NULL, 1);
    struct policy *before = policy_with(0), *after = policy_with(3);

    (void)state;
    account_use_policy(a, before);
    assert_int_equal(zone_of_vlan_7(a), 2);
    assert_int_equal(zone_of_vlan_7(a), 2);
    account_use_policy(a, after);
    policy_destroy(before);
    assert_int_equal(zone_of_vlan_7(a), 5);
    account_destroy(a);
    policy_destroy(after);
}

/* The rule has seen the interface, and the sensor may not watch it. */
static void a_rule_knows_the_zone(void **state)
{
    struct account *a = account_create(NULL, 1);
    struct policy *p = policy_with(2);
    struct observation o = {.kind = OBSERVE_MET, .iface = UINT16_MAX};
    struct stats stats = {0};

    (void)state;
    strcpy(p->zones[3].id, "lab");
    account_use_policy(a, p);
    strcpy(o.met.rule, "lab/cleartext-udp");
    account_observe(a, &o, 1, &stats);
    assert_int_equal(o.note.zone, 3);
    strcpy(o.met.rule, "laboratory/cleartext-udp");
    account_observe(a, &o, 1, &stats);
    assert_int_equal(o.note.zone, ZONE_DEFAULT);
    account_destroy(a);
    policy_destroy(p);
}

static uint8_t roles_of(struct account *a, uint32_t client)
{
    struct observation o = query(client, 100 * NSEC_S);
    struct stats stats = {0};

    o.dns.message.flags = 0x0100;
    account_observe(a, &o, 1, &stats);
    return o.note.roles;
}

/* From the machine 5 to the machine 6. */
static void answers(struct account *a, enum answer_match match, int count)
{
    struct observation o = query(6, 200 * NSEC_S), from = query(5, 0);
    struct stats stats = {0};

    o.server = from.client;
    o.dns.match = (uint8_t)match;
    o.dns.message.flags = 0x8180;
    for (int i = 0; i < count; i++)
        account_observe(a, &o, 1, &stats);
}

static void answers_to_nobody_make_no_forwarder(void **state)
{
    struct account *a = account_create(NULL, 1);

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(roles_of(a, 5), 0);
    answers(a, ANSWER_UNASKED, 50);
    assert_int_equal(roles_of(a, 5), 0);
    answers(a, ANSWER_MATCHED, 50);
    assert_int_equal(roles_of(a, 5), ROLE_FORWARDER);
    account_destroy(a);
}

static struct observation query_of(uint32_t client, nsec_t time)
{
    const uint8_t bytes[4] = {16, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};
    const uint8_t server[4] = {192, 0, 2, 53};

    return (struct observation){.kind = OBSERVE_DNS,
                                .transport = TRANSPORT_DO53_UDP,
                                .time = time,
                                .client = addr_v4(bytes),
                                .server = addr_v4(server),
                                .server_port = 53};
}

/* Who was there before keeps its place, who comes again gets one, and every query counts. */
static void a_flood_pushes_out_nobody(void **state)
{
    const struct bounds bounds = {.clients = 4096, .conversations = 1000};
    struct account *a = account_create(&bounds, 1);
    struct observation first = query_of(1, NSEC_S), again, newcomer, second;
    struct account_omitted omitted;
    const struct conversation **list;
    struct stats stats = {0};
    uint64_t listed = 0;
    size_t count;

    (void)state;
    account_observe(a, &first, 1, &stats);
    assert_false(first.note.newcomer);
    for (uint32_t i = 2; i < 200000; i++) {
        struct observation o = query_of(i, NSEC_S + i * NSEC_US);

        account_observe(a, &o, 1, &stats);
        assert_true(o.note.who < bounds.clients && o.note.tenure);
        assert_true(o.note.newcomer == (i > 1000) || (i > 900 && i < 1100));
    }
    again = query_of(1, 2 * NSEC_S);
    account_observe(a, &again, 1, &stats);
    assert_int_equal(again.note.who, first.note.who);
    assert_int_equal(again.note.tenure, first.note.tenure);
    newcomer = query_of(300000, 2 * NSEC_S);
    account_observe(a, &newcomer, 1, &stats);
    assert_true(newcomer.note.newcomer && newcomer.note.who != first.note.who);
    second = query_of(300000, 3 * NSEC_S);
    account_observe(a, &second, 1, &stats);
    assert_false(second.note.newcomer);
    newcomer = query_of(300000, 4 * NSEC_S);
    account_observe(a, &newcomer, 1, &stats);
    assert_int_equal(newcomer.note.who, second.note.who);
    assert_int_equal(newcomer.note.tenure, second.note.tenure);
    assert_int_equal(stats.state_evicted, 0);
    assert_int_equal(account_conversations(a, &list, &count, &omitted), SD_OK);
    for (size_t i = 0; i < count; i++)
        listed += list[i]->queries;
    assert_int_equal(listed + omitted.queries, 200000 + 3);
    free(list);
    account_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_active_are_folded_and_totals_add_up),
        cmocka_unit_test(answers_to_nobody_make_no_forwarder),
        cmocka_unit_test(a_rule_knows_the_zone),
        cmocka_unit_test(zones_by_interface_and_vlan_outlive_a_reload),
        cmocka_unit_test(what_comes_with_no_later_time_is_told),
        cmocka_unit_test(what_the_sink_refuses_stays),
        cmocka_unit_test(a_flood_pushes_out_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
