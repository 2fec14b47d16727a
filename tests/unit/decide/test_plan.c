/* What a plan says of recorded conversations, and that it says what the ruleset would do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "../enforce/twin.h"
#include "base/error.h"
#include "conf/conf.h"
#include "decide/plan.h"
#include "enforce/evaluate.h"

#define HOUR (3600 * NSEC_S)
#define NOW  (2000000000 * NSEC_S) /* May 2033 */

static const char office[] =
    "resolvers:\n"
    "  - {id: corp, name: dns.corp.example, addresses: [192.0.2.53, '2001:db8::53'],"
    " transports: [do53, dot]}\n"
    "  - {id: named, name: dns.named.example, transports: [dot]}\n"
    "  - {id: sealed, name: dns.sealed.example, addresses: [192.0.2.54, 192.0.2.55], transports: "
    "[dot, doh2]}\n"
    "  - {id: cloud, name: dns.cloud.example, addresses: [192.0.2.60], shared: [192.0.2.61],"
    " transports: [dot, doh2]}\n"
    "zones:\n"
    "  - {id: office, networks: [10.20.0.0/16, '2001:db8:20::/48'], approve: [corp, sealed, named],"
    " cleartext: reject, unapproved: reject, bootstrap: true}\n"
    "  - {id: lab, networks: [10.20.9.0/24], approve: [sealed], cleartext: drop, unapproved: "
    "drop, bootstrap: false}\n"
    "  - {id: guest, networks: [10.30.0.0/16], cleartext: alert, unapproved: allow}\n"
    "exceptions:\n"
    "  - {client: 10.20.0.9, until: 2035-01-31, owner: netops, reason: printer}\n"
    "  - {client: 10.20.0.8, until: 2030-01-31, owner: netops, reason: 'ended by then'}\n";

static struct policy *policy_of(const char *text)
{
    struct addr gateway = twin_addr("10.20.0.1");
    struct conf_source source = {.policy = {.name = "test", .bytes = text, .length = strlen(text)},
                                 .gateway = &gateway,
                                 .gateway_count = 1,
                                 .now = NOW};
    char *messages = NULL;
    size_t size;
    struct conf_report report = {.to = open_memstream(&messages, &size)};
    struct policy *p = NULL;

    if (conf_load(&source, &report, &p) != SD_OK) {
        fflush(report.to);
        fail_msg("%s", messages);
    }
    fclose(report.to);
    free(messages);
    return p;
}

struct seen {
    const char *client, *server;
    uint16_t port;
    const char *transport;
    uint64_t queries, responses;
    const char *zone, *name;
};

static struct history_text text_of(const char *t)
{
    return (struct history_text){t ? t : "", t ? (uint32_t)strlen(t) : 0};
}

static struct history_row row_of(const struct seen *s, nsec_t hour)
{
    return (struct history_row){.hour = hour,
                                .client = text_of(s->client),
                                .server = text_of(s->server),
                                .server_port = s->port,
                                .transport = text_of(s->transport),
                                .zone = text_of(s->zone),
                                .name = text_of(s->name),
                                .flows = s->queries,
                                .flows_failed = s->queries - s->responses,
                                .queries = s->queries,
                                .responses = s->responses};
}

static void take_at(struct plan *p, const struct seen *s, nsec_t hour)
{
    struct history_row row = row_of(s, hour);

    assert_int_equal(plan_take(p, &row), SD_OK);
}

/* Every conversation in two hours. */
static struct plan *plan_for(const struct policy *policy, const struct seen *seen, size_t count)
{
    struct plan *p = plan_create(policy, NOW, 1);

    assert_non_null(p);
    for (int hour = 1; hour <= 2; hour++)
        for (size_t i = 0; i < count; i++)
            take_at(p, seen + i, hour * HOUR);
    return p;
}

static const struct plan_client *client_of(const struct plan *p, const char *address)
{
    struct addr a = twin_addr(address);
    const struct plan_result *r = plan_result(p);

    for (size_t i = 0; i < r->client_count; i++)
        if (addr_equal(&r->clients[i]->address, &a))
            return r->clients[i];
    fail_msg("no client %s", address);
    return NULL;
}

static const char *outcome_at(const struct plan *p, const char *address)
{
    return outcome_name(client_of(p, address)->outcome);
}

