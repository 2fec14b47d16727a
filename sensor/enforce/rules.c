/* The chains and rules of a policy. The walk of a packet:
 *
 *   forward, input ── port 53, 853, or 443 to a dedicated resolver ──> clients
 *   forward ── 443 of a client paired with the server ──> clients
 *       clients: loopback passes, exceptions pass, then goto the chain of the client's zone
 *   output ── the same ports ──> gateway: local addresses pass, exceptions pass, goto zone_gateway
 *   zone_X: the gateway's own resolver passes, approved resolvers pass, the rest is cut
 *
 * The hooks stand at priority mangle (-150): behind connection tracking, before every filter table
 * (0 and up, firewalld 10), so that neither an accept of established flows nor somebody's silent
 * drop decides before us, and no flow is offloaded past us. No rule asks for a connection's state:
 * what the policy cuts is cut in the middle of a flow too. Only packets to a server's port are
 * looked at; answers never are. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/compile.h"
#include "enforce/draft.h"
#include "enforce/redirect.h"
#include "enforce/sets_only.h"
#include "enforce/staging.h"

#define PRIORITY_MANGLE (-150)
#define PRIORITY_BRIDGE (-210) /* of the family bridge, where filter is -200 */

struct sets { /* numbers; -1: none, [0] IPv6, [1] IPv4 */
    int ports, dedicated[2], excepted[2], pairs[2], stations, paired[2];
};

static bool is_bridge(const struct compilation *c)
{
    return c->policy->place == PLACE_BRIDGE;
}

static void watch_dns(struct compilation *c, int hook, const struct sets *s, int target)
{
    struct rule r = rule_named(hook, "%s/dns", c->error ? "" : c->r->chains[hook].name);

    match_set(&r, MATCH_PORT_SET, s->ports);
    rule_add(c, &r, STATEMENT_JUMP, target);
}

/* 443 is sent on only for addresses that are a resolver's own. */
static void watch(struct compilation *c, int hook, const struct sets *s, int target)
{
    watch_dns(c, hook, s, target);
    for (int v4 = 1; v4 >= 0; v4--) {
        struct rule r =
            rule_named(hook, "%s/doh-%s", c->error ? "" : c->r->chains[hook].name, family_word(v4));

        if (s->dedicated[v4] < 0)
            continue;
        match_port(&r, MATCH_PORT, 443);
        match_set(&r, MATCH_DESTINATION, s->dedicated[v4]);
        rule_add(c, &r, STATEMENT_JUMP, target);
    }
}

static void send_on(struct compilation *c, int chain, const char *id, enum match_kind kind, int set,
                    int target)
{
    struct rule r;

    if (set < 0)
        return;
    r = rule_named(chain, "forward/%s-%s", id, family_word(c->r->sets[set].v4));
    match_set(&r, kind, set);
    rule_add(c, &r, STATEMENT_JUMP, target);
}

/* The same where all the traffic of a network passes: in a chain of its own, so that what is not
 * 443 meets one rule more. A client that was seen to speak DNS to a server that others share goes
 * the same way as to a resolver's own address: its zone decides what is cut. */
static void watch_forward(struct compilation *c, int hook, const struct sets *s, int target)
{
    struct rule r = rule_named(hook, "forward/https");
    int https;

    watch_dns(c, hook, s, target);
    if (s->dedicated[0] < 0 && s->dedicated[1] < 0 && s->paired[0] < 0 && s->paired[1] < 0)
        return;
    https = compiled_chain(c, "https");
    match_port(&r, MATCH_PORT, 443);
    rule_add(c, &r, STATEMENT_JUMP, https);
    for (int v4 = 1; v4 >= 0; v4--) {
        send_on(c, https, "doh", MATCH_DESTINATION, s->dedicated[v4], target);
        send_on(c, https, "paired", MATCH_PAIR, s->paired[v4], target);
    }
}

/* What the gateway itself sends has no link address yet, and no rule that asks for it matches. */
static void except(struct compilation *c, int chain, const struct sets *s)
{
    struct rule station = rule_named(chain, "exceptions/mac");

    for (int v4 = 1; v4 >= 0; v4--) {
        struct rule r = rule_named(chain, "exceptions/client-%s", family_word(v4));

        if (s->excepted[v4] >= 0) {
            match_set(&r, MATCH_SOURCE, s->excepted[v4]);
            rule_add(c, &r, STATEMENT_ACCEPT, 0);
        }
        r = rule_named(chain, "exceptions/resolver-%s", family_word(v4));
        if (s->pairs[v4] >= 0) {
            match_set(&r, MATCH_PAIR, s->pairs[v4]);
            rule_add(c, &r, STATEMENT_ACCEPT, 0);
        }
    }
    if (s->stations >= 0) {
        match_set(&station, MATCH_STATION, s->stations);
        rule_add(c, &station, STATEMENT_ACCEPT, 0);
    }
}

