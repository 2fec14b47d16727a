/* What the kernel holds against the model: timeouts that are right as far as clocks tell, and what
 * is said of a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/build.h"
#include "enforce/examine.h"
#include "twin.h"

#define HOURS(n) ((uint64_t)(n)*3600 * 1000)

static struct ruleset *of_one_set(bool timed)
{
    struct ruleset *r = ruleset_create();

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
        cmocka_unit_test(plain_sets_have_no_slack),
        cmocka_unit_test(any_policy_is_itself),
        cmocka_unit_test(says_what_differs),
        cmocka_unit_test(says_no_more_than_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
