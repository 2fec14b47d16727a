#include "scene.h"

extern const struct detector detector_amplification;

#define SERVER  "10.30.0.53"
#define OUTSIDE "198.51.100.7"

static struct scene s;

static int begin(void **state)
{
    (void)state;
    scene_open(&s, &detector_amplification);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

/* The name, with `#` as a number. */
static void numbered(char *out, size_t size, const char *name, int n)
{
    const char *mark = strchr(name, '#');

    if (mark)
        snprintf(out, size, "%.*s%d%s", (int)(mark - name), name, n, mark + 1);
    else
        snprintf(out, size, "%s", name);
}

/* A question of 80 octets and its answer, both as frames. */
struct exchange {
    const char *client, *server, *name;
    uint16_t qtype;
    uint32_t answer; /* octets */
    uint8_t transport;
};

static void exchange(const struct exchange *x, nsec_t t, int n)
{
    struct observation o;
    char name[64];

    numbered(name, sizeof name, x->name, n);
    o = scene_query(t, x->client, x->server, name);
    o.transport = x->transport ? x->transport : TRANSPORT_DO53_UDP;
    o.dns.qname_hash = hash_bytes(o.dns.message.qname, o.dns.message.qname_length, 3);
    o.dns.message.qtype = x->qtype;
    o.dns.message.udp_size = 4096;
    o.dns.message.length = 38;
    scene_see(&s, &o);
    o.dns.message.flags = 0x8400;
    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.bytes = x->answer % 1500; /* the last fragment's */
    o.dns.message.length = (uint16_t)(x->answer - 42);
    scene_see(&s, &o);
}

static void exchanges(struct exchange x, int count, nsec_t each)
{
    for (int i = 0; i < count; i++)
        exchange(&x, T0 + i * each, i);
    scene_flush(&s, T0 + count * each + S);
}

static bool is_at(const struct addr *a, const char *text)
{
    struct addr b = at(text);

    return addr_equal(a, &b);
}

static void a_server_inside_reflects(void **state)
{
    (void)state;
    exchanges((struct exchange){OUTSIDE, SERVER, "big.example", DNS_TYPE_ANY, 3000, 0}, 600,
              50 * MS);
    assert_true(s.count > 0);
    assert_int_equal(s.found[0].kind, KIND_AMPLIFICATION);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_string_equal(s.found[0].name, "big.example");
    assert_true(is_at(&s.found[0].server, SERVER));
    assert_true(is_at(&s.found[0].client, OUTSIDE));
    assert_non_null(strstr(s.found[0].evidence.text, "\"as\":\"reflector\""));
    assert_non_null(strstr(s.found[0].evidence.text, "\"edns_size\":4096"));
}

static void a_fast_reflection_need_not_last(void **state)
{
    (void)state;
    exchanges((struct exchange){OUTSIDE, SERVER, "big.example", DNS_TYPE_TXT, 3000, 0}, 400,
              8 * MS);
    assert_true(s.count > 0);
}

static void every_address_of_a_network_is_one_victim(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) {
        char client[32];
        struct exchange x = {client, SERVER, "big.example", DNS_TYPE_ANY, 3000, 0};

        snprintf(client, sizeof client, "198.51.100.%d", i % 250 + 1);
        exchange(&x, T0 + i * 20 * MS, i);
    }
    scene_flush(&s, T0 + 60 * S);
    assert_true(s.count > 0);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
}

static void what_is_no_reflection(void **state)
{
    struct exchange x = {OUTSIDE, SERVER, "host#.signed.example", 48, 1100, 0};

    (void)state;
    exchanges(x, 2000, 20 * MS); /* large answers about everything, slower than an attack */
    x = (struct exchange){OUTSIDE, SERVER, "big.example", DNS_TYPE_A, 300, 0};
    exchanges(x, 2000, 5 * MS); /* small ones */
    x = (struct exchange){"10.30.1.1", SERVER, "big.example", DNS_TYPE_ANY, 3000, 0};
    exchanges(x, 2000, 5 * MS); /* to a client of ours */
    x = (struct exchange){"192.0.2.1", SERVER, "big.example", DNS_TYPE_ANY, 3000, 0};
    exchanges(x, 100, 5 * MS); /* not many */
    x.client = "203.0.113.99";
    x.transport = TRANSPORT_DO53_TCP;
    exchange(&x, T0, 0);
    x.transport = 0;
    exchanges(x, 1000, 5 * MS); /* somebody who can complete a handshake */
    assert_int_equal(s.count, 0);
}

