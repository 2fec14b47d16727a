/* What the kernel holds against the model: timeouts that are right as far as clocks tell, and what
 * is said of a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "enforce/build.h"
#include "enforce/examine.h"
#include "enforce/paired.h"
#include "twin.h"

#define HOURS(n) ((uint64_t)(n)*3600 * 1000)

static struct ruleset *of_one_set(bool timed)
{
    struct ruleset *r = ruleset_create(NFPROTO_INET);

    assert_int_equal(ruleset_add_set(r, "excepted_ip4", SET_RANGE, true), 0);
    r->sets[0].timed = timed;
    return r;
}

static void add(struct ruleset *r, const char *client, uint64_t timeout_ms)
{
    struct set_element e = {.low = twin_addr(client), .timeout_ms = timeout_ms};

    e.high = e.low;
    assert_int_equal(set_add(r->sets, &e), SD_OK);
}

/* One element in the kernel and one in the model; 0 as a time of "none" leaves it out. */
static bool same(uint64_t there_ms, uint64_t here_ms)
{
    struct ruleset *there = of_one_set(true), *here = of_one_set(true);
    bool is;

    add(there, "10.0.0.1", HOURS(9));
    add(here, "10.0.0.1", HOURS(9));
    if (there_ms)
        add(there, "10.0.0.2", there_ms);
    if (here_ms)
        add(here, "10.0.0.2", here_ms);
    add(there, "10.0.0.3", HOURS(9));
    add(here, "10.0.0.3", HOURS(9));
    is = ruleset_is(there, here);
    ruleset_destroy(there);
    ruleset_destroy(here);
    return is;
}

static void clocks_may_differ(void **unused)
{
    (void)unused;
    assert_true(same(HOURS(9), HOURS(9)));
    assert_true(same(HOURS(9) - 50000, HOURS(9)));
    assert_true(same(HOURS(9) + 50000, HOURS(9)));
    assert_true(same(HOURS(9000) + HOURS(8), HOURS(9000))); /* a thousandth of a year */
}

static void a_timeout_that_is_wrong_differs(void **unused)
{
    (void)unused;
    assert_false(same(HOURS(8), HOURS(9)));
    assert_false(same(HOURS(10), HOURS(9)));
}

static void what_ends_now_may_be_there_or_not(void **unused)
{
    (void)unused;
    assert_true(same(0, 59000));
    assert_true(same(59000, 0));
    assert_false(same(0, 90000));
    assert_false(same(90000, 0));
}

static void an_end_that_is_missing_differs(void **unused)
{
    struct ruleset *there = of_one_set(true), *here = of_one_set(true);

    (void)unused;
    add(there, "10.0.0.1", 0);
    add(here, "10.0.0.1", HOURS(1));
    assert_false(ruleset_is(there, here));
    ruleset_destroy(there);
    ruleset_destroy(here);
}

static void plain_sets_have_no_slack(void **unused)
{
    struct ruleset *there = of_one_set(false), *here = of_one_set(false);

    (void)unused;
    add(here, "10.0.0.1", 0);
    assert_false(ruleset_is(there, here));
    add(there, "10.0.0.1", 0);
    assert_true(ruleset_is(there, here));
    ruleset_destroy(there);
    ruleset_destroy(here);
}

static struct ruleset *of_pairs(void)
{
    struct ruleset *r = ruleset_create(NFPROTO_INET);
    int set = ruleset_add_set(r, "paired_ip4", SET_PAIRED, true);

    assert_int_equal(set, 0);
    r->sets[0].timed = true;
    return r;
}

/* Pairs 0 to count - 1, but one; the number is in the client's address. */
static void put_pairs(struct ruleset *r, size_t count, size_t but, uint64_t left_ms)
{
    struct enforce_pair *all = calloc(count, sizeof *all);
    size_t put = 0;

    for (size_t i = 0; i < count; i++) {
        uint8_t client[] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

        if (i != but)
            all[put++] = (struct enforce_pair){addr_v4(client), twin_addr("198.51.100.9"), left_ms};
    }
    assert_int_equal(ruleset_put_pairs(r, all, put), SD_OK);
    free(all);
}

static bool same_pairs(size_t there_but, uint64_t there_ms, size_t here_but, uint64_t here_ms,
                       bool known)
{
    struct ruleset *there = of_pairs(), *here = of_pairs();
    bool is;

    put_pairs(there, 5, there_but, there_ms);
    put_pairs(here, 5, here_but, here_ms);
    here->paired = known;
    is = ruleset_is(there, here);
    ruleset_destroy(there);
    ruleset_destroy(here);
    return is;
}

/* They last minutes: seconds count. */
static void pairs_have_little_slack(void **unused)
{
    (void)unused;
    assert_true(same_pairs(9, 600000, 9, 600000, true));
    assert_true(same_pairs(9, 598000, 9, 600000, true));
    assert_false(same_pairs(9, 590000, 9, 600000, true));
    assert_false(same_pairs(2, 5000, 9, 5000, true));
    assert_false(same_pairs(9, 5000, 2, 5000, true));
    assert_true(same_pairs(2, 2900, 9, 2900, true));
    assert_true(same_pairs(9, 2900, 2, 2900, true));
}

