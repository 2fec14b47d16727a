/* Text, digest, limits and differences of rulesets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

#include "enforce/build.h"
#include "enforce/diff.h"
#include "enforce/evaluate.h"
#include "enforce/examine.h"
#include "enforce/ruleset.h"
#include "enforce/transport.h"
#include "twin.h"

static struct policy *policy_of(uint64_t seed)
{
    return twin_policy(&seed);
}

static struct ruleset *rules_of(const struct policy *p, enum mode mode, nsec_t now)
{
    struct ruleset *r;
    char error[ENFORCE_ERROR];

    assert_int_equal(ruleset_compile(p, mode, now, &r, error), SD_OK);
    return r;
}

static uint64_t digest_of(const struct policy *p, enum mode mode, nsec_t now)
{
    struct ruleset *r = rules_of(p, mode, now);
    uint64_t digest = r->digest;

    ruleset_destroy(r);
    return digest;
}

static char *text_of(const struct policy *p, enum mode mode, nsec_t now)
{
    struct ruleset *r = rules_of(p, mode, now);
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_int_equal(ruleset_print(r, to), SD_OK);
    fclose(to);
    ruleset_destroy(r);
    return text;
}

static void same_policy_same_text(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct policy *p = policy_of(seed), *q = policy_of(seed);
        char *a = text_of(p, MODE_ENFORCE, 0), *b = text_of(q, MODE_ENFORCE, 0);

        assert_string_equal(a, b);
        free(a);
        free(b);
        policy_destroy(p);
        policy_destroy(q);
    }
}

/* The sets alone: nothing that acts, every name whatever the policy leaves empty, in one order. */
static void sets_alone_have_names_that_stay(void **unused)
{
    static const char *const names[] = {
        "dedicated_ip4",      "dns_ports",       "excepted_ip6",          "excepted_macs",
        "excepted_pairs_ip4", "zone_z2_doh_ip6", "zone_default_do53_ip4", "zone_z2_net_ip4"};

    (void)unused;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct policy *p = policy_of(seed);
        struct ruleset *shadow, *enforced;

        p->set_only = true;
        shadow = rules_of(p, MODE_SHADOW, 0);
        enforced = rules_of(p, MODE_ENFORCE, 0);
        assert_true(enforced->sets_only && enforced->chain_count == 0 && enforced->rule_count == 0);
        assert_true(enforced->digest == shadow->digest);
        for (size_t i = 0; i < COUNT_OF(names); i++)
            assert_true(ruleset_set_named(enforced, names[i]) >= 0 ||
                        (p->zone_count == 2 && strncmp(names[i], "zone_z2", 7) == 0));
        for (size_t i = 1; i < enforced->set_count; i++)
            assert_true(strcmp(enforced->sets[i - 1].name, enforced->sets[i].name) < 0);
        ruleset_destroy(shadow);
        ruleset_destroy(enforced);
        policy_destroy(p);
    }
}

static bool set_holds(const struct ruleset *r, const char *name, const struct addr *a)
{
    const struct set *s = r->sets + ruleset_set_named(r, name);

    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->elements[i].low.b, a->b, 16) <= 0 &&
            memcmp(a->b, s->elements[i].high.b, 16) <= 0)
            return true;
    return false;
}

/* The networks of zones without an interface are the zones that clients are in. */
static void sets_alone_hold_the_zones(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed < 100; seed++) {
        struct policy *p = policy_of(seed);
        struct ruleset *r;

        p->set_only = true;
        p->gateway_count = 0;
        assert_int_equal(policy_compile(p), SD_OK);
        r = rules_of(p, MODE_ENFORCE, 0);
        for (size_t c = 0; c < COUNT_OF(twin_clients); c++)
            for (size_t z = 2; z < p->zone_count; z++) {
                struct addr a = twin_addr(twin_clients[c]);
                char name[64];

                snprintf(name, sizeof name, "zone_z%zu_net_ip%d", z, addr_is_v4(&a) ? 4 : 6);
                if (p->zones[z].interface_count == 0)
                    assert_int_equal(set_holds(r, name, &a),
                                     policy_zone_of(p, &a, "", 0) == (int16_t)z);
            }
        ruleset_destroy(r);
        policy_destroy(p);
    }
}