/* From a client to the chain of its zone: of the filter hooks, or of redirection. */
struct way {
    const char *word, *map; /* of names and RULE-IDs */
    int exceptions;         /* chain, 0: none */
    const uint16_t *zones;  /* chain of each */
};

static void find_zone(struct compilation *c, int chain, const char *iface, const struct way *way)
{
    struct rule r;

    for (int v4 = 1; v4 >= 0; v4--) {
        char name[RULESET_NAME];
        int set;

        snprintf(name, sizeof name, "%s%s%s_%s", way->map, *iface ? "_" : "", iface,
                 family_word(v4));
        if ((set = compiled_zone_map(c, name, v4, iface, way->zones)) < 0)
            continue;
        r = rule_named(chain, "%s/zones-%s", way->word, family_word(v4));
        rule_add(c, &r, STATEMENT_ZONES, set);
    }
    r = rule_named(chain, "%s/default", way->word);
    rule_add(c, &r, STATEMENT_GOTO, way->zones[ZONE_DEFAULT]);
}

/* The first zone that names this interface names it for all. */
static bool is_new_interface(const struct policy *p, size_t zone, size_t at)
{
    for (size_t i = 0; i <= zone; i++)
        for (size_t k = 0; k < (i == zone ? at : p->zones[i].interface_count); k++)
            if (strcmp(p->zones[i].interfaces[k], p->zones[zone].interfaces[at]) == 0)
                return false;
    return true;
}

static void clients_behind(struct compilation *c, int clients, const char *iface,
                           const struct way *way)
{
    char name[RULESET_NAME];
    struct rule r = rule_named(clients, "%s/%s", way->word, iface);
    int chain;

    snprintf(name, sizeof name, "%s_%s", way->word, iface);
    chain = compiled_chain(c, name);
    match_iface(&r, iface);
    rule_add(c, &r, STATEMENT_GOTO, chain);
    find_zone(c, chain, iface, way);
}

static void write_clients(struct compilation *c, int chain, const struct way *way)
{
    const struct policy *p = c->policy;
    struct rule r = rule_named(chain, "gateway/loopback");

    match_iface(&r, "lo");
    if (!is_bridge(c))
        rule_add(c, &r, STATEMENT_ACCEPT, 0);
    r = rule_named(chain, "%s/exceptions", way->word);
    if (way->exceptions)
        rule_add(c, &r, STATEMENT_JUMP, way->exceptions);
    for (size_t i = 0; i < p->zone_count; i++)
        for (size_t k = 0; k < p->zones[i].interface_count; k++)
            if (is_new_interface(p, i, k))
                clients_behind(c, chain, p->zones[i].interfaces[k], way);
    find_zone(c, chain, "", way);
}

static void write_gateway(struct compilation *c, int chain, int exceptions, const uint16_t *zones)
{
    struct rule r = rule_named(chain, "gateway/local");

    match_local(&r);
    rule_add(c, &r, STATEMENT_ACCEPT, 0);
    r = rule_named(chain, "gateway/exceptions");
    if (exceptions)
        rule_add(c, &r, STATEMENT_JUMP, exceptions);
    r = rule_named(chain, "gateway/zone");
    rule_add(c, &r, STATEMENT_GOTO, zones[ZONE_GATEWAY]);
}

static bool is_dedicated(const struct compilation *c, int16_t zone, int16_t resolver, bool shared)
{
    (void)c, (void)zone, (void)resolver;
    return !shared;
}

static bool approved_do53(const struct compilation *c, int16_t zone, int16_t resolver, bool shared)
{
    (void)shared;
    return policy_approves_any(c->policy, zone, resolver, TRANSPORTS_CLEAR);
}

static bool approved_dot(const struct compilation *c, int16_t zone, int16_t resolver, bool shared)
{
    (void)shared;
    return policy_approves_any(c->policy, zone, resolver,
                               1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ);
}

/* By whatever transport the zone approves it: 443 is never cut for a resolver that it lists. Shared
 * addresses come here in a pair only. */
static bool approved_doh(const struct compilation *c, int16_t zone, int16_t resolver, bool shared)
{
    const struct policy_zone *z = c->policy->zones + zone;
    bool paired = c->policy->pairs.timeout != 0;

    for (size_t i = 0; (!shared || paired) && i < z->approve_count; i++)
        if (z->approve[i] == resolver)
            return true;
    return false;
}