/* `sealdns rules diff` of another process knows nothing of them. */
static void pairs_that_nobody_told_are_taken_as_they_are(void **unused)
{
    struct ruleset *there = of_pairs(), *here = of_pairs();

    (void)unused;
    put_pairs(there, 5, 9, 600000);
    assert_true(ruleset_is(there, here));
    ruleset_destroy(there);
    ruleset_destroy(here);
}

/* One of very many is told by itself, not the whole set. */
static void one_pair_of_many_is_told(void **unused)
{
    struct ruleset *there = of_pairs(), *here = of_pairs();
    struct comparison c;
    struct enforce_drift drift = {.gone = false};

    (void)unused;
    put_pairs(there, 50000, 777, 600000);
    put_pairs(here, 50000, 44444, 600000);
    assert_int_equal(comparison_begin(&c, there, here), SD_OK);
    assert_false(comparison_is_same(&c));
    comparison_describe(&c, &drift);
    assert_int_equal(drift.elements_missing, 1);
    assert_int_equal(drift.elements_foreign, 1);
    assert_non_null(strstr(drift.text, "elements missing: 10.0.3.9 . 198.51.100.9 of paired_ip4"));
    assert_non_null(strstr(drift.text, "foreign elements: 10.0.173.156 . 198.51.100.9"));
    comparison_end(&c);
    ruleset_destroy(there);
    ruleset_destroy(here);
}

/* The same after a policy's whole ruleset, in any state of its exceptions. */
static void any_policy_is_itself(void **unused)
{
    char error[ENFORCE_ERROR];

    (void)unused;
    for (uint64_t seed = 1; seed < 40; seed++) {
        uint64_t state = seed;
        struct policy *p = twin_policy(&state);
        struct ruleset *a, *b;
        nsec_t now = (nsec_t)(seed % 5) * 100 * NSEC_S;

        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, now, &a, error), SD_OK);
        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, now + 20 * NSEC_S, &b, error), SD_OK);
        assert_true(ruleset_is(a, b));
        ruleset_destroy(a);
        ruleset_destroy(b);
        policy_destroy(p);
    }
}

static void says_what_differs(void **unused)
{
    char lines[] = "  chain zone_lab {\n"
                   "+     udp dport 53 counter drop comment \"sealdns: lab/cleartext-udp\"\n"
                   "+     tcp dport 53 counter drop comment \"sealdns: lab/cleartext-tcp\"\n"
                   "-     tcp dport 53 accept \n"
                   "  set zone_lab_dot_ip4 {\n"
                   "+     203.0.113.53,\n"
                   "+ set ports {\n"
                   "+     type inet_service\n"
                   "+     elements = {\n"
                   "+     53,\n"
                   "+     }\n";
    struct enforce_drift d = {.gone = false};

    (void)unused;
    drift_describe(lines, &d);
    assert_string_equal(d.text, "rules missing: lab/cleartext-udp, lab/cleartext-tcp; "
                                "foreign rules: tcp dport 53 accept (in zone_lab); "
                                "elements missing: 203.0.113.53 of zone_lab_dot_ip4; "
                                "made otherwise: ports; elements missing: 53 of ports");
    assert_int_equal(d.rules_missing, 2);
    assert_int_equal(d.rules_foreign, 1);
    assert_int_equal(d.elements_missing, 2);
    assert_int_equal(d.elements_foreign, 0);
    assert_int_equal(d.changed, 1);
}

static void says_no_more_than_it_holds(void **unused)
{
    char *lines = NULL;
    size_t size;
    FILE *to = open_memstream(&lines, &size);
    struct enforce_drift d = {.gone = false};

    (void)unused;
    fputs("  chain zone_lab {\n", to);
    for (int i = 0; i < 1000; i++)
        fprintf(to, "+     counter comment \"sealdns: lab/rule-%d\"\n", i);
    for (int i = 0; i < 1000; i++)
        fprintf(to, "-     %0500d \n", i);
    fclose(to);
    drift_describe(lines, &d);
    free(lines);
    assert_int_equal(d.rules_missing, 1000);
    assert_int_equal(d.rules_foreign, 1000);
    assert_true(strlen(d.text) < sizeof d.text);
    assert_non_null(strstr(d.text, "lab/rule-3, "));
    assert_string_equal(d.text + strlen(d.text) - 5, ", ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_may_differ),
        cmocka_unit_test(a_timeout_that_is_wrong_differs),
        cmocka_unit_test(what_ends_now_may_be_there_or_not),
        cmocka_unit_test(an_end_that_is_missing_differs),
        cmocka_unit_test(pairs_have_little_slack),
        cmocka_unit_test(pairs_that_nobody_told_are_taken_as_they_are),
        cmocka_unit_test(one_pair_of_many_is_told),
        cmocka_unit_test(plain_sets_have_no_slack),
        cmocka_unit_test(any_policy_is_itself),
        cmocka_unit_test(says_what_differs),
        cmocka_unit_test(says_no_more_than_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
