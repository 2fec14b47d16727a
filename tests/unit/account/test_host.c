#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/clients.h"
#include "account/points.h"
#include "base/error.h"

struct bench {
    struct clients *clients;
    struct stats stats;
    nsec_t now;
    struct memory kept[16];
    size_t count;
};

static struct observation_note by_ttl(struct bench *b, const char *address, uint64_t station,
                                      uint8_t ttl)
{
    struct observation o = {
        .kind = OBSERVE_DNS, .station = station, .ttl = ttl, .time = b->now += NSEC_S};

    assert_int_equal(addr_parse(address, &o.client), SD_OK);
    clients_note(b->clients, &o, &(uint32_t){0}, &b->stats);
    return o.note;
}

static struct observation_note by(struct bench *b, const char *address, uint64_t station)
{
    return by_ttl(b, address, station, 64);
}

static void lease(struct bench *b, const char *address, uint64_t station, const char *host)
{
    struct observation o = {.kind = OBSERVE_LEASE,
                            .station = station,
                            .time = b->now += NSEC_S,
                            .lease = {.step = LEASE_GIVEN, .address_count = 1}};

    assert_int_equal(addr_parse(address, &o.lease.address[0]), SD_OK);
    strcpy(o.lease.host, host);
    clients_lease(b->clients, &o, &b->stats);
}

#define assert_same(one, two)                                                                      \
    do {                                                                                           \
        struct observation_note left = (one), right = (two);                                       \
        assert_int_equal(left.who, right.who);                                                     \
        assert_int_equal(left.tenure, right.tenure);                                               \
    } while (0)
#define assert_different(one, two)                                                                 \
    do {                                                                                           \
        struct observation_note left = (one), right = (two);                                       \
        assert_int_not_equal(left.tenure, right.tenure);                                           \
    } while (0)

static void the_addresses_of_a_host_are_one_client(void **state)
{
    struct bench *b = *state;
    struct observation_note four = by(b, "10.0.0.5", 5);

    assert_same(four, by(b, "2001:db8::5", 5));
    assert_same(four, by(b, "2001:db8::a1b2:c3d4", 5)); /* temporary ones: RFC 8981 */
    assert_same(four, by(b, "2001:db8::ffff:1234", 5));
    assert_same(four, by(b, "10.0.0.5", 0)); /* seen where link addresses are not */
    assert_different(four, by(b, "10.0.0.6", 6));
    assert_same(four, by(b, "10.0.0.5", 5));
}

static void a_new_lease_makes_no_new_client_but_who_gets_the_old_one_is(void **state)
{
    struct bench *b = *state;
    struct observation_note first = by(b, "10.0.0.5", 5);

    assert_same(first, by(b, "10.0.0.9", 5));
    assert_different(first, by(b, "10.0.0.5", 6)); /* another machine got it */
    assert_same(first, by(b, "10.0.0.9", 5));
    /* The other order: the address goes first, then the machine comes back with another. */
    first = by(b, "10.0.1.5", 15);
    assert_different(first, by(b, "10.0.1.5", 16));
    assert_same(first, by(b, "10.0.1.9", 15));
}

static void what_a_router_forwards_stays_apart(void **state)
{
    struct bench *b = *state;
    struct observation_note one, two;

    for (int i = 0; i < 4; i++) {
        one = by_ttl(b, "10.1.0.5", 1, 63);
        two = by_ttl(b, "10.1.0.6", 1, 127);
        assert_different(one, two);
    }
    assert_same(one, by_ttl(b, "10.1.0.5", 1, 63));
    assert_different(one, by(b, "10.1.0.7", 1)); /* known for a router by now */
    assert_different(by(b, "10.1.0.8", 1), by(b, "10.1.0.9", 1));
}

/* Without a TTL that tells: addresses that speak in turns. */
static void two_addresses_in_turns_are_two(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 8; i++) {
        by(b, "10.2.0.5", 2);
        by(b, "10.2.0.6", 2);
    }
    assert_different(by(b, "10.2.0.5", 2), by(b, "10.2.0.6", 2));
    assert_same(by(b, "10.2.0.5", 2), by(b, "10.2.0.5", 2));
}

static void many_addresses_are_a_router(void **state)
{
    struct bench *b = *state;
    char address[ADDR_TEXT];
    struct observation_note note[4];

    for (int i = 0; i < 4; i++) {
        snprintf(address, sizeof address, "10.3.0.%d", i + 1);
        by(b, address, 3);
    }
    for (int i = 0; i < 4; i++) {
        snprintf(address, sizeof address, "10.3.0.%d", i + 1);
        note[i] = by(b, address, 3);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(note[i].who, note[j].who);
    }
}