/* What is read of a table with rules of somebody's: those and his sets are nobody's drift, an empty
 * set that the policy no longer knows neither, a full one is. A table that we made whole is no such
 * table, be its sets the same. */
static void what_is_not_ours_is_no_drift(void **unused)
{
    struct policy *p = policy_of(3);
    struct ruleset *r, *there;
    struct set_element one = {.low = twin_addr("10.0.0.1"), .high = twin_addr("10.0.0.1")};

    (void)unused;
    p->set_only = true;
    r = rules_of(p, MODE_ENFORCE, 0);
    there = rules_of(p, MODE_ENFORCE, 0);
    there->flags = TABLE_DORMANT;
    assert_true(ruleset_add_chain(there, "mine") >= 0);
    assert_true(ruleset_add_set(there, "my_own", SET_ADDRESS, true) >= 0);
    assert_int_equal(set_add(there->sets + there->set_count - 1, &one), SD_OK);
    assert_true(ruleset_add_set(there, "zone_gone_dot_ip4", SET_ADDRESS, true) >= 0);
    assert_true(ruleset_is(there, r));
    there->sets_only = false;
    there->digest = 1;
    assert_false(ruleset_is(there, r));
    there->sets_only = true;
    assert_true(ruleset_add_set(there, "zone_gone_dot_ip4", SET_ADDRESS, true) >= 0);
    assert_int_equal(set_add(there->sets + there->set_count - 1, &one), SD_OK);
    assert_false(ruleset_is(there, r));
    ruleset_destroy(there);
    ruleset_destroy(r);
    policy_destroy(p);
}

static void digest_ignores_the_clock(void **unused)
{
    struct policy *p = policy_of(7);
    uint64_t digest;

    (void)unused;
    p->exception_count = 0;
    p->exceptions = realloc(p->exceptions, sizeof *p->exceptions);
    p->exceptions[p->exception_count++] = (struct policy_exception){
        .client = {twin_addr("10.1.2.3"), 128}, .resolver = -1, .until = 100 * NSEC_S};
    assert_int_equal(policy_compile(p), SD_OK);
    digest = digest_of(p, MODE_ENFORCE, 0);
    assert_int_equal(digest, digest_of(p, MODE_ENFORCE, 50 * NSEC_S));
    assert_int_equal(digest, digest_of(p, MODE_ENFORCE, 500 * NSEC_S)); /* ended */
    assert_int_not_equal(digest, digest_of(p, MODE_SHADOW, 0));
    p->exceptions[0].until += NSEC_S;
    assert_int_not_equal(digest, digest_of(p, MODE_ENFORCE, 0));
    policy_destroy(p);
}

static void exceptions_carry_their_rest(void **unused)
{
    struct policy *p = policy_of(7);
    char *text;

    (void)unused;
    p->exceptions = realloc(p->exceptions, sizeof *p->exceptions);
    p->exception_count = 1;
    p->exceptions[0] = (struct policy_exception){
        .client = {twin_addr("10.1.2.3"), 128}, .resolver = -1, .until = 90061 * NSEC_S - 1};
    assert_int_equal(policy_compile(p), SD_OK);
    text = text_of(p, MODE_ENFORCE, 0);
    assert_non_null(strstr(text, "10.1.2.3 timeout 1d1h1m1s,"));
    free(text);
    text = text_of(p, MODE_ENFORCE, 90061 * NSEC_S);
    assert_null(strstr(text, "10.1.2.3 timeout"));
    free(text);
    p->exceptions[0].until = INT64_MAX;
    text = text_of(p, MODE_ENFORCE, 0);
    assert_null(strstr(text, "timeout "));
    assert_non_null(strstr(text, "10.1.2.3,"));
    free(text);
    policy_destroy(p);
}