static void each_client_has_its_outcome(void **state)
{
    static const struct seen seen[] = {
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 10, 10, "office", "dns.quad9.net"},
        {"10.20.0.2", "192.0.2.54", 853, "dot", 5, 5, "office", "dns.sealed.example"},
        {"10.20.0.3", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
        {"10.20.0.4", "192.0.2.53", 53, "do53-udp", 10, 10, "office", NULL}, /* approved do53 */
        {"10.20.0.5", "192.0.2.54", 853, "dot", 5, 0, "office", NULL}, /* approved, never worked */
        {"10.20.0.5", "9.9.9.9", 853, "dot", 5, 5, "office", NULL},
        {"10.20.0.6", "10.20.0.1", 53, "do53-udp", 5, 5, "office", NULL}, /* the gateway's own */
        {"10.20.0.6", "9.9.9.9", 53, "do53-tcp", 5, 5, "office", NULL},
        {"10.20.0.7", "9.9.9.9", 53, "do53-udp", 10, 0, "office", NULL}, /* nothing to lose */
        {"10.20.0.8", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
        {"10.20.0.9", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
        {"10.20.0.10", "192.0.2.61", 443, "doh2", 3, 3, "office", "dns.cloud.example"},
        {"10.20.0.10", "192.0.2.60", 443, "doh2", 3, 3, "office", "dns.cloud.example"},
        {"10.20.0.13", "192.0.2.60", 443, "doh2", 3, 3, "office", "dns.cloud.example"},
        {"10.20.0.13", "192.0.2.61", 8443, "doh2", 3, 3, "office", "dns.cloud.example"},
        /* Recorded before anybody knew the resolver: at its own address, then at a shared one. */
        {"10.20.0.11", "192.0.2.55", 443, "tls", 3, 3, "office", NULL},
        {"10.20.0.11", "192.0.2.60", 443, "tls", 3, 3, "office", NULL},
        {"10.20.0.12", "192.0.2.61", 443, "tls", 3, 3, "office", NULL},
        {"10.20.0.12", "192.0.2.60", 443, "tls", 3, 3, "office", NULL},
        {"10.20.9.2", "192.0.2.53", 53, "do53-udp", 10, 10, "lab", NULL}, /* not here */
        {"10.30.0.2", "9.9.9.9", 53, "do53-udp", 10, 10, "guest", NULL},
        {"2001:db8:20::2", "2620:fe::fe", 853, "dot", 5, 5, "office", NULL},
        {"172.16.0.2", "9.9.9.9", 53, "do53-udp", 10, 10, "default", NULL},
    };
    struct policy *policy = policy_of(office);
    struct plan *p = plan_for(policy, seen, COUNT_OF(seen));

    (void)state;
    assert_int_equal(plan_settle(p), SD_OK);
    assert_string_equal(outcome_at(p, "10.20.0.2"), "loses");
    assert_string_equal(outcome_at(p, "10.20.0.3"), "bootstrap-only");
    assert_string_equal(outcome_at(p, "10.20.0.4"), "unaffected");
    assert_string_equal(outcome_at(p, "10.20.0.5"), "bootstrap-only");
    assert_string_equal(outcome_at(p, "10.20.0.6"), "loses");
    assert_string_equal(outcome_at(p, "10.20.0.7"), "silent");
    assert_string_equal(outcome_at(p, "10.20.0.8"), "bootstrap-only"); /* its exception has ended */
    assert_string_equal(outcome_at(p, "10.20.0.9"), "unaffected");
    assert_string_equal(outcome_at(p, "10.20.0.10"), "bootstrap-only"); /* paired with .61 */
    assert_string_equal(outcome_at(p, "10.20.0.13"), "out-of-reach-only");
    assert_string_equal(outcome_at(p, "10.20.0.11"), "loses");
    assert_int_equal(client_of(p, "10.20.0.11")->approved, 1);
    assert_string_equal(outcome_at(p, "10.20.0.12"), "bootstrap-only");
    assert_string_equal(outcome_at(p, "10.20.9.2"), "dark");
    assert_string_equal(outcome_at(p, "10.30.0.2"), "unaffected");
    assert_string_equal(outcome_at(p, "2001:db8:20::2"), "bootstrap-only");
    assert_string_equal(outcome_at(p, "172.16.0.2"), "unaffected");
    assert_int_equal(client_of(p, "10.20.0.2")->approved, 1);
    assert_int_equal(client_of(p, "10.20.0.5")->approved, 0);
    assert_int_equal(plan_result(p)->exceptions[0].queries, 20);
    assert_int_equal(plan_result(p)->exceptions[1].queries, 0);
    plan_destroy(p);
    policy_destroy(policy);
}

static void zones_and_groups_add_up(void **state)
{
    static const struct seen seen[] = {
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 10, 10, "office", "dns.quad9.net"},
        {"10.20.0.2", "9.9.9.9", 53, "do53-tcp", 1, 0, "office", "dns.quad9.net"},
        {"10.20.0.2", "9.9.9.9", 853, "dot", 4, 4, "office", "dns.quad9.net"},
        {"10.20.0.3", "9.9.9.9", 53, "do53-udp", 20, 20, "office", "dns.quad9.net"},
        {"10.20.0.3", "192.0.2.80", 443, "tls", 9, 9, "office", "www.example.org"},
        {"10.20.0.3", "9.9.9.9", 443, "tls", 2, 2, "office", NULL}, /* the resolver's own address */
    };
    struct policy *policy = policy_of(office);
    struct plan *p = plan_for(policy, seen, COUNT_OF(seen));
    const struct plan_result *r = plan_result(p);
    const struct plan_zone *z;

    (void)state;
    assert_int_equal(plan_settle(p), SD_OK);
    z = r->zones + 2;
    assert_int_equal(z->clients, 2);
    assert_int_equal(z->outcomes[OUTCOME_BOOTSTRAP], 2);
    assert_int_equal(z->cleartext.clients, 2);
    assert_int_equal(z->cleartext.conversations, 3);
    assert_int_equal(z->cleartext.answered, 2);
    assert_int_equal(z->cleartext.queries, 62);
    assert_int_equal(z->unapproved.clients, 2);
    assert_int_equal(z->unapproved.conversations, 2);
    assert_int_equal(z->fates[FATE_CUT].conversations, 5);
    assert_int_equal(r->other_rows, 2);
    assert_int_equal(r->conversation_count, 5);
    assert_int_equal(r->server_count, 2); /* one server, as clear text and as unapproved */
    assert_int_equal(r->servers[0].tally.queries, 62);
    assert_true(r->servers[0].cleartext);
    assert_int_equal(r->servers[1].tally.clients, 2);
    assert_int_equal(r->name_count, 2);
    assert_string_equal(plan_name(p, r->names[0].subject), "dns.quad9.net");
    plan_destroy(p);
    policy_destroy(policy);
}

/* What worked over one family keeps the machine from the dark, whichever address it had. */
static void a_machine_is_all_its_addresses(void **state)
{
    static const struct seen seen[] = {
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
        {"2001:db8:20::2", "2001:db8::53", 853, "dot", 5, 5, "office", NULL},
        {"10.20.0.3", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
    };
    static const char *const addresses[] = {"10.20.0.2", "2001:db8:20::2", "10.20.0.99"};
    struct policy *policy = policy_of(office);
    struct plan *p = plan_for(policy, seen, COUNT_OF(seen));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct addr a = twin_addr(addresses[i]);

        assert_int_equal(plan_machine(p, &a, 7), SD_OK);
    }
    assert_int_equal(plan_settle(p), SD_OK);
    assert_string_equal(outcome_at(p, "10.20.0.2"), "loses");
    assert_true(client_of(p, "10.20.0.2")->elsewhere);
    assert_int_equal(client_of(p, "2001:db8:20::2")->machine, 7);
    assert_int_equal(client_of(p, "10.20.0.3")->machine, PLAN_NO_MACHINE);
    assert_string_equal(outcome_at(p, "2001:db8:20::2"), "unaffected");
    assert_string_equal(outcome_at(p, "10.20.0.3"), "bootstrap-only");
    plan_destroy(p);
    policy_destroy(policy);
}

/* The record knows the gateway by addresses that it no longer has. */
static void gateways_of_then_are_told(void **state)
{
    static const struct seen seen[] = {
        {"10.20.0.2", "10.20.0.1", 53, "do53-udp", 1, 1, "office", NULL}, /* and has */
        {"10.20.0.2", "10.20.0.254", 53, "do53-udp", 1, 1, "office", NULL},
        {"10.20.0.2", "10.20.0.253", 53, "do53-udp", 1, 1, "office", NULL},
    };
    struct policy *policy = policy_of(office);
    struct plan *p = plan_create(policy, NOW, 1);
    struct addr out[2], gone = twin_addr("10.20.0.254");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        struct history_row row = row_of(seen + i, HOUR);

        row.gateway_resolver = i < 2;
        assert_int_equal(plan_take(p, &row), SD_OK);
    }
    assert_int_equal(plan_gateways(p, out, 2), 1);
    assert_true(addr_equal(out, &gone));
    assert_int_equal(plan_gateways(p, out, 0), 0);
    plan_destroy(p);
    policy_destroy(policy);
}

