#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/account.h"

#define T0 (INT64_C(1795262400) * NSEC_S)

static struct account *a;
static struct policy *p;
static struct stats stats;
static nsec_t now;

static struct addr at(const char *text)
{
    struct addr address;

    assert_int_equal(addr_parse(text, &address), 0);
    return address;
}

static int open_account(void **state)
{
    (void)state;
    a = account_create(NULL, 7);
    p = calloc(1, sizeof *p);
    p->zones = calloc(2, sizeof *p->zones);
    p->zone_count = 2;
    p->roles = calloc(2, sizeof *p->roles);
    assert_int_equal(policy_compile(p), 0);
    account_use_policy(a, p);
    now = T0;
    return 0;
}

static int close_account(void **state)
{
    (void)state;
    account_destroy(a);
    policy_destroy(p);
    return 0;
}

static void say(size_t i, const char *address, uint8_t roles)
{
    p->roles[i] = (struct policy_role){at(address), roles};
    p->role_count = i + 1;
}

static struct observation message(const char *client, const char *server, uint16_t flags)
{
    struct observation o = {.kind = OBSERVE_DNS,
                            .transport = TRANSPORT_DO53_UDP,
                            .client_port = 40000,
                            .server_port = 53,
                            .client = at(client),
                            .server = at(server)};

    o.time = now += NSEC_MS;
    o.dns.message.flags = flags;
    o.dns.match = flags & 0x8000 ? ANSWER_MATCHED : ANSWER_NONE;
    o.dns.answered = (flags & 0x8000) != 0;
    account_observe(a, &o, 1, &stats);
    return o;
}

/* Asked and answered; the roles of who asked. */
static uint8_t ask(const char *client, const char *server, bool recurse)
{
    message(client, server, recurse ? 0x0100 : 0);
    return message(client, server, recurse ? 0x8180 : 0x8400).note.roles;
}

static uint8_t recurse(const char *client, unsigned queries, unsigned servers)
{
    char server[32];
    uint8_t roles = 0;

    for (unsigned i = 0; i < queries; i++) {
        snprintf(server, sizeof server, "198.51.%u.53", 1 + i % servers);
        roles = ask(client, server, false);
    }
    return roles;
}

static void who_asks_many_servers_without_recursion_is_recursive(void **state)
{
    (void)state;
    assert_int_equal(recurse("10.0.0.53", 20, 20), 0);
    assert_int_equal(recurse("10.0.0.53", 60, 20), ROLE_RECURSIVE);
}

/* A secondary that looks after its zones asks two servers; a stub asks with RD=1. */
static void few_servers_or_recursion_desired_is_a_client(void **state)
{
    (void)state;
    assert_int_equal(recurse("10.0.0.54", 200, 2), 0);
    for (int i = 0; i < 200; i++) {
        char server[32];

        snprintf(server, sizeof server, "198.51.%d.53", i % 100);
        assert_int_equal(ask("10.0.0.5", server, true), 0);
    }
}

static void who_answers_others_and_asks_upstream_is_a_forwarder(void **state)
{
    uint8_t roles = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        message("10.0.0.5", "10.0.0.1", 0x0100);
        roles = ask("10.0.0.1", "9.9.9.9", true);
        message("10.0.0.5", "10.0.0.1", 0x8180);
    }
    assert_int_equal(roles, ROLE_FORWARDER);
    assert_int_equal(ask("10.0.0.5", "10.0.0.1", true), 0); /* who asks it is none */
    assert_int_equal(ask("10.0.0.6", "9.9.9.9", true), 0);
}

static void the_policy_knows_better(void **state)
{
    (void)state;
    say(0, "10.0.0.53", 0); /* `client` */
    say(1, "10.0.0.5", ROLE_FORWARDER);
    assert_int_equal(recurse("10.0.0.53", 80, 20), 0);
    assert_int_equal(ask("10.0.0.5", "9.9.9.9", true), ROLE_FORWARDER);
    p->role_count = 0;
    assert_int_equal(ask("10.0.0.53", "198.51.1.53", false), ROLE_RECURSIVE);
    assert_int_equal(ask("10.0.0.5", "9.9.9.9", true), 0);
}

static void a_role_that_no_longer_shows_is_dropped(void **state)
{
    uint8_t roles = 0;

    (void)state;
    assert_int_equal(recurse("10.0.0.53", 80, 20), ROLE_RECURSIVE);
    for (int day = 0; day < 3; day++) {
        now += INT64_C(90000) * NSEC_S;
        for (int i = 0; i < 40; i++)
            roles = ask("10.0.0.53", "9.9.9.9", true);
    }
    assert_int_equal(roles, 0);
}

static struct memory last;
static unsigned puts_seen;

static int keep(void *context, const struct memory *m)
{
    (void)context;
    if (strcmp(m->topic, "role") == 0) {
        last = *m;
        puts_seen++;
    }
    return 0;
}

static void what_is_learned_is_kept_for_explain(void **state)
{
    (void)state;
    puts_seen = 0;
    recurse("10.0.0.53", 80, 20);
    ask("10.0.0.5", "9.9.9.9", true);
    account_remember(a, (struct memory_sink){keep, NULL});
    account_remember(a, (struct memory_sink){keep, NULL});
    assert_int_equal(puts_seen, 1);
    assert_string_equal(last.key, "10.0.0.53");
    assert_non_null(strstr(last.text.text, "\"role\":\"recursive resolver\""));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_account, close_account)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(who_asks_many_servers_without_recursion_is_recursive),
                                       CASE(few_servers_or_recursion_desired_is_a_client),
                                       CASE(who_answers_others_and_asks_upstream_is_a_forwarder),
                                       CASE(the_policy_knows_better),
                                       CASE(a_role_that_no_longer_shows_is_dropped),
                                       CASE(what_is_learned_is_kept_for_explain)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
