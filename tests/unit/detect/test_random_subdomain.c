#include "scene.h"

extern const struct detector detector_random_subdomain;

static struct scene s;

static int begin(void **state)
{
    (void)state;
    scene_open(&s, &detector_random_subdomain);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

struct load {
    const char *domain;
    enum { WORD, BLOCK_LIST, BELOW } form;
    int count;
    nsec_t each;
    int distinct; /* names */
    int good;     /* of a hundred */
    int clients;
    uint16_t qtype;
};

static void loaded(struct load l)
{
    for (int i = 0; i < l.count; i++) {
        char name[128], client[32];
        unsigned n = (unsigned)(i % l.distinct) * 2654435761u;
        struct observation o;

        if (l.form == BLOCK_LIST)
            snprintf(name, sizeof name, "%u.%u.%u.10.%s", n >> 8 & 255, n >> 16 & 255, n >> 24,
                     l.domain);
        else if (l.form == BELOW)
            snprintf(name, sizeof name, "x%08x.n%u.%s", n, n, l.domain);
        else
            snprintf(name, sizeof name, "x%08x.%s", n, l.domain);
        snprintf(client, sizeof client, "10.30.1.%d", i % (l.clients ? l.clients : 1) + 1);
        o = scene_answer(T0 + i * l.each, client, "10.20.0.1", name, "192.0.2.1");
        o.dns.match = ANSWER_MATCHED;
        o.dns.answered = true;
        o.dns.qname_hash = hash_bytes(o.dns.message.qname, o.dns.message.qname_length, 3);
        o.dns.message.qtype = l.qtype ? l.qtype : DNS_TYPE_A;
        o.dns.message.rcode = i * 37 % 100 < l.good ? 0 : i % 2 ? 3 : 2;
        scene_see(&s, &o);
    }
    scene_flush(&s, T0 + l.count * l.each + S);
}

static bool is_at(const struct addr *a, const char *text)
{
    struct addr b = at(text);

    return addr_equal(a, &b);
}

static void random_names_flood_a_domain(void **state)
{
    (void)state;
    loaded((struct load){"victim.example", WORD, 2000, 10 * MS, 2000, 0, 1, 0});
    assert_true(s.count > 0);
    assert_string_equal(s.found[0].rule, "random-subdomain");
    assert_int_equal(s.found[0].kind, KIND_VOLUME_ANOMALY);
    assert_string_equal(s.found[0].name, "victim.example");
    assert_true(is_at(&s.found[0].client, "10.30.1.1"));
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
}

/* A crawler in a cluster: resolv.conf has ndots:5, and every name is asked with each suffix first.
 */
static void suffixes_that_are_searched_are_silent(void **state)
{
    (void)state;
    loaded((struct load){"svc.cluster.local", WORD, 3000, 5 * MS, 3000, 0, 1, 0});
    loaded((struct load){"corp.internal", WORD, 3000, 5 * MS, 3000, 0, 9, 0});
    loaded((struct load){"intra.example", WORD, 3000, 5 * MS, 3000, 0, 9, 0});
    assert_int_equal(s.count, 0);
}

static void from_many_clients_it_is_one_event(void **state)
{
    (void)state;
    loaded((struct load){"victim.example", WORD, 4000, 5 * MS, 4000, 5, 50, 0});
    assert_true(s.count > 0);
    scene_flush(&s, T0 + 100 * S);
    assert_true(addr_is_zero(&s.found[s.count - 1].client));
    assert_true(s.found[s.count - 1].key == s.found[0].key);
}

static void a_short_burst_is_enough(void **state)
{
    (void)state;
    loaded((struct load){"victim.example", WORD, 600, 8 * MS, 600, 0, 1, 0});
    assert_true(s.count > 0);
}

static void what_is_no_flood(void **state)
{
    (void)state;
    loaded((struct load){"slow.example", WORD, 2000, 25 * MS, 2000, 0, 1, 0});
    loaded((struct load){"cdn.example", WORD, 4000, 5 * MS, 4000, 60, 9, 0});
    loaded((struct load){"again.example", WORD, 4000, 5 * MS, 300, 0, 1, 0}); /* the same names */
    loaded((struct load){"example", BELOW, 4000, 5 * MS, 4000, 0, 9, 0});     /* many domains */
    loaded((struct load){"bl.example", BLOCK_LIST, 4000, 5 * MS, 4000, 5, 1, 0});
    loaded((struct load){"ptr.example", WORD, 4000, 5 * MS, 4000, 5, 1, DNS_TYPE_PTR});
    assert_int_equal(s.count, 0);
}

static void invented_domains_by_the_thousand_are_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 60000; i++) {
        char name[64];
        struct observation o;

        snprintf(name, sizeof name, "x%d.d%d.example", i, i % 6000);
        o = scene_answer(T0 + i * MS / 100, "10.30.1.1", "10.20.0.1", name, "192.0.2.1");
        o.note.domain_hash = 0;
        o.dns.match = ANSWER_MATCHED;
        o.dns.answered = true;
        o.dns.message.rcode = 3;
        scene_note(s.policy, &o);
        o.note.domain_hash = hash_mix((uint64_t)i % 6000, 9); /* all are registrable here */
        s.detector->observe(s.state, &o);
    }
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_names_flood_a_domain, begin, end),
        cmocka_unit_test_setup_teardown(suffixes_that_are_searched_are_silent, begin, end),
        cmocka_unit_test_setup_teardown(from_many_clients_it_is_one_event, begin, end),
        cmocka_unit_test_setup_teardown(a_short_burst_is_enough, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_flood, begin, end),
        cmocka_unit_test_setup_teardown(invented_domains_by_the_thousand_are_bounded, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