/* What rules cut before is told apart, by client, server and what it was cut as. */
static void what_was_cut_before_is_told(void **state)
{
    static const struct seen seen[] = {
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 10, 0, "office", NULL},
        {"10.20.0.2", "9.9.9.9", 853, "dot", 10, 10, "office", NULL},
        {"10.20.0.3", "9.9.9.9", 53, "do53-udp", 10, 10, "office", NULL},
        {"10.20.0.4", "192.0.2.53", 53, "do53-udp", 10, 10, "office", NULL}, /* now approved */
        {"10.20.0.5", "192.0.2.99", 853, "dot", 1, 1, "office", "dns.named.example"},
    };
    struct addr server = twin_addr("9.9.9.9"), corp = twin_addr("192.0.2.53"),
                a = twin_addr("10.20.0.2"), b = twin_addr("10.20.0.4");
    struct policy *policy = policy_of(office);
    struct plan *p = plan_for(policy, seen, COUNT_OF(seen));

    (void)state;
    assert_int_equal(plan_blocked(p, &a, &server, true), SD_OK);
    assert_int_equal(plan_blocked(p, &b, &corp, true), SD_OK);
    assert_int_equal(plan_settle(p), SD_OK);
    assert_int_equal(plan_result(p)->zones[2].already.conversations, 1);
    assert_int_equal(plan_result(p)->zones[2].already.answered, 0);
    assert_int_equal(plan_result(p)->zones[2].fates[FATE_CUT].conversations, 4);
    assert_int_equal(plan_result(p)->zones[2].approved.conversations, 1);
    plan_destroy(p);
    policy_destroy(policy);
}

