#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpsl.h>

#include "account/clients.h"
#include "account/named.h"
#include "account/suffix_rules.h"
#include "base/hash.h"
#include "model/bounds.h"
#include "model/known_names.h"

static struct observation from(uint32_t client)
{
    uint8_t address[4] = {10, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};

    return (struct observation){.kind = OBSERVE_DNS, .client = addr_v4(address)};
}

static void a_client_keeps_its_place(void **state)
{
    struct clients *c = clients_create(CLIENTS_MOST, 1);
    struct observation first = from(1), other = from(2), again = from(1);
    struct stats stats = {0};

    (void)state;
    clients_note(c, &first, &(uint32_t){0}, &stats);
    clients_note(c, &other, &(uint32_t){0}, &stats);
    clients_note(c, &again, &(uint32_t){0}, &stats);
    assert_int_equal(first.note.who, again.note.who);
    assert_int_equal(first.note.tenure, again.note.tenure);
    assert_int_not_equal(first.note.who, other.note.who);
    clients_destroy(c);
}

/* A million strangers: every place stays below `most` and changes its tenure with its client. */
static void flood(uint32_t most)
{
    struct clients *c = clients_create(most, 1);
    uint32_t *tenure = calloc(most, sizeof *tenure);
    struct stats stats = {0};

    for (uint32_t i = 0; i < 1000000; i++) {
        struct observation o = from(i);

        clients_note(c, &o, &(uint32_t){0}, &stats);
        assert_true(o.note.who < most && o.note.tenure);
        assert_int_not_equal(tenure[o.note.who], o.note.tenure);
        tenure[o.note.who] = o.note.tenure;
    }
    assert_true(stats.state_evicted >= 1000000 - most);
    free(tenure);
    clients_destroy(c);
}

static void a_flood_of_clients_stays_in_its_places(void **state)
{
    (void)state;
    flood(CLIENTS_MOST);
    flood((uint32_t)bounds_of(PROFILE_SMALL)->clients);
}

static struct observation asks(const char *name)
{
    struct observation o = from(1);
    struct dns_message *m = &o.dns.message;
    uint8_t *at = m->qname;

    for (const char *p = name; *p;) {
        size_t label = strcspn(p, ".");

        *at++ = (uint8_t)label;
        memcpy(at, p, label);
        at += label;
        p += label + (p[label] == '.');
    }
    *at++ = 0;
    m->qname_length = (uint8_t)(at - m->qname);
    m->has_question = true;
    o.dns.qname_hash = hash_bytes(m->qname, m->qname_length, 1);
    return o;
}

/* Offset of the registrable domain, and back from the memory of it. */
static void check(struct named *s, const char *name, unsigned offset, bool registrable)
{
    for (int i = 0; i < 2; i++) {
        struct observation o = asks(name);

        named_note(s, &o);
        assert_int_equal(o.note.domain, offset);
        assert_int_equal(o.note.domain_hash != 0, registrable);
    }
}

