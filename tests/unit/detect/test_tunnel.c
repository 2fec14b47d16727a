#include "scene.h"

#include "detect/shape.h"
#include "detect/suspects.h"

extern const struct detector detector_tunnel;

#define RESOLVER "9.9.9.9"

static struct scene s;
static uint64_t dice;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_tunnel);
    dice = 88172645463325252;
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static unsigned roll(unsigned faces)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 33) % faces;
}

/* n characters of an alphabet. */
static const char *coded(unsigned n, const char *alphabet)
{
    static char text[8][256];
    static unsigned turn;
    char *out = text[turn++ % 8];

    for (unsigned i = 0; i < n; i++)
        out[i] = alphabet[roll((unsigned)strlen(alphabet))];
    out[n] = '\0';
    return out;
}

#define HEX    "0123456789abcdef"
#define BASE32 "abcdefghijklmnopqrstuvwxyz012345"

static void ask(nsec_t t, const char *client, uint16_t type, const char *name)
{
    struct observation o = scene_query(t, client, RESOLVER, name);

    o.dns.message.qtype = type;
    scene_see(&s, &o);
}

/* With its answer, of `extra` octets behind the question. */
static void exchange(nsec_t t, const char *client, uint16_t type, const char *name, unsigned extra,
                     unsigned rcode)
{
    struct observation o = scene_answer(t + 20 * MS, client, RESOLVER, name, "198.51.100.7");
    struct dns_message *m = &o.dns.message;

    ask(t, client, type, name);
    m->qtype = type;
    m->rcode = (uint8_t)rcode;
    m->length = (uint16_t)(16 + m->qname_length + extra);
    m->address_count = type == DNS_TYPE_A && rcode == 0;
    scene_see(&s, &o);
}

static bool evidence_has(const char *text)
{
    return s.count && strstr(s.found[s.count - 1].evidence.text, text);
}

/* What all findings together count. */
static uint64_t counted(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s.count; i++)
        sum += s.found[i].count;
    return sum;
}

static void iodine(nsec_t t, const char *client, uint16_t type, unsigned names)
{
    char name[256];

    snprintf(name, sizeof name, "vaaaakaq%s.t.evil.example", coded(3, BASE32));
    exchange(t, client, type, name, 40, 0);
    for (unsigned i = 1; i < names; i++) {
        unsigned payload = i % 4 ? 10 : 60;

        snprintf(name, sizeof name, "%c%s.%s.t.evil.example", 'a' + i % 16, coded(payload, BASE32),
                 coded(20, BASE32));
        exchange(t + i * 500 * MS, client, type, name, 40 + roll(400), 0);
    }
}

static void iodine_is_found_within_a_minute_in_every_type(void **state)
{
    static const uint16_t types[] = {DNS_TYPE_NULL, DNS_TYPE_TXT, DNS_TYPE_CNAME, DNS_TYPE_A};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char client[16];

        scene_flush(&s, T0 + (i * 600 - 1) * S);
        s.count = 0;
        snprintf(client, sizeof client, "10.30.1.%u", i + 1);
        iodine(T0 + i * 600 * S, client, types[i], 120);
        assert_true(s.count >= 1);
        assert_int_equal(s.found[0].kind, KIND_TUNNEL);
        assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
        assert_true(s.found[0].time < T0 + (i * 600 + 60) * S);
        assert_true(evidence_has("\"tool\":\"iodine\""));
        assert_true(evidence_has("\"domain\":\"evil.example\""));
        for (size_t f = 1; f < s.count; f++)
            assert_int_equal(s.found[f].key, s.found[0].key);
    }
}

static void a_coded_stream_without_a_known_tool_is_found(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%s.x.evil.example", coded(34, HEX));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 40, 0);
    }
    assert_true(s.count >= 1);
    assert_false(evidence_has("\"tool\""));
    assert_true(evidence_has("\"types\":\"TXT\""));
    assert_true(counted() <= 60);
}

static void packed_names_in_plain_a_are_found(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%s.%s.%s.evil.example", coded(60, BASE32), coded(60, BASE32),
                 coded(40, BASE32));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, name, 80, 3); /* NXDOMAIN: only upwards */
    }
    assert_true(s.count >= 1);
}

static void dnscat2_without_a_domain_is_one_tunnel(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "dnscat.%04x01f6a1%s.%s7", i, coded(40, HEX), coded(21, HEX));
        exchange(T0 + i * S, "10.30.1.1", i % 2 ? DNS_TYPE_TXT : 15, name, 60, 0);
    }
    assert_true(s.count >= 1);
    assert_true(evidence_has("\"tool\":\"dnscat2\""));
    for (size_t f = 1; f < s.count; f++)
        assert_int_equal(s.found[f].key, s.found[0].key);
}