/* The zone that was recorded tells where interfaces decide; elsewhere the policy alone does. */
static void zones_by_interface_are_as_recorded(void **state)
{
    static const char text[] =
        "zones:\n"
        "  - {id: wired, networks: [10.20.0.0/16], cleartext: reject}\n"
        "  - {id: guest, networks: [10.20.0.0/16], interfaces: [wlan0], cleartext: allow}\n";
    static const struct seen seen[] = {
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 1, 1, "wired", NULL},
        {"10.20.0.3", "9.9.9.9", 53, "do53-udp", 1, 1, "guest", NULL},
        {"172.16.0.4", "9.9.9.9", 53, "do53-udp", 1, 1, "guest", NULL}, /* no longer */
        {"10.20.0.5", "9.9.9.9", 53, "do53-udp", 1, 1, "gateway", NULL},
    };
    struct policy *policy = policy_of(text);
    struct plan *p = plan_for(policy, seen, COUNT_OF(seen));

    (void)state;
    /* Under the policy before it was in no zone: the same client all the same. */
    take_at(p, &(struct seen){"10.20.0.2", "9.9.9.9", 53, "do53-udp", 1, 1, "default", NULL}, HOUR);
    assert_int_equal(plan_settle(p), SD_OK);
    assert_int_equal(plan_result(p)->client_count, 4);
    assert_string_equal(outcome_at(p, "10.20.0.2"), "dark");
    assert_true(client_of(p, "10.20.0.2")->zone_uncertain);
    assert_int_equal(client_of(p, "10.20.0.2")->cut.queries, 3);
    assert_string_equal(outcome_at(p, "10.20.0.3"), "unaffected");
    assert_false(client_of(p, "10.20.0.3")->zone_uncertain);
    assert_int_equal(client_of(p, "172.16.0.4")->zone, ZONE_DEFAULT);
    assert_int_equal(client_of(p, "10.20.0.5")->zone, ZONE_GATEWAY);
    plan_destroy(p);
    policy_destroy(policy);
}

