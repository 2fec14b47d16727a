/* The rules mean what policy_kernel() says, for random policies and every packet of a small world.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>

#include <linux/netfilter.h>

#include "enforce/evaluate.h"
#include "enforce/paired.h"
#include "twin.h"

enum { POLICIES = 400 };

static enum action action_of_rule(const struct rule *r)
{
    if (r && (r->statement == STATEMENT_REJECT || r->statement == STATEMENT_RESET))
        return ACTION_REJECT;
    return r && r->statement == STATEMENT_DROP ? ACTION_DROP : ACTION_ALLOW;
}

static uint8_t hook_of(const struct policy *p, const struct addr *client, const struct addr *server)
{
    if (policy_is_gateway(p, client))
        return NF_INET_LOCAL_OUT;
    return policy_is_gateway(p, server) ? NF_INET_LOCAL_IN : NF_INET_FORWARD;
}

struct world {
    const struct policy *policy;
    const struct ruleset *rules;
    nsec_t now;
    bool paired;              /* every client with every server */
    unsigned cut, redirected; /* packets */
};

/* A connection's first packet: the rule that redirects it, which it then obeys, or NULL. */
static const struct rule *redirect(const struct world *w, struct evaluated_packet *p)
{
    uint8_t hook = p->hook;
    const struct rule *rule;

    if (hook == NF_INET_LOCAL_OUT)
        return NULL;
    p->hook = NF_INET_PRE_ROUTING;
    rule = ruleset_evaluate(w->rules, p);
    p->hook = hook;
    if (!rule || rule->statement != STATEMENT_DNAT)
        return NULL;
    p->destination = rule->address;
    p->to_gateway = policy_is_gateway(w->policy, &p->destination);
    p->hook = hook_of(w->policy, &p->source, &p->destination);
    return rule;
}

static void check_packet(struct world *w, const struct evaluated_packet *in)
{
    struct evaluated_packet p = *in;
    int16_t zone = policy_zone_of(w->policy, &p.source, p.iface, 0);
    enum action wanted = policy_kernel(w->policy, zone, &p.source, &p.destination, p.port, w->now);
    const struct rule *rule, *moved;
    enum action got;

    p.hook = hook_of(w->policy, &p.source, &p.destination);
    if (w->paired && p.port == 443 && wanted == ACTION_ALLOW && p.hook == NF_INET_FORWARD)
        wanted = policy_paired(w->policy, zone, &p.source, &p.destination, -1, w->now);
    if (!policy_acts_on(w->policy, zone, &p.source))
        wanted = ACTION_ALLOW;
    p.to_gateway = policy_is_gateway(w->policy, &p.destination);
    if (p.hook == NF_INET_LOCAL_OUT)
        p.iface = "";
    moved = redirect(w, &p);
    rule = ruleset_evaluate(w->rules, &p);
    got = moved && action_of_rule(rule) == ACTION_ALLOW ? ACTION_REDIRECT : action_of_rule(rule);
    if (got != wanted) {
        char c[ADDR_TEXT], s[ADDR_TEXT];

        fail_msg("%s > %s:%u proto %u by %s, zone %s: %s wanted, rule %s", addr_text(&p.source, c),
                 addr_text(&p.destination, s), p.port, p.protocol, in->iface,
                 w->policy->zones[zone].id, action_name(wanted), rule ? rule->id : "none");
    }
    /* A client that waits for an ICMP error on TCP may wait for minutes. */
    if (rule && rule->statement == STATEMENT_RESET)
        assert_int_equal(p.protocol, IPPROTO_TCP);
    if (rule && rule->statement == STATEMENT_REJECT)
        assert_int_equal(p.protocol, IPPROTO_UDP);
    w->redirected += wanted == ACTION_REDIRECT;
    w->cut += wanted == ACTION_REJECT || wanted == ACTION_DROP;
}

static void check_pair(struct world *w, struct evaluated_packet *p)
{
    static const uint16_t ports[] = {53, 853, 443, 80, 784};

    for (size_t i = 0; i < COUNT_OF(twin_ifaces); i++)
        for (size_t k = 0; k < COUNT_OF(ports); k++) {
            p->iface = twin_ifaces[i];
            p->port = ports[k];
            p->protocol = IPPROTO_UDP;
            check_packet(w, p);
            p->protocol = IPPROTO_TCP;
            check_packet(w, p);
        }
}

static void check_world(struct world *w)
{
    struct evaluated_packet p;

    for (size_t s = 0; s < COUNT_OF(twin_servers); s++) {
        p.destination = twin_addr(twin_servers[s]);
        for (size_t c = 0; c < COUNT_OF(twin_clients) + COUNT_OF(twin_gateway); c++) {
            p.source =
                twin_addr(c < COUNT_OF(twin_clients) ? twin_clients[c]
                                                     : twin_gateway[c - COUNT_OF(twin_clients)]);
            if (addr_is_v4(&p.source) == addr_is_v4(&p.destination))
                check_pair(w, &p);
        }
    }
}

static void rules_are_the_policy(void **unused)
{
    uint64_t state = 53;
    unsigned cut = 0, redirected = 0;

    (void)unused;
    for (int i = 0; i < POLICIES; i++) {
        struct policy *p = twin_policy(&state);
        struct world w = {.policy = p, .now = (nsec_t)twin_random(&state, 500) * NSEC_S};
        struct ruleset *r;
        char error[ENFORCE_ERROR];

        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, w.now, &r, error), SD_OK);
        w.rules = r;
        check_world(&w);
        cut += w.cut;
        redirected += w.redirected;
        ruleset_destroy(r);
        policy_destroy(p);
    }
    assert_true(cut > 10000 &&
                redirected > 1000); /* or the world is too peaceful to prove anything */
}