static const struct rule *asked_by(const struct ruleset *r, uint64_t station, uint8_t hook)
{
    struct evaluated_packet p = {.hook = hook,
                                 .protocol = IPPROTO_TCP,
                                 .iface = "lan0",
                                 .source = twin_addr("10.1.2.3"),
                                 .destination = twin_addr("198.51.100.53"),
                                 .port = 53,
                                 .station = station};

    return ruleset_evaluate(r, &p);
}

/* By its link address, over both families; before redirection too; until the end. */
static void machines_are_excepted(void **unused)
{
    struct policy *p = policy_of(7);
    const uint64_t phone = 0x02530000aa01;
    struct ruleset *r;
    char *text;

    (void)unused;
    for (size_t i = 0; i < p->zone_count; i++) {
        p->zones[i].cleartext = i == ZONE_GATEWAY ? ACTION_REJECT : ACTION_REDIRECT;
        p->zones[i].redirect_to[1] = twin_addr("203.0.113.53");
        p->zones[i].approve_count = 0;
    }
    p->exceptions = realloc(p->exceptions, sizeof *p->exceptions);
    p->exception_count = 1;
    p->exceptions[0] = (struct policy_exception){.client = {addr_of_station(phone), 128},
                                                 .station = phone,
                                                 .resolver = -1,
                                                 .until = 100 * NSEC_S - 1};
    assert_int_equal(policy_compile(p), SD_OK);
    r = rules_of(p, MODE_ENFORCE, 0);
    assert_string_equal(asked_by(r, phone, NF_INET_PRE_ROUTING)->id, "exceptions/mac");
    assert_string_equal(asked_by(r, phone, NF_INET_FORWARD)->id, "exceptions/mac");
    assert_int_equal(asked_by(r, phone + 1, NF_INET_PRE_ROUTING)->statement, STATEMENT_DNAT);
    assert_int_equal(asked_by(r, 0, NF_INET_LOCAL_OUT)->statement, STATEMENT_RESET);
    ruleset_destroy(r);
    text = text_of(p, MODE_ENFORCE, 0);
    assert_non_null(strstr(text, "\t\t\t02:53:00:00:aa:01 timeout 0h1m40s,"));
    assert_non_null(strstr(text, "ether saddr @excepted_macs counter accept"));
    free(text);
    r = rules_of(p, MODE_ENFORCE, 100 * NSEC_S);
    assert_int_equal(asked_by(r, phone, NF_INET_PRE_ROUTING)->statement, STATEMENT_DNAT);
    ruleset_destroy(r);
    policy_destroy(p);
}

/* One line of the log for each rule that cuts, ahead of it and of the same packets. */
static void what_cuts_logs(const struct ruleset *r)
{
    size_t logs = 0, cut = 0;

    for (size_t i = 0; i < r->rule_count; i++) {
        const struct rule *a = r->rules + i;
        char prefix[RULE_PREFIX];

        cut += rule_cuts(a);
        if (a->statement != STATEMENT_LOG)
            continue;
        logs++;
        assert_true(i + 1 < r->rule_count && rule_cuts(a + 1) && a[1].chain == a->chain);
        assert_int_equal(a->match_count, a[1].match_count);
        assert_memory_equal(a->matches, a[1].matches, sizeof a->matches);
        snprintf(prefix, sizeof prefix, "sealdns %s", a[1].id);
        assert_string_equal(a->prefix, prefix);
        assert_int_equal(a->group, 853);
    }
    assert_int_equal(logs, cut);
}