static void what_is_damaged_is_counted(void **state)
{
    char long_text[400];
    struct policy *policy = policy_of(office);
    struct plan *p = plan_create(policy, NOW, 1);
    const struct seen seen[] = {
        {"", "", 0, "unknown", 7, 0, NULL, NULL}, /* folded together by the sensor */
        {"10.20.0.999", "9.9.9.9", 53, "do53-udp", 1, 1, "office", NULL},
        {"10.20.0.2", "nine", 53, "do53-udp", 1, 1, "office", NULL},
        {"10.20.0.2", "9.9.9.9", 53, "carrier-pigeon", 1, 1, "office", NULL},
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 1, 1, long_text, NULL},
        {long_text, "9.9.9.9", 53, "do53-udp", 1, 1, "office", NULL},
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 1, 1, "office", long_text},
        {"10.20.0.2", "9.9.9.9", 53, "do53-udp", 1, 1, "office", "\033[2J"},
    };

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        take_at(p, seen + i, HOUR);
    assert_int_equal(plan_settle(p), SD_OK);
    assert_int_equal(plan_result(p)->rows, COUNT_OF(seen));
    assert_int_equal(plan_result(p)->omitted.rows, 1);
    assert_int_equal(plan_result(p)->omitted.queries, 7);
    assert_int_equal(plan_result(p)->damaged_rows, 5);
    assert_int_equal(plan_result(p)->judged, 1);
    assert_int_equal(plan_result(p)->conversations[0]->queries, 2);
    assert_string_equal(plan_name(p, plan_result(p)->conversations[0]->name), "\033[2J");
    plan_destroy(p);
    policy_destroy(policy);
}

/* Random policies and conversations: what is cut is what the rules of the kernel would cut. */

struct walk {
    const struct policy *policy;
    const struct ruleset *rules;
    unsigned cut, excepted;
};

static const char *packet_iface(const struct policy *p, const struct plan_client *c)
{
    const struct policy_zone *z = p->zones + c->zone;

    for (size_t i = 0; i < z->interface_count; i++)
        if (policy_zone_of(p, &c->address, z->interfaces[i], 0) == c->zone)
            return z->interfaces[i];
    return "eth9";
}

static void check_conversation(struct walk *w, const struct plan *p,
                               const struct plan_conversation *c)
{
    const struct plan_client *client = plan_client(p, c->client);
    struct evaluated_packet packet = {.source = client->address,
                                      .destination = plan_server(p, c->server)->address,
                                      .port = c->server_port,
                                      .protocol = IPPROTO_TCP,
                                      .hook = NF_INET_FORWARD,
                                      .iface = packet_iface(w->policy, client)};
    const struct rule *rule;
    bool cut;

    packet.to_gateway = policy_is_gateway(w->policy, &packet.destination);
    if (policy_is_gateway(w->policy, &packet.source))
        packet.hook = NF_INET_LOCAL_OUT, packet.iface = "";
    else if (packet.to_gateway)
        packet.hook = NF_INET_LOCAL_IN;
    rule = ruleset_evaluate(w->rules, &packet);
    cut = rule && (rule->statement == STATEMENT_DROP || rule->statement == STATEMENT_RESET);
    assert_int_equal(cut, c->fate == FATE_CUT);
    w->cut += cut;
    w->excepted += c->fate == FATE_EXCEPTED;
}

