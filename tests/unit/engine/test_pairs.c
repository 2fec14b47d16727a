/* Which pairs the monitor takes, whatever the parser asks for: by its own policy, and so many. No
 * kernel here: what is written fails, and is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "engine/monitor.h"

static const char text[] =
    "sensor: {mode: enforce, interfaces: [lan0, lan1], pairs: {timeout: 1m%s}}\n"
    "resolvers:\n"
    "  - {id: ours, name: ours.example, addresses: [192.0.2.53], shared: [192.0.2.80], "
    "transports: [doh2]}\n"
    "  - {id: theirs, name: theirs.example}\n"
    "zones:\n"
    "  - {id: a, networks: [10.0.0.0/8], approve: [ours], unapproved: reject}\n"
    "  - {id: b, networks: [11.0.0.0/8], approve: [ours], unapproved: alert}\n"
    "  - {id: c, interfaces: [lan1], approve: [ours], unapproved: reject}\n"
    "exceptions:\n"
    "  - {client: 10.0.0.9, until: 2099-12-31, owner: o, reason: r}\n"
    "  - {client: 10.0.0.8, resolver: theirs, until: 2099-12-31, owner: o, reason: r}\n"
    "  - {mac: \"02:00:5e:10:00:09\", until: 2099-12-31, owner: o, reason: r}\n";

struct house {
    struct board board;
    struct wiring wiring;
    struct monitor monitor;
};

static struct addr at(const char *word)
{
    struct addr a;

    assert_int_equal(addr_parse(word, &a), SD_OK);
    return a;
}

static struct house *move_in(const char *hidden)
{
    struct house *h = calloc(1, sizeof *h);
    struct addr own = at("10.0.0.1");
    char policy[2048];
    struct conf_source source = {
        .policy = {.name = "p", .bytes = policy}, .gateway = &own, .gateway_count = 1};
    struct conf_report report = {.to = stderr};

    source.policy.length = (size_t)snprintf(policy, sizeof policy, text, hidden);
    assert_int_equal(conf_load(&source, &report, &h->wiring.policy), SD_OK);
    h->wiring.board = &h->board;
    h->monitor = (struct monitor){.wiring = &h->wiring,
                                  .netlink = -1,
                                  .drift.descriptor = -1,
                                  .installed = true,
                                  .pairs = pairs_create()};
    assert_non_null(h->monitor.pairs);
    return h;
}

static void move_out(struct house *h)
{
    pairs_destroy(h->monitor.pairs);
    policy_destroy(h->wiring.policy);
    free(h);
}

static struct cut_pair pair_of(const char *client, const char *server)
{
    return (struct cut_pair){.client = at(client),
                             .server = at(server),
                             .resolver = hash_bytes("theirs", 6, 0),
                             .transport = TRANSPORT_DOH2};
}

static bool asks(struct house *h, struct cut_pair x)
{
    struct pair_batch b = {.count = 1, .pair = {x}};

    return pairs_ask(&h->monitor, &b);
}

/* A sound request: taken or not, it ends nothing. */
static bool takes(struct house *h, struct cut_pair x)
{
    uint32_t before = pairs_count(h->monitor.pairs);
    uint64_t refused = h->board.monitor.pairs_refused;

    assert_true(asks(h, x));
    assert_int_equal(h->board.monitor.pairs_refused - refused,
                     pairs_count(h->monitor.pairs) == before);
    return pairs_count(h->monitor.pairs) > before;
}

static void takes_what_the_policy_cuts(void **unused)
{
    struct house *h = move_in("");
    struct cut_pair x = pair_of("10.1.1.1", "198.51.100.9");

    (void)unused;
    assert_true(takes(h, x));
    assert_true(asks(h, x)); /* again: it is there */
    assert_int_equal(pairs_count(h->monitor.pairs), 1);
    assert_int_equal(h->board.monitor.pairs_refused, 0);
    assert_true(takes(h, pair_of("10.1.1.2", "198.51.100.9")));
    move_out(h);
}

static void takes_nothing_else(void **unused)
{
    static const char *const none[][2] = {
        {"10.1.1.1", "192.0.2.53"}, /* an approved resolver's own address */
        {"10.1.1.1", "192.0.2.80"}, /* one that it shares */
        {"10.1.1.1", "10.0.0.1"},   /* the gateway */
        {"10.0.0.1", "198.51.100.9"}, {"11.1.1.1", "198.51.100.9"}, /* a zone that only alerts */
        {"12.1.1.1", "198.51.100.9"},                               /* no zone */
        {"10.0.0.9", "198.51.100.9"},                               /* exceptions */
        {"10.0.0.8", "198.51.100.9"},
    };
    struct house *h = move_in("");
    struct cut_pair x = pair_of("10.1.1.1", "198.51.100.9");

    (void)unused;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(takes(h, pair_of(none[i][0], none[i][1])));
    x.station = 0x02005e100009;
    assert_false(takes(h, x));
    x = pair_of("10.1.1.1", "198.51.100.9");
    x.resolver = hash_bytes("ours", 4, 0);
    assert_false(takes(h, x));
    x.resolver = 4711;
    assert_false(takes(h, x));
    x = pair_of("10.1.1.1", "198.51.100.9");
    h->monitor.installed = false;
    assert_false(takes(h, x));
    h->monitor.installed = h->monitor.lost = true;
    assert_false(takes(h, x));
    move_out(h);
}