static void put_all_pairs(struct ruleset *r)
{
    struct enforce_pair
        all[COUNT_OF(twin_servers) * (COUNT_OF(twin_clients) + COUNT_OF(twin_gateway))];
    size_t count = 0;

    for (size_t s = 0; s < COUNT_OF(twin_servers); s++)
        for (size_t c = 0; c < COUNT_OF(twin_clients) + COUNT_OF(twin_gateway); c++) {
            struct enforce_pair *p = all + count;

            p->client =
                twin_addr(c < COUNT_OF(twin_clients) ? twin_clients[c]
                                                     : twin_gateway[c - COUNT_OF(twin_clients)]);
            p->server = twin_addr(twin_servers[s]);
            p->left_ms = 1000;
            count += addr_is_v4(&p->client) == addr_is_v4(&p->server);
        }
    assert_int_equal(ruleset_put_pairs(r, all, count), SD_OK);
}

/* Whatever pair stands in the kernel, it cuts port 443 of those that the policy cuts, no more. */
static void pairs_cut_as_the_policy_says(void **unused)
{
    uint64_t state = 8443;
    unsigned cut = 0, without = 0;

    (void)unused;
    for (int i = 0; i < POLICIES / 5; i++) {
        struct policy *p = twin_policy(&state);
        struct world w = {.policy = p, .now = (nsec_t)twin_random(&state, 500) * NSEC_S};
        struct ruleset *r;
        char error[ENFORCE_ERROR];

        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, w.now, &r, error), SD_OK);
        w.rules = r;
        check_world(&w);
        without += w.cut;
        w.cut = 0;
        w.paired = true;
        put_all_pairs(r);
        check_world(&w);
        cut += w.cut;
        ruleset_destroy(r);
        policy_destroy(p);
    }
    assert_true(cut > without + 1000);
}

/* What a bridge can do, asked for by every zone. */
static void make_bridge(struct policy *p)
{
    p->place = PLACE_BRIDGE;
    for (size_t z = 0; z < p->zone_count; z++) {
        struct policy_zone *zone = p->zones + z;

        if (zone->cleartext == ACTION_REJECT || zone->cleartext == ACTION_REDIRECT)
            zone->cleartext = ACTION_DROP;
        if (zone->unapproved == ACTION_REJECT)
            zone->unapproved = ACTION_DROP;
    }
}

static void a_bridge_cuts_what_it_forwards(void **unused)
{
    uint64_t state = 5353;
    unsigned cut = 0;

    (void)unused;
    for (int i = 0; i < POLICIES; i++) {
        struct policy *p = twin_policy(&state);
        struct world w = {.policy = p};
        struct ruleset *r;
        char error[ENFORCE_ERROR];

        make_bridge(p);
        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, w.now, &r, error), SD_OK);
        for (size_t k = 0; k < r->chain_count; k++)
            assert_true(!r->chains[k].base || r->chains[k].hook == NF_INET_FORWARD);
        w.rules = r;
        check_world(&w);
        cut += w.cut;
        ruleset_destroy(r);
        policy_destroy(p);
    }
    assert_true(cut > 10000);
}

/* Those alone: what other zones cut and redirect is as before, and no rule is there or not for it.
 */
static void zones_that_are_held_only_count(void **unused)
{
    uint64_t state = 443;
    unsigned cut = 0, redirected = 0;

    (void)unused;
    for (int i = 0; i < POLICIES; i++) {
        struct policy *p = twin_policy(&state);
        struct world w = {.policy = p};
        struct ruleset *all, *r;
        char error[ENFORCE_ERROR];

        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, w.now, &all, error), SD_OK);
        for (size_t z = 0; z < p->zone_count; z++)
            p->zones[z].held = twin_random(&state, 2);
        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, w.now, &r, error), SD_OK);
        assert_int_equal(r->rule_count, all->rule_count);
        w.rules = r;
        check_world(&w);
        cut += w.cut;
        redirected += w.redirected;
        ruleset_destroy(r);
        ruleset_destroy(all);
        policy_destroy(p);
    }
    assert_true(cut > 5000 && redirected > 500);
}

static void shadow_cuts_nothing(void **unused)
{
    uint64_t state = 853;

    (void)unused;
    for (int i = 0; i < POLICIES; i++) {
        struct policy *p = twin_policy(&state);
        struct ruleset *enforced, *shadow;
        char error[ENFORCE_ERROR];

        assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 0, &enforced, error), SD_OK);
        assert_int_equal(ruleset_compile(p, MODE_SHADOW, 0, &shadow, error), SD_OK);
        assert_int_equal(shadow->rule_count, enforced->rule_count);
        for (size_t k = 0; k < shadow->rule_count; k++) {
            const struct rule *s = shadow->rules + k;

            assert_string_equal(s->id, enforced->rules[k].id);
            assert_true(s->counted);
            assert_true(s->statement != STATEMENT_DROP && s->statement != STATEMENT_REJECT &&
                        s->statement != STATEMENT_RESET && s->statement != STATEMENT_DNAT &&
                        s->statement != STATEMENT_MASQUERADE);
        }
        ruleset_destroy(enforced);
        ruleset_destroy(shadow);
        policy_destroy(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_the_policy),
        cmocka_unit_test(pairs_cut_as_the_policy_says),
        cmocka_unit_test(a_bridge_cuts_what_it_forwards),
        cmocka_unit_test(zones_that_are_held_only_count),
        cmocka_unit_test(shadow_cuts_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