static void cuts_are_logged(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct policy *p = policy_of(seed);
        struct ruleset *r;
        char *text;

        p->log_group = 853;
        for (size_t z = 0; z < p->zone_count; z++)
            p->zones[z].rollout.given = false; /* whose others are logged as in shadow */
        r = rules_of(p, MODE_ENFORCE, 0);
        what_cuts_logs(r);
        ruleset_destroy(r);
        text = text_of(p, MODE_SHADOW, 0);
        assert_null(strstr(text, "\"sealdns "));
        free(text);
        p->log_group = 0;
        text = text_of(p, MODE_ENFORCE, 0);
        assert_null(strstr(text, " log "));
        free(text);
        policy_destroy(p);
    }
}

static void log_in_words(void **unused)
{
    struct policy *p = policy_of(7);
    char *text;

    (void)unused;
    p->log_group = 7;
    p->zones[ZONE_DEFAULT].unapproved = ACTION_DROP;
    text = text_of(p, MODE_ENFORCE, 0);
    assert_non_null(strstr(text,
                           "\t\tudp dport 853 limit rate 2000/second burst 2000 packets counter "
                           "log prefix \"sealdns default/unapproved-doq\" group 7 snaplen 128 "
                           "queue-threshold 16 comment \"sealdns: default/log-unapproved-doq\"\n"
                           "\t\tudp dport 853 counter drop comment "));
    free(text);
    text = text_of(p, MODE_SHADOW, 0);
    assert_non_null(strstr(text, "log prefix \"sealdns-shadow default/unapproved-doq\" group 7 "));
    free(text);
    policy_destroy(p);
}

/* The longest id of a zone leaves room for what is cut, in the comment and in the log. */
static void a_long_id_hides_no_rule(void **unused)
{
    static const char *const ends[] = {"/cleartext-udp", "/cleartext-tcp", "/unapproved-dot",
                                       "/unapproved-doh3", "/redirect-udp-ip4"};
    struct policy *p = policy_of(7);
    struct policy_zone *z = p->zones + ZONE_DEFAULT;
    size_t found = 0;

    (void)unused;
    p->log_group = 7;
    z->unapproved = ACTION_REJECT;
    memset(z->id, 'z', sizeof z->id - 1);
    for (int redirect = 0; redirect < 2; redirect++) {
        struct ruleset *r;

        z->cleartext = redirect ? ACTION_REDIRECT : ACTION_REJECT;
        z->redirect_to[1] = addr_v4((const uint8_t[4]){10, 0, 0, 53});
        r = rules_of(p, MODE_SHADOW, 0);
        for (size_t i = 0; i < r->rule_count; i++)
            for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
                const char *text = r->rules[i].prefix, *at = strstr(text, ends[k]);

                found += at && !at[strlen(ends[k])] && strstr(text, z->id) == at - strlen(z->id);
            }
        ruleset_destroy(r);
    }
    assert_int_equal(found, 2 + 2 * 2 + 1);
    policy_destroy(p);
}

static void monitor_has_no_table(void **unused)
{
    struct policy *p = policy_of(3);
    char *text = text_of(p, MODE_MONITOR, 0);

    (void)unused;
    assert_null(strstr(text, "{"));
    assert_non_null(strstr(text, "delete table inet sealdns"));
    free(text);
    policy_destroy(p);
}

/* A target in one LAN with the clients: the way back must lead over the gateway. */
static void neighbour_needs_an_interface(struct policy *p)
{
    struct ruleset *r;
    char error[ENFORCE_ERROR];
    size_t interfaces = p->interface_count;

    p->zones[0].redirect_to[1] = twin_addr("10.0.0.53");
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_OK);
    assert_true(ruleset_chain_named(r, "hairpin") >= 0);
    ruleset_destroy(r);
    p->interface_count = 0;
    for (size_t i = 0; i < p->zone_count; i++)
        p->zones[i].interface_count = 0;
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_EUNSUP);
    assert_non_null(strstr(error, "sensor.interfaces"));
    p->zones[0].redirect_to[1] = twin_addr("192.0.2.1"); /* the gateway's own */
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_OK);
    ruleset_destroy(r);
    p->interface_count = interfaces;
}