static const struct service {
    const char *name;
    uint16_t port;
    bool (*approved)(const struct compilation *, int16_t, int16_t, bool);
    const char *udp, *tcp; /* the rest of the RULE-ID */
} services[] = {{"do53", 53, approved_do53, "cleartext-udp", "cleartext-tcp"},
                {"dot", 853, approved_dot, "unapproved-doq", "unapproved-dot"},
                {"doh", 443, approved_doh, "unapproved-doh3", "unapproved-doh2"}};

/* Made with the first chain that uses it. */
static int approved_set(struct compilation *c, int16_t zone, const struct service *s, int v4)
{
    char name[RULESET_NAME];
    int set;

    snprintf(name, sizeof name, "zone_%.63s_%s_%s", c->policy->zones[zone].id, s->name,
             family_word(v4));
    set = c->error ? -1 : ruleset_set_named(c->r, name);
    return set >= 0 ? set : compiled_address_set(c, name, v4, s->approved, zone);
}

static void pass_approved(struct compilation *c, int16_t zone, int chain, const struct service *s)
{
    const char *id = c->policy->zones[zone].id;

    for (int v4 = 1; v4 >= 0; v4--) {
        struct rule r = rule_named(chain, "%s/approved-%s-%s", id, s->name, family_word(v4));
        int set = approved_set(c, zone, s, v4);

        if (set < 0)
            continue;
        match_port(&r, MATCH_PORT, s->port);
        match_set(&r, MATCH_DESTINATION, set);
        rule_add(c, &r, STATEMENT_ACCEPT, 0);
    }
}

static void pass_question(struct bootstrap *b, const char *name, int pattern)
{
    const char *id = b->c->policy->zones[b->zone].id;
    struct rule r = rule_named(b->chain, "%s/bootstrap", id);
    char own[RULESET_NAME];

    if (b->questions < 0) {
        snprintf(own, sizeof own, "bootstrap_%s", id);
        b->questions = compiled_chain(b->c, own);
        match_port(&r, MATCH_UDP_PORT, 53);
        rule_add(b->c, &r, STATEMENT_JUMP, b->questions);
    }
    r = rule_named(b->questions, "%.20s/bootstrap-%.32s", id, name);
    match_set(&r, MATCH_QUESTION, pattern);
    rule_add(b->c, &r, STATEMENT_ACCEPT, 0);
}

/* To the chain of the zone's questions, which two chains may share. */
static void pass_questions(struct compilation *c, int16_t zone, int chain)
{
    const char *id = c->policy->zones[zone].id;
    struct rule r = rule_named(chain, "%s/bootstrap", id);
    char name[RULESET_NAME];
    int own;

    snprintf(name, sizeof name, "bootstrap_%s", id);
    own = c->error ? -1 : ruleset_chain_named(c->r, name);
    if (own < 0) {
        compiled_questions(&(struct bootstrap){
            .c = c, .zone = zone, .chain = chain, .questions = -1, .pass = pass_question});
        return;
    }
    match_port(&r, MATCH_UDP_PORT, 53);
    rule_add(c, &r, STATEMENT_JUMP, own);
}

static void cut(struct compilation *c, int16_t zone, int chain, const struct service *s,
                enum action action)
{
    static const enum statement udp[] = {[ACTION_ALERT] = STATEMENT_COUNT,
                                         [ACTION_REJECT] = STATEMENT_REJECT,
                                         [ACTION_DROP] = STATEMENT_DROP};
    const struct policy_zone *z = c->policy->zones + zone;
    const char *id = z->id;
    struct rule r;

    if (action == ACTION_ALLOW)
        return;
    pass_approved(c, zone, chain, s);
    if (s->port == 53 && z->bootstrap && !redirects_all(z))
        pass_questions(c, zone, chain);
    if (action == ACTION_REDIRECT) {
        write_redirected(c, zone, chain);
        return;
    }
    r = rule_named(chain, "%s/%s", id, s->udp);
    match_port(&r, MATCH_UDP_PORT, s->port);
    rule_add(c, &r, udp[action], 0);
    r = rule_named(chain, "%s/%s", id, s->tcp);
    match_port(&r, MATCH_TCP_PORT, s->port);
    /* A client that meets ICMP alone on TCP may wait for minutes. */
    rule_add(c, &r, udp[action] == STATEMENT_REJECT ? STATEMENT_RESET : udp[action], 0);
}

static void write_zone(struct compilation *c, int16_t zone, int chain)
{
    const struct policy_zone *z = c->policy->zones + zone;
    struct rule r = rule_named(chain, "%s/gateway", z->id);

    if (z->gateway_resolver && zone != ZONE_GATEWAY && !is_bridge(c)) {
        match_local(&r);
        rule_add(c, &r, STATEMENT_ACCEPT, 0);
    }
    cut(c, zone, chain, services, z->cleartext);
    cut(c, zone, chain, services + 1, z->unapproved);
    cut(c, zone, chain, services + 2, z->unapproved);
}