static void a_lease_tells_hosts_apart_behind_a_relay(void **state)
{
    struct bench *b = *state;
    struct observation_note first;

    for (int i = 0; i < 4; i++)
        by_ttl(b, "10.4.0.200", 4, 63); /* the relay */
    lease(b, "10.4.0.5", 0x20, "laptop");
    first = by_ttl(b, "10.4.0.5", 4, 63);
    lease(b, "10.4.0.6", 0x20, "laptop");
    assert_same(first, by_ttl(b, "10.4.0.6", 4, 63));
    lease(b, "10.4.0.5", 0x21, "printer");
    assert_different(first, by_ttl(b, "10.4.0.5", 4, 63));
    assert_same(first, by_ttl(b, "10.4.0.6", 4, 63));
}

static void an_address_between_two_stations_does_not_flap(void **state)
{
    struct bench *b = *state;
    struct observation_note last = by(b, "10.5.0.5", 5);
    int changes = 0;

    for (int i = 0; i < 40; i++) {
        struct observation_note now = by(b, "10.5.0.5", i % 2 ? 5 : 6);

        changes += now.tenure != last.tenure;
        last = now;
    }
    assert_in_range(changes, 1, 5);
}

static void several_clients_behind_one_address_are_said(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 20; i++)
        assert_int_equal(by(b, "10.6.0.5", 6).roles & ROLE_SEVERAL, 0);
    for (int i = 0; i < 8; i++)
        by_ttl(b, "10.6.0.5", 6, i % 2 ? 63 : 127);
    assert_true(by_ttl(b, "10.6.0.5", 6, 63).roles & ROLE_SEVERAL);
    /* Its twin: a route that changed. */
    for (int i = 0; i < 20; i++)
        assert_int_equal(by_ttl(b, "10.6.0.6", 7, i < 10 ? 62 : 61).roles & ROLE_SEVERAL, 0);
}

static struct observation_note asks(struct bench *b, const char *name, size_t length)
{
    struct observation o = {.kind = OBSERVE_DNS, .station = 9, .ttl = 64, .time = b->now += NSEC_S};

    memcpy(o.dns.message.qname, name, length);
    o.dns.message.qname_length = (uint8_t)length;
    assert_int_equal(addr_parse("10.7.0.9", &o.client), SD_OK);
    clients_note(b->clients, &o, &(uint32_t){0}, &b->stats);
    return o.note;
}

#define ASKS(b, name) asks(b, name, sizeof name)

static void two_operating_systems_are_two_clients(void **state)
{
    struct bench *b = *state;

    assert_int_equal(ASKS(b, "\7captive\5apple\3com").roles & ROLE_SEVERAL, 0);
    assert_int_equal(ASKS(b, "\7captive\5apple\3com").roles & ROLE_SEVERAL, 0);
    assert_int_equal(ASKS(b, "\3www\7example\3com").roles & ROLE_SEVERAL, 0);
    assert_true(ASKS(b, "\3www\17msftconnecttest\3com").roles & ROLE_SEVERAL);
}

static int keep(void *context, const struct memory *m)
{
    struct bench *b = context;

    assert_true(b->count < 16);
    b->kept[b->count++] = *m;
    return SD_OK;
}

static void who_is_who_survives_a_restart(void **state)
{
    struct bench *b = *state;
    struct clients *again = clients_create(CLIENTS_MOST, 7);
    struct addr a;
    const struct host *m;

    lease(b, "10.8.0.5", 0x020000000009, "laptop");
    by(b, "10.8.0.5", 0x020000000009);
    by(b, "2001:db8:8::5", 0x020000000009);
    clients_remember(b->clients, (struct memory_sink){keep, b});
    assert_int_equal(b->count, 1);
    assert_string_equal(b->kept[0].key, "02:00:00:00:00:09");
    assert_non_null(strstr(b->kept[0].text.text, "\"host\":\"laptop\""));
    assert_non_null(strstr(b->kept[0].text.text, "10.8.0.5 2001:db8:8::5"));
    clients_remember(b->clients, (struct memory_sink){keep, b});
    assert_int_equal(b->count, 1); /* nothing new */
    clients_recall(again, &b->kept[0]);
    b->kept[0].size--;
    clients_recall(again, &b->kept[0]); /* another version's */
    clients_destroy(b->clients);
    b->clients = again;
    addr_parse("2001:db8:8::5", &a);
    m = clients_host(again, &a);
    assert_non_null(m);
    assert_string_equal(m->name, "laptop");
    assert_same(by(b, "10.8.0.5", 0x020000000009), by(b, "2001:db8:8::5", 0x020000000009));
    by(b, "2001:db8:8::a1b2", 0x020000000009); /* a new one takes nobody's place */
    b->count = 0;
    clients_remember(b->clients, (struct memory_sink){keep, b});
    assert_non_null(strstr(b->kept[0].text.text, "10.8.0.5 2001:db8:8::5 2001:db8:8::a1b2"));
}