static void what_cannot_be_is_told(void **unused)
{
    struct policy *p = policy_of(3);
    struct ruleset *r;
    char error[ENFORCE_ERROR];

    (void)unused;
    p->zones[0].cleartext = ACTION_REDIRECT; /* and nobody to redirect to */
    memset(p->zones[0].redirect_to, 0, sizeof p->zones[0].redirect_to);
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_EUNSUP);
    assert_non_null(strstr(error, "zone default"));
    assert_null(r);
    assert_int_equal(ruleset_compile(p, MODE_MONITOR, 0, &r, error), SD_OK);
    ruleset_destroy(r);
    neighbour_needs_an_interface(p);
    p->zones[0].cleartext = ACTION_ALERT;
    p->zones[1].cleartext = ACTION_REDIRECT;
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_EUNSUP);
    assert_non_null(strstr(error, "gateway itself"));
    p->zones[1].cleartext = ACTION_ALERT;
    p->zones[1].vlans = calloc(1, sizeof *p->zones[1].vlans);
    p->zones[1].vlan_count = 1;
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_EUNSUP);
    p->zones[1].vlan_count = 0;
    strcpy(p->zones[1].id, "a\"b");
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &r, error), SD_EUNSUP);
    policy_destroy(p);
}

/* A query as it is sent, from its flags on. */
static size_t message(uint8_t *to, const char *name, uint16_t type, uint16_t flags)
{
    const uint8_t header[] = {(uint8_t)(flags >> 8), (uint8_t)flags, 0, 1, 0, 0, 0, 0, 0, 1};
    const uint8_t tail[] = {0, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 41};
    size_t used = sizeof header;

    memcpy(to, header, sizeof header);
    while (*name) {
        size_t length = strcspn(name, ".");

        to[used++] = (uint8_t)length;
        memcpy(to + used, name, length);
        used += length;
        name += length + (name[length] == '.');
    }
    memcpy(to + used, tail, sizeof tail);
    return used + sizeof tail;
}

static const struct rule *asked(const struct ruleset *r, const char *name, uint16_t type,
                                uint16_t flags)
{
    uint8_t bytes[400];
    struct evaluated_packet p = {.hook = NF_INET_FORWARD,
                                 .protocol = IPPROTO_UDP,
                                 .iface = "lan0",
                                 .source = twin_addr("10.1.2.3"),
                                 .destination = twin_addr("198.51.100.53"),
                                 .port = 53,
                                 .dns = bytes};

    p.dns_length = message(bytes, name, type, flags);
    return ruleset_evaluate(r, &p);
}

static void strict_clients_may_start(void **unused)
{
    static char long_name[] = "a23456789012345678901234567890.b23456789012345678901234567890."
                              "c23456789012345678901234567890.resolver.example";
    static char name[] = "dns.lab.example", wildcard[] = "*.below.example";
    char *names[] = {name, wildcard, long_name};
    struct policy *p = policy_of(3);
    struct policy_zone *z = p->zones;
    struct ruleset *r;

    (void)unused;
    for (size_t i = 0; i < p->zone_count; i++)
        p->zones[i].network_count = p->zones[i].interface_count = 0;
    p->exception_count = 0;
    z->cleartext = ACTION_REJECT;
    z->bootstrap = true;
    z->approve_count = 1;
    z->approve[0] = 0;
    p->resolvers[0].transports = 1u << TRANSPORT_DOT;
    p->resolvers[0].address_count = 0;
    p->resolvers[0].names = names;
    p->resolvers[0].name_count = 3;
    assert_int_equal(policy_compile(p), SD_OK);
    r = rules_of(p, MODE_ENFORCE, 0);
    assert_string_equal(asked(r, "dns.lab.example", 1, 0x0100)->id,
                        "default/bootstrap-dns.lab.example");
    assert_int_equal(asked(r, "DNS.lab.EXAMPLE", 28, 0x0130)->statement, STATEMENT_ACCEPT);
    assert_int_equal(asked(r, long_name, 65, 0x0100)->statement, STATEMENT_ACCEPT);
    assert_string_equal(asked(r, "dns.lab.example", 16, 0x0100)->id, "default/cleartext-udp");
    assert_string_equal(asked(r, "dns.lab.example", 1, 0x2900)->id, "default/cleartext-udp");
    assert_string_equal(asked(r, "dns-lab.example", 1, 0x0100)->id, "default/cleartext-udp");
    assert_string_equal(asked(r, "x.below.example", 1, 0x0100)->id, "default/cleartext-udp");
    assert_string_equal(asked(r, "dns.lab.exampl", 1, 0x0100)->id, "default/cleartext-udp");
    ruleset_destroy(r);
    p->resolvers[0].transports = 1u << TRANSPORT_DO53_UDP;
    r = rules_of(p, MODE_ENFORCE, 0);
    assert_string_equal(asked(r, "dns.lab.example", 1, 0x0100)->id, "default/cleartext-udp");
    ruleset_destroy(r);
    p->resolvers[0].names = NULL;
    p->resolvers[0].name_count = 0;
    policy_destroy(p);
}