static void a_slow_beacon_in_txt_is_found_in_hours(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 180; i++) {
        snprintf(name, sizeof name, "%s.evil.example", coded(30, BASE32));
        exchange(T0 + i * 30 * S + roll(1000) * MS, "10.30.1.1", DNS_TYPE_TXT, name, 60, 0);
    }
    assert_true(s.count >= 1);
    assert_true(evidence_has("timing"));
}

static void a_forwarder_that_asks_on_is_no_second_tunnel(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 80; i++) {
        snprintf(name, sizeof name, "%s.t.evil.example", coded(50, BASE32));
        ask(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name);
        ask(T0 + i * S + MS, "10.30.1.53", DNS_TYPE_TXT, name);
    }
    assert_true(s.count >= 1);
    for (size_t f = 0; f < s.count; f++)
        assert_true(addr_equal(&s.found[f].client,
                               &(struct addr){.w = {at("10.30.1.1").w[0], at("10.30.1.1").w[1]}}));
}

static void a_tunnel_spread_over_clients_is_one_finding_without_client(void **state)
{
    char name[256], client[16];

    (void)state;
    for (unsigned i = 0; i < 900; i++) {
        snprintf(name, sizeof name, "%s.%s.evil.example", coded(55, BASE32), coded(30, BASE32));
        snprintf(client, sizeof client, "10.30.%u.%u", 1 + i % 100 / 10, 1 + i % 10);
        ask(T0 + i * S / 2, client, DNS_TYPE_TXT, name);
    }
    assert_true(s.count >= 1);
    assert_true(addr_is_zero(&s.found[0].client));
    assert_true(evidence_has("\"clients\":"));
    for (size_t f = 1; f < s.count; f++)
        assert_int_equal(s.found[f].key, s.found[0].key);
}

/* --- what must stay silent -------------------------------------------------------------------- */

static void content_deliveries_are_silent(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 1200; i++) {
        snprintf(name, sizeof name, "rr%u---sn-%s.cdn.example", roll(9), coded(8, BASE32));
        exchange(T0 + i * S, "10.30.1.1", i % 2 ? DNS_TYPE_A : DNS_TYPE_AAAA, name, 80, 0);
        snprintf(name, sizeof name, "ec2-%u-%u-%u-%u.eu-west-%u.compute.cloud.example", roll(255),
                 roll(255), roll(255), roll(255), roll(3));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, name, 16, 0);
        snprintf(name, sizeof name, "api-gateway-production-%u.internal-services-eu.host.example",
                 roll(5000));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, name, 16, 0);
    }
    assert_int_equal(s.count, 0);
}

static void block_lists_and_reputation_are_silent(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 1200; i++) {
        snprintf(name, sizeof name, "%u.%u.%u.%u.zen.dnsbl.example", roll(256), roll(256),
                 roll(256), roll(256));
        exchange(T0 + i * S, "10.30.1.1", i % 3 ? DNS_TYPE_A : DNS_TYPE_TXT, name, 60, 3);
        snprintf(name, sizeof name, "%s.files.reputation.example", coded(32, HEX));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, name, 60, 3);
        snprintf(name, sizeof name,
                 "%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.%u.0.0.0.0.8.b.d.0.1.0.0.2.v6.dnsbl."
                 "example",
                 roll(9), roll(9), roll(9), roll(9), roll(9), roll(9), roll(9), roll(9), roll(9),
                 roll(9), roll(9), roll(9), roll(9), roll(9), roll(9), roll(9));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, name, 60, 3);
    }
    assert_int_equal(s.count, 0);
}

static void telemetry_and_advertisers_are_silent(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 720; i++) {
        snprintf(name, sizeof name, "%s-%s-4%s.events.telemetry.example", coded(8, HEX),
                 coded(4, HEX), coded(19, HEX));
        exchange(T0 + i * 5 * S, "10.30.1.1", DNS_TYPE_A, name, 120, 0);
        snprintf(name, sizeof name, "%s.view.advertiser.example", coded(24, BASE32));
        exchange(T0 + i * 4 * S + roll(4000) * MS, "10.30.1.2", DNS_TYPE_A, name, 32, 0);
    }
    assert_int_equal(s.count, 0);
}

static void mail_is_silent(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 1200; i++) {
        snprintf(name, sizeof name, "%s._domainkey.sender%u.example", coded(32, BASE32), roll(3));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 300, 0);
        snprintf(name, sizeof name, "%u.%u.%u.%u._spf.sender.example", roll(256), roll(256),
                 roll(256), roll(256));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 60, 3);
        snprintf(name, sizeof name, "_dmarc.customer%u.sender.example", i);
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 120, 0);
    }
    assert_int_equal(s.count, 0);
}

static void names_asked_again_are_silent(void **state)
{
    char names[40][64];

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        snprintf(names[i], sizeof names[i], "%s.evil.example", coded(40, BASE32));
    for (unsigned i = 0; i < 1200; i++)
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_A, names[i % 12], 32, 0);
    assert_int_equal(s.count, 0);
}