static void registrable_domains(void **state)
{
    struct named *s = named_create(1);
    struct observation here = asks("a.example.com"), there = asks("b.c.example.com");

    (void)state;
    check(s, "www.example.co.uk", 4, true);
    check(s, "example.com", 0, true);
    check(s, "a.b.c.d.example.com", 8, true);
    check(s, "com", 4, false);
    check(s, "", 0, false);
    check(s, "localhost", 0 + 10, false);
    check(s, "x\x01\xff.example.com", 4, true);
    check(s, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.example.co.uk", 32, true);
    named_note(s, &here);
    named_note(s, &there);
    assert_int_equal(here.note.domain_hash, there.note.domain_hash);
    named_destroy(s);
}

/* Whatever was asked before: what is kept of a parent says the same as the list. */
static void as_the_list_says_in_any_order(void **state)
{
    static const char *const names[] = {
        "www.amazonaws.com",
        "foo.s3.amazonaws.com",
        "s3.amazonaws.com",
        "a.b.foo.s3.amazonaws.com",
        "amazonaws.com",
        "b.kawasaki.jp",
        "a.b.kawasaki.jp",
        "city.kawasaki.jp",
        "x.city.kawasaki.jp",
        "kawasaki.jp",
        "y.x.kawasaki.jp",
        "a.github.io",
        "github.io",
        "x.a.github.io",
        "www.ck",
        "a.www.ck",
        "a.b.ck",
        "b.ck",
        "unknown.invalid",
        "a.unknown.invalid",
        "invalid",
        "xn--55qx5d.cn",
        "a.xn--55qx5d.cn",
        "b.a.xn--55qx5d.cn",
        "xn--fiqs8s",
        "a.xn--fiqs8s",
        "example.co.uk",
        "www.example.co.uk",
        "co.uk",
    };
    enum { COUNT = sizeof names / sizeof *names };

    (void)state;
    for (size_t stride = 1; stride < COUNT; stride += 2) {
        struct named *s = named_create(stride);

        for (size_t i = 0; stride % 3 && i < COUNT; i++) {
            const char *name = names[i * stride % COUNT];
            const char *domain = psl_registrable_domain(psl_builtin(), name);

            check(s, name, domain ? (unsigned)(domain - name) : (unsigned)strlen(name) + 1,
                  domain != NULL);
        }
        named_destroy(s);
    }
}

/* Every rule, a name below it and one below that, exceptions and wildcards too. */
static void every_rule_is_known(void **state)
{
    struct named *s = named_create(1);
    unsigned rules = 0;
    char name[256];

    (void)state;
    for (const char *at = suffix_rules; *at && *at != '\n'; at += strcspn(at, "\n") + 1) {
        const char *rule = at + strspn(at, "!*.");
        int length = (int)strcspn(rule, "\n");

        for (int below = 0; below < 3; below++) {
            const char *domain;

            snprintf(name, sizeof name, "%s%.*s", "a.b." + 2 * (2 - below), length, rule);
            domain = psl_registrable_domain(psl_builtin(), name);
            check(s, name, domain ? (unsigned)(domain - name) : (unsigned)strlen(name) + 1,
                  domain != NULL);
        }
        rules++;
    }
    assert_true(!suffix_rules_sha1[0] || rules > 5000);
    named_destroy(s);
}

static struct observation noted(struct named *n, const char *name)
{
    struct observation o = asks(name);

    o.note.named = -1;
    named_note(n, &o);
    return o;
}

/* And again from memory, until another policy names it otherwise. */
static void a_name_has_the_class_its_policy_gives_it(void **state)
{
    struct named *n = named_create(1);
    char inside[] = "corp.example", name[] = "dns.corp.example";
    char *domains[] = {inside}, *names[] = {name};
    struct policy_resolver resolver = {.names = names, .name_count = 1};
    struct policy house = {.internal_domains = domains, .internal_domain_count = 1};
    struct policy other = {.resolvers = &resolver, .resolver_count = 1};

    (void)state;
    assert_int_equal(noted(n, "dns.corp.example").note.name_class, NAME_ORDINARY);
    named_use_policy(n, &house);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(noted(n, "dns.corp.example").note.name_class, NAME_INTERNAL);
        assert_int_equal(noted(n, "dns.corp.example").note.named, -1);
        assert_int_equal(noted(n, "captive.apple.com").note.name_class, NAME_PROBE);
    }
    named_use_policy(n, &other);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(noted(n, "dns.corp.example").note.name_class, NAME_RESOLVER);
        assert_int_equal(noted(n, "dns.corp.example").note.named, 0);
        assert_int_equal(noted(n, "www.corp.example").note.name_class, NAME_ORDINARY);
    }
    named_destroy(n);
}

static void what_ends_in_digits_has_no_domain(void **state)
{
    struct named *n = named_create(1);

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(noted(n, "dnscat.0a1b2c3d").note.no_domain);
        assert_true(noted(n, "0a1b").note.no_domain);
        assert_false(noted(n, "a1.example.com").note.no_domain);
        assert_false(noted(n, "www.xn--p1ai").note.no_domain);
        assert_false(noted(n, "").note.no_domain);
    }
    named_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_keeps_its_place),
        cmocka_unit_test(a_flood_of_clients_stays_in_its_places),
        cmocka_unit_test(registrable_domains),
        cmocka_unit_test(as_the_list_says_in_any_order),
        cmocka_unit_test(every_rule_is_known),
        cmocka_unit_test(a_name_has_the_class_its_policy_gives_it),
        cmocka_unit_test(what_ends_in_digits_has_no_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
