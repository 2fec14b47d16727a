/* The walk of the first packet of a connection to port 53, before it is routed:
 *
 *   prerouting (type nat) ──> redirects: loopback and exceptions pass, goto redirect_X of the zone
 *   redirect_X: the gateway's own resolver, the approved ones, the target itself and all that its
 *       resolver asks pass; the rest gets the target as its destination
 *
 * Conntrack gives every further packet the same destination, and the answers the source that was
 * asked. What the gateway itself sends never comes by here: a resolver on the gateway may go on in
 * clear text without meeting itself. A target on the interface that the client came in by would
 * answer it directly, from an address that it did not ask: such a connection, and no other, leaves
 * with the gateway's address (hairpin). Always dnat, also to the gateway's own address: `redirect`
 * would choose the first address of the interface, where the resolver need not listen. Flows that
 * began before the rules have their destination and keep it; where nothing tracked connections
 * until now, conntrack takes the middle of one for its first packet, hence SYN. */
#include "enforce/redirect.h"

#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/draft.h"
#include "enforce/staging.h"

#define PRIORITY_DSTNAT (-100)
#define PRIORITY_SRCNAT 100

bool redirects(const struct policy *p)
{
    for (size_t i = 0; i < p->zone_count; i++)
        if (p->zones[i].cleartext == ACTION_REDIRECT)
            return true;
    return false;
}

bool redirects_all(const struct policy_zone *z)
{
    return z->cleartext == ACTION_REDIRECT && !addr_is_zero(z->redirect_to) &&
           !addr_is_zero(z->redirect_to + 1);
}

/* The client side: sensor.interfaces, then those of zones; NULL behind the last. A name that is
 * there twice comes twice. */
static const char *interface_at(const struct policy *p, size_t at)
{
    if (at < p->interface_count)
        return p->interfaces[at];
    at -= p->interface_count;
    for (size_t i = 0; i < p->zone_count; at -= p->zones[i++].interface_count)
        if (at < p->zones[i].interface_count)
            return p->zones[i].interfaces[at];
    return NULL;
}

/* A target that is somebody else's than the gateway's, on a network of ours. */
static bool may_be_neighbour(const struct policy *p, const struct addr *to)
{
    return !addr_is_zero(to) && !policy_is_gateway(p, to) && policy_is_inside(p, to);
}

const char *redirect_objection(const struct policy *p, size_t zone)
{
    const struct policy_zone *z = p->zones + zone;

    if (z->cleartext != ACTION_REDIRECT)
        return NULL;
    if (zone == ZONE_GATEWAY)
        return "what the gateway itself sends is not redirected; use `reject`, or give its "
               "programs "
               "another resolver";
    if (addr_is_zero(z->redirect_to) && addr_is_zero(z->redirect_to + 1))
        return "`redirect` needs `redirect_to`";
    for (int v4 = 0; v4 < 2; v4++)
        if (may_be_neighbour(p, z->redirect_to + v4) && !interface_at(p, 0))
            return "`redirect_to` may be a neighbour of the clients, which it would answer past "
                   "the gateway; name the clients' side under `sensor.interfaces`";
    return NULL;
}

static int name_set(char name[RULESET_NAME], const char *zone, const char *part, int v4)
{
    return snprintf(name, RULESET_NAME, "redirect_%.63s_%s_%s", zone, part, family_word(v4));
}

/* The sets are made with the first chain that uses them, and found again by the other. */
static int set_of(struct compilation *c, int16_t zone, const char *part, int v4)
{
    char name[RULESET_NAME];

    name_set(name, c->policy->zones[zone].id, part, v4);
    return c->error ? -1 : ruleset_set_named(c->r, name);
}

static void pass(struct compilation *c, int16_t zone, int chain, const char *verb)
{
    const char *id = c->policy->zones[zone].id;

    for (int v4 = 1; v4 >= 0; v4--) {
        int to = set_of(c, zone, "to", v4), of = set_of(c, zone, "of", v4);
        struct rule r = rule_named(chain, "%s/%s-target-%s", id, verb, family_word(v4));

        match_port(&r, MATCH_PORT, 53);
        if (to >= 0) {
            match_set(&r, MATCH_DESTINATION, to);
            rule_add(c, &r, STATEMENT_ACCEPT, 0);
        }
        r = rule_named(chain, "%s/%s-source-%s", id, verb, family_word(v4));
        match_port(&r, MATCH_PORT, 53);
        if (of >= 0) {
            match_set(&r, MATCH_SOURCE, of);
            rule_add(c, &r, STATEMENT_ACCEPT, 0);
        }
    }
}

static void make_set(struct compilation *c, int16_t zone, const char *part, int v4)
{
    char name[RULESET_NAME];

    name_set(name, c->policy->zones[zone].id, part, v4);
    if (set_of(c, zone, part, v4) < 0)
        compiled_redirect_set(c, name, v4, zone, strcmp(part, "of") == 0);
}

static void make_sets(struct compilation *c, int16_t zone)
{
    for (int v4 = 1; v4 >= 0; v4--) {
        make_set(c, zone, "to", v4);
        make_set(c, zone, "of", v4);
    }
}