static void make_sets(struct compilation *c, struct sets *s)
{
    static const uint16_t ports[] = {53, 853};
    bool watched = c->r->sets_only;

    s->ports = c->error ? -1 : ruleset_add_set(c->r, "dns_ports", SET_PORT, true);
    if (s->ports < 0 && !c->error)
        c->error = s->ports;
    for (size_t i = 0; i < 2 && !c->error; i++)
        c->error = set_add(c->r->sets + s->ports, &(struct set_element){.port = ports[i]});
    for (size_t i = 0; i < c->policy->zone_count; i++)
        watched |= c->policy->zones[i].unapproved != ACTION_ALLOW;
    s->stations = compiled_exception_stations(c, "excepted_macs");
    for (int v4 = 1; v4 >= 0; v4--) {
        char name[RULESET_NAME];

        snprintf(name, sizeof name, "dedicated_%s", family_word(v4));
        s->dedicated[v4] = watched ? compiled_address_set(c, name, v4, is_dedicated, 0) : -1;
        snprintf(name, sizeof name, "excepted_%s", family_word(v4));
        s->excepted[v4] = compiled_exceptions(c, name, v4);
        snprintf(name, sizeof name, "excepted_pairs_%s", family_word(v4));
        s->pairs[v4] = compiled_exception_pairs(c, name, v4);
        snprintf(name, sizeof name, "paired_%s", family_word(v4));
        s->paired[v4] = compiled_paired(c, name, v4);
    }
}

static bool has_exceptions(const struct sets *s)
{
    return s->excepted[0] >= 0 || s->excepted[1] >= 0 || s->pairs[0] >= 0 || s->pairs[1] >= 0 ||
           s->stations >= 0;
}

/* A bridge's own traffic meets no hook of its rules: only what is forwarded is ours. */
static void write_hooks(struct compilation *c, const struct sets *s, int clients, int gateway)
{
    int forward = compiled_base_chain(c, "forward", NF_INET_FORWARD,
                                      is_bridge(c) ? PRIORITY_BRIDGE : PRIORITY_MANGLE);

    watch_forward(c, forward, s, clients);
    if (is_bridge(c))
        return;
    watch(c, compiled_base_chain(c, "input", NF_INET_LOCAL_IN, PRIORITY_MANGLE), s, clients);
    watch(c, compiled_base_chain(c, "output", NF_INET_LOCAL_OUT, PRIORITY_MANGLE), s, gateway);
}

void compile_sets(struct compilation *c)
{
    struct sets s;

    make_sets(c, &s);
    for (size_t i = 0; i < c->policy->zone_count && !c->error; i++)
        for (int v4 = 1; v4 >= 0; v4--) {
            char name[RULESET_NAME];

            for (size_t k = 0; k < sizeof services / sizeof *services; k++)
                approved_set(c, (int16_t)i, services + k, v4);
            snprintf(name, sizeof name, "zone_%.63s_net_%s", c->policy->zones[i].id,
                     family_word(v4));
            if (i > ZONE_GATEWAY)
                compiled_networks(c, name, v4, (int16_t)i);
        }
    if (!c->error)
        c->error = sets_only_seal(c->r);
}

void compile_rules(struct compilation *c, uint16_t *zones)
{
    int clients = compiled_chain(c, "clients");
    int gateway = is_bridge(c) ? -1 : compiled_chain(c, "gateway");
    struct sets s;
    int exceptions = 0;

    make_sets(c, &s);
    write_hooks(c, &s, clients, gateway);
    if (has_exceptions(&s))
        except(c, exceptions = compiled_chain(c, "exceptions"), &s);
    for (size_t i = 0; i < c->policy->zone_count; i++) {
        char name[RULESET_NAME];

        snprintf(name, sizeof name, "zone_%s", c->policy->zones[i].id);
        zones[i] = (uint16_t)compiled_chain(c, name);
    }
    write_clients(
        c, clients,
        &(struct way){.word = "clients", .map = "zones", .exceptions = exceptions, .zones = zones});
    if (gateway >= 0)
        write_gateway(c, gateway, exceptions, zones);
    for (size_t i = 0; i < c->policy->zone_count; i++)
        write_staged(c, (int16_t)i, zones[i], "rollout", write_zone);
    if (redirects(c->policy)) {
        struct way way = {.word = "redirects",
                          .map = "redirects_zones",
                          .exceptions = exceptions,
                          .zones = zones};
        int walk = write_redirect(c, zones);

        write_clients(c, walk, &way);
    }
}