static void take_world(struct plan *p, const struct policy *policy, uint64_t *random)
{
    static const struct {
        uint16_t port;
        const char *transport;
    } kinds[] = {{53, "do53-tcp"}, {853, "dot"}, {443, "doh2"}, {443, "tls"}, {8853, "dot"}};

    for (int i = 0; i < 200; i++) {
        const char *client = twin_clients[twin_random(random, COUNT_OF(twin_clients))];
        const char *server = twin_servers[twin_random(random, COUNT_OF(twin_servers))];
        size_t kind = twin_random(random, COUNT_OF(kinds));
        struct addr a = twin_addr(client), b = twin_addr(server);
        const char *iface = twin_ifaces[twin_random(random, COUNT_OF(twin_ifaces))];
        int16_t zone = policy_zone_of(policy, &a, iface, 0);

        if (addr_is_v4(&a) == addr_is_v4(&b))
            take_at(p,
                    &(struct seen){client, server, kinds[kind].port, kinds[kind].transport, 1, 1,
                                   policy->zones[zone].id, NULL},
                    HOUR);
    }
}

static void it_agrees_with_the_rules(void **state)
{
    uint64_t random = 53;
    struct walk w = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct policy *policy = twin_policy(&random);
        nsec_t now = (nsec_t)twin_random(&random, 500) * NSEC_S;
        struct plan *p = plan_create(policy, now, random);
        struct ruleset *rules;
        char error[ENFORCE_ERROR];

        assert_int_equal(ruleset_compile(policy, MODE_ENFORCE, now, &rules, error), SD_OK);
        w.policy = policy;
        w.rules = rules;
        take_world(p, policy, &random);
        assert_int_equal(plan_settle(p), SD_OK);
        for (size_t k = 0; k < plan_result(p)->conversation_count; k++)
            check_conversation(&w, p, plan_result(p)->conversations[k]);
        plan_destroy(p);
        ruleset_destroy(rules);
        policy_destroy(policy);
    }
    assert_true(w.cut > 1000 && w.excepted > 100); /* or the world is too peaceful */
}

/* The rows of a world, forwards and backwards. */
static void the_order_of_rows_is_nothing(void **state)
{
    struct policy *policy = policy_of(office);
    struct plan *p[2] = {plan_create(policy, NOW, 1), plan_create(policy, NOW, 2)};
    const struct plan_result *a = plan_result(p[0]), *b = plan_result(p[1]);

    (void)state;
    for (int way = 0; way < 2; way++) {
        for (int k = 0; k < 3000; k++) {
            int i = way ? 2999 - k : k;
            char client[ADDR_TEXT], server[ADDR_TEXT], name[32];

            snprintf(client, sizeof client, "10.20.%d.%d", i % 7, 2 + i % 50);
            snprintf(server, sizeof server, "198.51.100.%d", i % 5);
            snprintf(name, sizeof name, "n%d.example", i % 5);
            take_at(p[way],
                    &(struct seen){client, server, i % 2 ? 53 : 853, i % 2 ? "do53-udp" : "dot", 9,
                                   9, "office", name},
                    i * HOUR);
        }
        assert_int_equal(plan_settle(p[way]), SD_OK);
    }
    assert_int_equal(a->conversation_count, b->conversation_count);
    assert_int_equal(a->conversation_count, 350);
    for (size_t i = 0; i < a->conversation_count; i++) {
        const struct plan_conversation *x = a->conversations[i], *y = b->conversations[i];

        assert_true(addr_equal(&plan_client(p[0], x->client)->address,
                               &plan_client(p[1], y->client)->address));
        assert_int_equal(x->queries, y->queries);
        assert_int_equal(x->first, y->first);
        assert_int_equal(x->last, y->last);
        assert_int_equal(x->queries, 9 * (1 + (x->last - x->first) / (350 * HOUR)));
        assert_int_equal(x->answered_last, x->last);
    }
    assert_int_equal(a->server_count, b->server_count);
    for (size_t i = 0; i < a->server_count; i++)
        assert_memory_equal(&a->servers[i].tally, &b->servers[i].tally, sizeof a->servers->tally);
    plan_destroy(p[0]);
    plan_destroy(p[1]);
    policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_its_outcome),
        cmocka_unit_test(zones_and_groups_add_up),
        cmocka_unit_test(a_machine_is_all_its_addresses),
        cmocka_unit_test(gateways_of_then_are_told),
        cmocka_unit_test(what_was_cut_before_is_told),
        cmocka_unit_test(zones_by_interface_are_as_recorded),
        cmocka_unit_test(what_is_damaged_is_counted),
        cmocka_unit_test(it_agrees_with_the_rules),
        cmocka_unit_test(the_order_of_rows_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