static void unasked(const char *client, int server, const char *name, nsec_t t, uint16_t length)
{
    char text[32];
    struct observation o;

    snprintf(text, sizeof text, "198.51.%d.%d", server / 250, server % 250 + 1);
    o = scene_query(t, client, text, name);
    o.dns.message.flags = 0x8180;
    o.dns.message.qtype = DNS_TYPE_ANY;
    o.dns.message.length = length;
    o.dns.qname_hash = hash_bytes(o.dns.message.qname, o.dns.message.qname_length, 3);
    o.dns.match = ANSWER_UNASKED;
    o.client_port = (uint16_t)(t / MS % 50000);
    scene_see(&s, &o);
}

static void an_address_inside_is_struck(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++)
        unasked("10.30.1.1", i, "big.example", T0 + i * 2 * MS, 2900);
    scene_flush(&s, T0 + 60 * S);
    assert_true(s.count > 0);
    assert_non_null(strstr(s.found[0].evidence.text, "\"as\":\"victim\""));
    assert_true(is_at(&s.found[0].client, "10.30.1.1"));
    assert_true(addr_is_zero(&s.found[0].server)); /* many of them */
}

static void a_slow_flood_stands_out_against_what_was_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        unasked("10.30.1.1", i, "big.example", T0 + i * 25 * MS, 2900);
    scene_flush(&s, T0 + 60 * S);
    assert_true(s.count > 0);
}

static void what_strikes_nobody(void **state)
{
    struct exchange x = {"10.30.1.1", "198.51.100.9", "host#.example", DNS_TYPE_A, 200, 0};

    (void)state;
    for (int i = 0; i < 2000; i++) { /* only answers are seen: of one resolver, about everything */
        char name[32];

        snprintf(name, sizeof name, "n%d.example", i);
        unasked("10.30.1.1", 7, name, T0 + i * MS, 150);
    }
    for (int i = 0; i < 150; i++) /* a few */
        unasked("10.30.1.2", i, "big.example", T0 + i * 10 * MS, 2900);
    for (int i = 0; i < 500; i++) /* not ours */
        unasked("192.0.2.9", i, "big.example", T0 + i * 2 * MS, 2900);
    for (int i = 0; i < 300; i++) { /* beside ordinary work */
        x.client = "10.30.1.3";
        exchange(&x, T0 + i * 25 * MS, i);
        unasked("10.30.1.3", i, "big.example", T0 + i * 25 * MS, 2900);
    }
    scene_flush(&s, T0 + 60 * S);
    assert_int_equal(s.count, 0);
}

static void forged_networks_by_the_thousand_are_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char client[32];
        struct exchange x = {client, SERVER, "big.example", DNS_TYPE_ANY, 3000, 0};

        snprintf(client, sizeof client, "198.%d.%d.1", i / 250, i % 250);
        exchange(&x, T0 + i * MS / 10, i);
    }
    assert_int_equal(s.count, 0);
    assert_true(s.stats.state_evicted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_inside_reflects, begin, end),
        cmocka_unit_test_setup_teardown(a_fast_reflection_need_not_last, begin, end),
        cmocka_unit_test_setup_teardown(every_address_of_a_network_is_one_victim, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_reflection, begin, end),
        cmocka_unit_test_setup_teardown(an_address_inside_is_struck, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_flood_stands_out_against_what_was_asked, begin, end),
        cmocka_unit_test_setup_teardown(what_strikes_nobody, begin, end),
        cmocka_unit_test_setup_teardown(forged_networks_by_the_thousand_are_bounded, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
