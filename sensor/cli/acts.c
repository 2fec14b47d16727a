#include "cli/acts.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "enforce/evaluate.h"
#include "engine/control.h"
#include "engine/gateway.h"

enum { PATIENCE_MS = 3000 };

struct asking {
    const struct policy *policy;
    const struct ruleset *rules;
    const struct addr *client;
    uint64_t station;
    int16_t zone;
};

/* A resolver's own address on which the zone's rules act, or NULL. */
static const struct addr *cut_address(const struct asking *a, const char **whose)
{
    const struct policy *p = a->policy;

    for (size_t r = 0; r < p->resolver_count; r++)
        for (size_t i = 0; i < p->resolvers[r].address_count; i++) {
            const struct policy_address *at = p->resolvers[r].addresses + i;

            *whose = p->resolvers[r].id;
            if (!at->shared && addr_is_v4(&at->addr) == addr_is_v4(a->client) &&
                !policy_approves_any(p, a->zone, (int16_t)r, TRANSPORTS_SEALED))
                return &at->addr;
        }
    return NULL;
}

static const struct rule *rule_for(const struct asking *a, const struct addr *server, uint16_t port,
                                   uint8_t protocol)
{
    struct evaluated_packet p = {.protocol = protocol,
                                 .iface = "",
                                 .source = *a->client,
                                 .destination = *server,
                                 .port = port,
                                 .station = a->station};

    return ruleset_acting(a->rules, a->policy, &p);
}

static void say_action(const struct rule *r, enum action zone)
{
    char text[ADDR_TEXT];

    if (!r && zone > ACTION_ALERT)
        printf("passes, and is counted");
    else if (!r)
        printf("passes, the zone says %s", action_name(zone));
    else if (r->statement == STATEMENT_DNAT)
        printf("redirect to %s, rule %s", addr_text(&r->address, text), r->id);
    else if (r->statement == STATEMENT_ACCEPT)
        printf("passes, rule %s", r->id);
    else
        printf("%s, rule %s", r->statement == STATEMENT_DROP ? "drop" : "reject", r->id);
}

static void print_one(const struct asking *a, enum transport t, uint16_t port)
{
    const struct policy_zone *z = a->policy->zones + a->zone;
    bool udp = t == TRANSPORT_DO53_UDP || t == TRANSPORT_DOQ || t == TRANSPORT_DOH3;
    const char *whose = "";
    struct addr stranger;
    const struct addr *server = &stranger;
    const struct rule *rule;
    char text[ADDR_TEXT];

    /* Addresses that are nobody's: reserved (RFC 1112 4) and discard-only (RFC 6666). */
    addr_parse(addr_is_v4(a->client) ? "240.0.0.1" : "100::1", &stranger);
    if (port == 443)
        server = cut_address(a, &whose);
    printf("    %-9s port %-4u", transport_name(t), port);
    if (!server) {
        printf("passes: no address is known that is an unapproved resolver's own\n");
        return;
    }
    rule = rule_for(a, server, port, udp ? IPPROTO_UDP : IPPROTO_TCP);
    say_action(rule, port == 53 ? z->cleartext : z->unapproved);
    if (rule && rule->statement != STATEMENT_ACCEPT && port == 443)
        printf("; only at addresses that are a resolver's own, such as %s of %s",
               addr_text(server, text), whose);
    putchar('\n');
}

/* What the zone lets through all the same. */
static void print_open(const struct policy *p, const struct policy_zone *z, int16_t zone)
{
    if (z->gateway_resolver && zone != ZONE_GATEWAY)
        printf("    always    the gateway's own resolver\n");
    if (z->bootstrap && z->cleartext >= ACTION_REDIRECT)
        printf("    bootstrap do53-udp for the names of approved resolvers\n");
    for (size_t i = 0; i < p->zone_count; i++)
        if (p->zones[i].interface_count) {
            printf("    (by its address alone: zone %s also goes by interface)\n", p->zones[i].id);
            return;
        }
}

void acts_print(const struct policy *p, const struct addr *client, uint64_t station)
{
    static const struct {
        enum transport transport;
        uint16_t port;
    } ways[] = {{TRANSPORT_DO53_UDP, 53}, {TRANSPORT_DO53_TCP, 53}, {TRANSPORT_DOT, 853},
                {TRANSPORT_DOQ, 853},     {TRANSPORT_DOH2, 443},    {TRANSPORT_DOH3, 443}};
    struct asking a = {.policy = p,
                       .client = client,
                       .station = station,
                       .zone = policy_zone_of(p, client, "", 0)};
    char error[ENFORCE_ERROR];
    struct ruleset *rules;

    if (ruleset_compile(p, MODE_ENFORCE, clock_now(), &rules, error) != SD_OK) {
        printf("  no rules can be made of the policy: %s\n", error);
        return;
    }
    a.rules = rules;
    printf("  in mode enforce, to a server that the zone does not approve:\n");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        print_one(&a, ways[i].transport, ways[i].port);
    print_open(p, p->zones + a.zone, a.zone);
    ruleset_destroy(rules);
}

static bool names(const struct policy_exception *e, const char *addresses, uint64_t station,
                  int16_t resolver)
{
    const char *at = addresses;
    struct addr one;
    char word[ADDR_TEXT];

    if (resolver >= 0)
        return e->resolver == resolver;
    if (e->station)
        return e->station == station;
    for (size_t length; *(at += strspn(at, " ")); at += length) {
        length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (addr_parse(word, &one) == SD_OK && prefix_holds(&e->client, &one))
            return true;
    }
    return false;
}

void acts_exceptions(const struct policy *p, const char *addresses, uint64_t station,
                     int16_t resolver)
{
    char who[ADDR_TEXT + 4], until[TIME_TEXT];

    for (size_t i = 0; i < p->exception_count; i++) {
        const struct policy_exception *e = p->exceptions + i;

        if (!names(e, addresses, station, resolver))
            continue;
        printf("  exception of %s%s%s until %s%s, by %s: %s\n", policy_exception_text(e, who),
               e->resolver >= 0 ? " for " : "",
               e->resolver >= 0 ? p->resolvers[e->resolver].id : "", time_text(e->until, until),
               e->until < clock_now() ? " (ended)" : "", e->owner, e->reason);
    }
}

static bool is_held(const json_t *rules, const char *zone)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(rules, "zones_held"), i, one)
    {
        if (strcmp(json_string_value(one), zone) == 0)
            return true;
    }
    return false;
}

void acts_running(const struct policy *p, int16_t zone)
{
    json_t *request = json_pack("{s:s}", "command", "status");
    json_t *status = control_ask(p->socket_path, request, PATIENCE_MS);
    const json_t *rules = json_object_get(status, "rules");
    const char *mode = json_string_value(json_object_get(status, "mode"));

    if (!mode) {
        printf("  mode in the policy: %s; no sensor answers on %s\n", mode_name(p->mode),
               p->socket_path);
    } else {
        printf("  mode of the running sensor: %s, rules %s%s\n", mode,
               json_is_true(json_object_get(rules, "installed")) ? "installed" : "not installed",
               json_is_true(json_object_get(rules, "drifted")) ? ", not as the policy says" : "");
        if (zone >= 0 && is_held(rules, p->zones[zone].id))
            printf("  the zone %s is held: none of its approved resolvers answers, its rules only "
                   "count\n",
                   p->zones[zone].id);
    }
    json_decref(request);
    json_decref(status);
}