static int difference(const char *there, const char *here, char *out, size_t size)
{
    char *a = strdup(there), *b = strdup(here);
    FILE *to = fmemopen(out, size, "w");
    int n = text_diff(a, b, to);

    fclose(to);
    free(a);
    free(b);
    return n;
}

static void differences(void **unused)
{
    static const char one[] = "table inet sealdns {\n\tset s {\n\t\t1,\n\t\t3,\n\t}\n"
                              "\tchain c {\n\t\tx\n\t\ty\n\t}\n}\n";
    static const char two[] = "table inet sealdns {\n\tset s {\n\t\t1,\n\t\t2,\n\t\t3,\n\t}\n"
                              "\tchain c {\n\t\ty\n\t\tx\n\t}\n\tchain d {\n\t\tz\n\t}\n}\n";
    char out[400] = "";

    (void)unused;
    assert_int_equal(difference(one, one, out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(difference(one, two, out, sizeof out), 5);
    assert_string_equal(out, "  set s {\n+     2,\n"
                             "  chain c {\n-     x\n+     x\n"
                             "+ chain d {\n+     z\n");
    assert_int_equal(difference("", two, out, sizeof out), 9);
    assert_int_equal(difference(two, "", out, sizeof out), 9);
}

/* What the kernel says where there is too much: a limit, which no second try mends, and what to do.
 */
static void too_much_is_told(void **unused)
{
    static const struct {
        int number, error;
        const char *words;
    } cases[] = {{-EMSGSIZE, SD_ELIMIT, "too large to send in one piece: raise net.core.wmem_max"},
                 {-ENFILE, SD_ELIMIT, "a set is full: name fewer addresses"},
                 {-ENOMEM, SD_ENET, "no memory left for this ruleset: name fewer addresses"}};

    (void)unused;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char error[ENFORCE_ERROR];

        assert_int_equal(transport_error(cases[i].number, "cannot install", error), cases[i].error);
        assert_non_null(strstr(error, cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_much_is_told),
        cmocka_unit_test(sets_alone_have_names_that_stay),
        cmocka_unit_test(sets_alone_hold_the_zones),
        cmocka_unit_test(what_is_not_ours_is_no_drift),
        cmocka_unit_test(same_policy_same_text),
        cmocka_unit_test(digest_ignores_the_clock),
        cmocka_unit_test(exceptions_carry_their_rest),
        cmocka_unit_test(cuts_are_logged),
        cmocka_unit_test(log_in_words),
        cmocka_unit_test(a_long_id_hides_no_rule),
        cmocka_unit_test(monitor_has_no_table),
        cmocka_unit_test(what_cannot_be_is_told),
        cmocka_unit_test(differences),
        cmocka_unit_test(strict_clients_may_start),
        cmocka_unit_test(machines_are_excepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