static void remember(struct bench *b)
{
    b->count = 0;
    clients_remember(b->clients, (struct memory_sink){keep, b});
}

/* What was remembered of a machine: its row as text. */
static const char *row_of(const struct bench *b, const char *key)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->kept[i].key, key) == 0)
            return b->kept[i].text.text;
    fail_msg("nothing new of %s", key);
    return "";
}

static void an_address_is_remembered_of_its_last_machine_only(void **state)
{
    struct bench *b = *state;

    lease(b, "10.8.0.5", 5, "laptop");
    by(b, "10.8.0.5", 5);
    remember(b);
    assert_non_null(strstr(row_of(b, "00:00:00:00:00:05"), "\"leased\":\"10.8.0.5\""));
    lease(b, "10.8.0.6", 5, "laptop");
    lease(b, "10.8.0.5", 6, "guest");
    remember(b);
    assert_non_null(strstr(row_of(b, "00:00:00:00:00:05"), "\"addresses\":\"10.8.0.6\","));
    by(b, "10.8.0.6", 7); /* without a lease, too */
    remember(b);
    assert_non_null(strstr(row_of(b, "00:00:00:00:00:05"), "\"addresses\":\"\",\"since"));
    assert_non_null(strstr(row_of(b, "00:00:00:00:00:07"), "10.8.0.6"));
}

/* Places are fewer than strangers: a machine that speaks keeps its own. */
static void a_flood_of_strangers_leaves_who_speaks_in_place(void **state)
{
    struct bench *b = *state;
    struct observation_note first = by(b, "10.9.0.5", 9);

    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t four[4] = {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct observation o = {.kind = OBSERVE_DNS, .ttl = 55, .client = addr_v4(four)};

        o.time = b->now += NSEC_MS;
        clients_note(b->clients, &o, &(uint32_t){0}, &b->stats);
        if (i % 1000 == 0)
            by(b, "10.9.0.5", 9);
    }
    assert_same(first, by(b, "10.9.0.5", 9));
}

static bool shows(struct points *p, uint16_t iface, nsec_t time, uint16_t id, bool flow)
{
    struct observation o = {.kind = flow ? OBSERVE_FLOW : OBSERVE_DNS,
                            .iface = iface,
                            .time = time,
                            .client_port = 40000,
                            .server_port = 53};

    if (!flow)
        o.dns.message.id = id;
    return points_again(p, &o);
}

static void what_two_interfaces_show_counts_once(void **state)
{
    struct points *p = points_create(7);
    nsec_t t = 1000 * NSEC_S;

    (void)state;
    assert_false(shows(p, 0, t, 1, false));
    assert_true(shows(p, 1, t + NSEC_MS, 1, false));
    assert_false(shows(p, 1, t + NSEC_MS, 2, false)); /* the other first */
    assert_true(shows(p, 0, t, 2, false));
    assert_false(shows(p, 0, t + 30 * NSEC_MS, 1, false)); /* sent again */
    assert_true(shows(p, 1, t + 31 * NSEC_MS, 1, false));
    assert_false(shows(p, 1, t + NSEC_S, 1, false)); /* not seen on the first, and later */
    assert_false(shows(p, 0, t, 0, true));
    assert_true(shows(p, 1, t, 0, true));
    assert_false(shows(p, 0, t + 60 * NSEC_S, 0, true));
    assert_true(shows(p, 1, t + 60 * NSEC_S, 0, true));
    points_destroy(p);
}

static void one_interface_shows_nothing_twice(void **state)
{
    struct points *p = points_create(7);

    (void)state;
    for (uint16_t i = 0; i < 5000; i++)
        assert_false(shows(p, 3, 1000 * NSEC_S, i % 7, false));
    points_destroy(p);
}

static int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    bench.now = 1000000 * NSEC_S;
    bench.clients = clients_create(CLIENTS_MOST, 7);
    assert_non_null(bench.clients);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    clients_destroy(((struct bench *)*state)->clients);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_addresses_of_a_host_are_one_client),
        TEST(a_new_lease_makes_no_new_client_but_who_gets_the_old_one_is),
        TEST(what_a_router_forwards_stays_apart),
        TEST(two_addresses_in_turns_are_two),
        TEST(many_addresses_are_a_router),
        TEST(a_lease_tells_hosts_apart_behind_a_relay),
        TEST(an_address_between_two_stations_does_not_flap),
        TEST(several_clients_behind_one_address_are_said),
        TEST(two_operating_systems_are_two_clients),
        TEST(who_is_who_survives_a_restart),
        TEST(an_address_is_remembered_of_its_last_machine_only),
        cmocka_unit_test(what_two_interfaces_show_counts_once),
        cmocka_unit_test(one_interface_shows_nothing_twice),
        TEST(a_flood_of_strangers_leaves_who_speaks_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