static void the_operators_own_and_the_ordinary_are_silent(void **state)
{
    char name[256];
    struct policy_detection d = {.id = "tunnel", .kind = KIND_TUNNEL, .severity = SEVERITY_MEDIUM};

    (void)state;
    snprintf(d.ordinary[d.ordinary_count++], sizeof d.ordinary[0], "reputation.example");
    s.policy->detections = &d;
    s.policy->detection_count = 1;
    s.detector->use_policy(s.state, s.policy);
    for (unsigned i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "%s.a.reputation.example", coded(40, HEX));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 60, 0);
        snprintf(name, sizeof name, "%s.pods.intra.example", coded(40, HEX));
        exchange(T0 + i * S, "10.30.1.1", DNS_TYPE_TXT, name, 60, 0);
    }
    assert_int_equal(s.count, 0);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%s.a.unlisted.test", coded(40, HEX));
        exchange(T0 + (700 + i) * S, "10.30.1.1", DNS_TYPE_TXT, name, 60, 0);
    }
    assert_true(s.count >= 1);
    s.policy->detections = NULL;
    s.policy->detection_count = 0;
}

/* --- hostile ---------------------------------------------------------------------------------- */

static void a_flood_of_domains_does_not_drown_a_tunnel(void **state)
{
    char name[256];
    unsigned flood = 0;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        for (unsigned k = 0; k < 600; k++, flood++) {
            snprintf(name, sizeof name, "w%u.d%x.example", flood, flood * 2654435761U);
            ask(T0 + i * S, "10.30.9.9", DNS_TYPE_A, name);
        }
        snprintf(name, sizeof name, "%s.%s.t.evil.example", coded(30, BASE32), coded(20, BASE32));
        exchange(T0 + i * S + MS, "10.30.1.1", DNS_TYPE_NULL, name, 60, 0);
    }
    assert_true(s.count >= 1);
    assert_true(s.count < 10);
    assert_true(addr_equal(&s.found[0].client,
                           &(struct addr){.w = {at("10.30.1.1").w[0], at("10.30.1.1").w[1]}}));
    assert_true(s.stats.state_evicted > 0);
}

static void random_subdomains_of_one_domain_are_no_tunnel(void **state)
{
    char name[256];

    (void)state;
    for (unsigned i = 0; i < 6000; i++) {
        snprintf(name, sizeof name, "%s.victim.example", coded(10, BASE32));
        ask(T0 + i * MS, "10.30.1.1", DNS_TYPE_A, name);
    }
    assert_int_equal(s.count, 0);
}

static void shapes(void **state)
{
    static const struct {
        const char *name;
        bool coded, odd, address, service;
    } cases[] = {
        {"www.x.test", false, false, false, false},
        {"media-router-production-europe.x.test", false, false, false, false},
        {"5f1c07be924da3860b7e19f2c5d84a36.x.test", true, false, false, false},
        {"isn5c6ki37lc7y5vqzuwudwvm3lfcacq4ha7wm.x.test", true, false, false, false},
        {"selector1._domainkey.x.test", false, false, false, true},
        {"4.3.2.1.zen.x.test", false, false, true, false},
        {"a+b/c=.x.test", false, true, false, false},
    };
    struct shape_logs logs;

    (void)state;
    shape_logs_fill(&logs);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t wire[DNS_NAME_WIRE];
        size_t length = name_to_wire(cases[i].name, wire);
        struct shape shape = shape_of(wire, (unsigned)length - 8, &logs);

        assert_int_equal(shape.coded, cases[i].coded);
        assert_int_equal(shape.odd, cases[i].odd);
        assert_int_equal(shape.address, cases[i].address);
        assert_int_equal(shape.service, cases[i].service);
    }
    assert_true(sizeof(struct suspect) <= 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(iodine_is_found_within_a_minute_in_every_type),
        TEST(a_coded_stream_without_a_known_tool_is_found),
        TEST(packed_names_in_plain_a_are_found),
        TEST(dnscat2_without_a_domain_is_one_tunnel),
        TEST(a_slow_beacon_in_txt_is_found_in_hours),
        TEST(a_forwarder_that_asks_on_is_no_second_tunnel),
        TEST(a_tunnel_spread_over_clients_is_one_finding_without_client),
        TEST(content_deliveries_are_silent),
        TEST(block_lists_and_reputation_are_silent),
        TEST(telemetry_and_advertisers_are_silent),
        TEST(mail_is_silent),
        TEST(names_asked_again_are_silent),
        TEST(the_operators_own_and_the_ordinary_are_silent),
        TEST(a_flood_of_domains_does_not_drown_a_tunnel),
        TEST(random_subdomains_of_one_domain_are_no_tunnel),
        TEST(shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