/* One that the sensor before left in the kernel has no interface. */
static void a_zone_may_go_by_its_interface(void **unused)
{
    static const struct {
        uint16_t iface;
        bool taken;
    } cases[] = {{0, false}, {1, true}, {UINT16_MAX, true}};

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct house *h = move_in("");
        struct cut_pair x = pair_of("12.1.1.1", "198.51.100.9");

        x.iface = cases[i].iface;
        assert_int_equal(takes(h, x), cases[i].taken);
        x = pair_of("12.1.1.1", "192.0.2.80"); /* approved in each zone */
        x.iface = cases[i].iface;
        assert_false(takes(h, x));
        move_out(h);
    }
}

static void what_is_no_request_ends_the_sensor(void **unused)
{
    struct house *h = move_in("");
    struct cut_pair good = pair_of("10.1.1.1", "198.51.100.9"), x;
    struct pair_batch b = {.count = 0};

    (void)unused;
    assert_false(pairs_ask(&h->monitor, &b));
    b.count = PAIRS_AT_ONCE + 1;
    assert_false(pairs_ask(&h->monitor, &b));
    x = good, x.server = at("2001:db8::1");
    assert_false(asks(h, x));
    x = good, x.server = at("224.0.0.1");
    assert_false(asks(h, x));
    x = good, x.client = at("0.0.0.0");
    assert_false(asks(h, x));
    x = good, x.proof = 2;
    assert_false(asks(h, x));
    x = good, x.transport = TRANSPORT_DOT;
    assert_false(asks(h, x));
    x = good, x.left_ms = 1;
    assert_false(asks(h, x));
    x = good, x.zero[5] = 1;
    assert_false(asks(h, x));
    assert_int_equal(pairs_count(h->monitor.pairs), 0);
    move_out(h);
}

/* The monitor has seen the probe's report itself. */
static void behaviour_needs_a_probe_and_the_policy(void **unused)
{
    struct probe_report report = {.server = at("198.51.100.9"),
                                  .port = 443,
                                  .transport = TRANSPORT_DOH2,
                                  .found.post_works = true};

    (void)unused;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct house *h = move_in(hidden ? ", hidden: true" : "");
        struct cut_pair x = pair_of("10.1.1.1", "198.51.100.9");

        x.resolver = 0;
        x.proof = PAIR_BY_PROBE;
        report.found.post_works = true;
        assert_false(takes(h, x));
        pairs_probed(h->monitor.pairs, &report);
        assert_int_equal(takes(h, x), hidden);
        report.found.post_works = false;
        pairs_probed(h->monitor.pairs, &report);
        x.client = at("10.1.1.2");
        assert_false(takes(h, x));
        move_out(h);
    }
}

/* Written to no kernel, they are forgotten; these stay below what is written at once. */
static void a_client_has_so_many(void **unused)
{
    struct house *h = move_in("");

    (void)unused;
    for (int i = 0; i < PAIRS_OF_CLIENT + 50; i++) {
        char server[32];

        snprintf(server, sizeof server, "198.51.100.%d", i + 1);
        assert_int_equal(takes(h, pair_of("10.1.1.1", server)), i < PAIRS_OF_CLIENT);
    }
    assert_true(takes(h, pair_of("10.1.1.2", "198.51.100.9")));
    move_out(h);
}

static void what_is_not_written_is_forgotten(void **unused)
{
    struct house *h = move_in("");

    (void)unused;
    assert_true(takes(h, pair_of("10.1.1.1", "198.51.100.9")));
    pairs_flush(&h->monitor);
    assert_int_equal(pairs_count(h->monitor.pairs), 0);
    assert_int_equal(h->board.monitor.pairs_put, 0);
    assert_true(h->monitor.drift.suspect);
    assert_true(takes(h, pair_of("10.1.1.1", "198.51.100.9")));
    move_out(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_policy_cuts),
        cmocka_unit_test(takes_nothing_else),
        cmocka_unit_test(a_zone_may_go_by_its_interface),
        cmocka_unit_test(what_is_no_request_ends_the_sensor),
        cmocka_unit_test(behaviour_needs_a_probe_and_the_policy),
        cmocka_unit_test(a_client_has_so_many),
        cmocka_unit_test(what_is_not_written_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