static void add_both(struct compilation *c, int chain, const char *words, int v4,
                     const enum statement statements[2])
{
    static const enum match_kind kinds[] = {MATCH_UDP_PORT, MATCH_TCP_PORT};

    for (size_t i = 0; i < 2; i++) {
        struct rule r = rule_named(chain, "%.80s-%s-%s", words, i ? "tcp" : "udp", family_word(v4));

        match_family(&r, v4);
        match_port(&r, kinds[i], 53);
        rule_add(c, &r, statements[i], 0);
    }
}

void write_redirected(struct compilation *c, int16_t zone, int chain)
{
    static const enum statement cut[] = {STATEMENT_REJECT, STATEMENT_RESET};
    static const enum statement count[] = {STATEMENT_COUNT, STATEMENT_COUNT};
    const struct policy_zone *z = c->policy->zones + zone;
    char words[96];

    make_sets(c, zone);
    pass(c, zone, chain, "redirected");
    for (int v4 = 1; v4 >= 0; v4--) {
        bool open = !addr_is_zero(z->redirect_to + v4);

        snprintf(words, sizeof words, "%s/%s", z->id, open ? "not-redirected" : "cleartext");
        add_both(c, chain, words, v4, open ? count : cut);
    }
}

static void write_zone(struct compilation *c, int16_t zone, int chain)
{
    const struct policy_zone *z = c->policy->zones + zone;
    struct rule r = rule_named(chain, "%s/redirect-gateway", z->id);

    if (z->gateway_resolver) {
        match_local(&r);
        rule_add(c, &r, STATEMENT_ACCEPT, 0);
    }
    for (int v4 = 1; v4 >= 0 && !c->error; v4--) {
        char name[RULESET_NAME];
        int set;

        snprintf(name, sizeof name, "zone_%.63s_do53_%s", z->id, family_word(v4));
        r = rule_named(chain, "%s/redirect-approved-%s", z->id, family_word(v4));
        if ((set = ruleset_set_named(c->r, name)) < 0)
            continue;
        match_set(&r, MATCH_DESTINATION, set);
        rule_add(c, &r, STATEMENT_ACCEPT, 0);
    }
    pass(c, zone, chain, "redirect");
    for (int v4 = 1; v4 >= 0; v4--)
        for (size_t i = 0; i < 2 && !addr_is_zero(z->redirect_to + v4); i++) {
            r = rule_named(chain, "%s/redirect-%s-%s", z->id, i ? "tcp" : "udp", family_word(v4));
            r.address = z->redirect_to[v4];
            match_family(&r, v4);
            match_port(&r, i ? MATCH_TCP_PORT : MATCH_UDP_PORT, 53);
            if (i)
                match_syn(&r);
            rule_add(c, &r, STATEMENT_DNAT, 0);
        }
}

static bool is_new_interface(const struct policy *p, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(interface_at(p, i), interface_at(p, at)) == 0)
            return false;
    return true;
}

static void write_hairpin(struct compilation *c, int chain)
{
    for (int v4 = 1; v4 >= 0; v4--) {
        char name[RULESET_NAME];
        const char *iface;
        int set;

        snprintf(name, sizeof name, "redirect_targets_%s", family_word(v4));
        set = compiled_targets(c, name, v4);
        for (size_t i = 0; set >= 0 && (iface = interface_at(c->policy, i)) != NULL; i++) {
            struct rule r = rule_named(chain, "hairpin/%s-%s", iface, family_word(v4));

            if (!is_new_interface(c->policy, i))
                continue;
            match_iface(&r, iface);
            match_oiface(&r, iface);
            match_set(&r, MATCH_DESTINATION, set);
            rule_add(c, &r, STATEMENT_MASQUERADE, 0);
        }
    }
}

/* Only of what was given another destination, here or by somebody else, and to our target. */
static void return_by_gateway(struct compilation *c)
{
    int hook = compiled_base_chain(c, "postrouting", NF_INET_POST_ROUTING, PRIORITY_SRCNAT);
    int hairpin = compiled_chain(c, "hairpin");
    struct rule r = rule_named(hook, "postrouting/dns");

    if (!c->error)
        c->r->chains[hook].nat = true;
    match_port(&r, MATCH_PORT, 53);
    match_dnat(&r);
    rule_add(c, &r, STATEMENT_JUMP, hairpin);
    write_hairpin(c, hairpin);
}

int write_redirect(struct compilation *c, uint16_t *chains)
{
    int hook = compiled_base_chain(c, "prerouting", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT);
    int walk = compiled_chain(c, "redirects"), none = compiled_chain(c, "redirect_nothing");
    struct rule r = rule_named(hook, "prerouting/dns");

    if (!c->error)
        c->r->chains[hook].nat = true;
    match_port(&r, MATCH_PORT, 53);
    rule_add(c, &r, STATEMENT_JUMP, walk);
    for (size_t i = 0; i < c->policy->zone_count; i++) {
        char name[RULESET_NAME];

        chains[i] = (uint16_t)none;
        if (c->policy->zones[i].cleartext != ACTION_REDIRECT)
            continue;
        snprintf(name, sizeof name, "redirect_zone_%s", c->policy->zones[i].id);
        chains[i] = (uint16_t)compiled_chain(c, name);
        write_staged(c, (int16_t)i, chains[i], "redirect_rollout", write_zone);
    }
    return_by_gateway(c);
    return walk;
}
