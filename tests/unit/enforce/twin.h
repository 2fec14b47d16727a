/* Random policies over a small world, so that prefixes nest, addresses have two claimants and
 * exceptions overlap all the time. */
#ifndef SEALDNS_TESTS_TWIN_H
#define SEALDNS_TESTS_TWIN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/policy.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static const char *const twin_networks[] = {
    "10.0.0.0/8", "10.1.0.0/16",       "10.1.2.0/24",         "10.1.2.3/32",
    "0.0.0.0/0",  "10.1.3.0/24",       "2001:db8::/32",       "2001:db8:1::/48",
    "::/0",       "2001:db8:1:2::/64", "2001:db8:1:2::3/128", "192.0.2.0/24",
};
static const char *const twin_clients[] = {
    "10.0.0.1",        "10.1.0.1",        "10.1.2.1",
    "10.1.2.3",        "10.1.3.255",      "192.0.2.9",
    "255.255.255.255", "2001:db8::1",     "2001:db8:1::1",
    "2001:db8:1:2::3", "2001:db8:1:2::4", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};
static const char *const twin_servers[] = {
    "10.0.0.53",   "9.9.9.9",         "1.1.1.1",         "203.0.113.53", "198.51.100.53",
    "2620:fe::fe", "2001:db8:53::53", "2606:4700::1111", "192.0.2.1",    "2001:db8::fe",
};
static const char *const twin_gateway[] = {"192.0.2.1", "2001:db8::fe"};
static const char *const twin_ifaces[] = {"lan0", "wlan0", "eth9"};

static inline uint64_t twin_random(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % below;
}

static inline struct addr twin_addr(const char *text)
{
    struct addr a = {.w = {0, 0}};

    if (addr_parse(text, &a) != SD_OK)
        abort();
    return a;
}

static inline struct prefix twin_network(uint64_t *state)
{
    struct prefix p;

    if (prefix_parse(twin_networks[twin_random(state, COUNT_OF(twin_networks))], &p) != SD_OK)
        abort();
    return p;
}

/* redirects: such an action may be one of the five. */
static inline enum action twin_action(uint64_t *state, bool redirects)
{
    static const enum action some[] = {ACTION_ALLOW, ACTION_ALERT, ACTION_REJECT, ACTION_DROP,
                                       ACTION_REDIRECT};

    return some[twin_random(state, COUNT_OF(some) - !redirects)];
}

/* Of one family or both, among the servers. */
static inline void twin_redirect(uint64_t *state, struct policy_zone *z)
{
    size_t count = 1 + twin_random(state, 3);

    while (z->cleartext == ACTION_REDIRECT && count--) {
        struct addr a = twin_addr(twin_servers[twin_random(state, COUNT_OF(twin_servers))]);

        z->redirect_to[addr_is_v4(&a)] = a;
    }
}

/* A percentage, some of the clients, or both. */
static inline void twin_rollout(uint64_t *state, struct policy_rollout *o)
{
    o->given = twin_random(state, 3) == 0;
    o->percent = twin_random(state, 2) ? (uint8_t)twin_random(state, 101) : 0;
    o->client_count = o->given ? twin_random(state, 3) : 0;
    o->clients = calloc(2, sizeof *o->clients);
    for (size_t i = 0; i < o->client_count; i++)
        o->clients[i] = twin_network(state);
}

static inline void twin_zone(uint64_t *state, struct policy_zone *z, size_t number)
{
    snprintf(z->id, sizeof z->id,
             number == 0   ? "default"
             : number == 1 ? "gateway"
                           : "z%zu",
             number);
    z->cleartext = twin_action(state, number != ZONE_GATEWAY);
    z->unapproved = twin_action(state, false);
    twin_redirect(state, z);
    z->gateway_resolver = twin_random(state, 3) != 0;
    z->networks = calloc(4, sizeof *z->networks);
    z->interfaces = calloc(2, sizeof *z->interfaces);
    z->approve = calloc(4, sizeof *z->approve);
    z->network_count = number < 2 ? 0 : twin_random(state, 4);
    for (size_t i = 0; i < z->network_count; i++)
        z->networks[i] = twin_network(state);
    z->interface_count = number < 2 || twin_random(state, 3) ? 0 : 1 + twin_random(state, 2);
    for (size_t i = 0; i < z->interface_count; i++)
        strcpy(z->interfaces[i], twin_ifaces[twin_random(state, 2)]);
    if (number != ZONE_GATEWAY)
        twin_rollout(state, &z->rollout);
    z->approve_count = twin_random(state, 4);
    for (size_t i = 0; i < z->approve_count; i++)
        z->approve[i] = (int16_t)twin_random(state, 4);
}

static inline void twin_resolver(uint64_t *state, struct policy_resolver *r, size_t number)
{
    snprintf(r->id, sizeof r->id, "r%zu", number);
    r->transports = (uint32_t)twin_random(state, 128);
    r->addresses = calloc(4, sizeof *r->addresses);
    r->address_count = twin_random(state, 5);
    for (size_t i = 0; i < r->address_count; i++)
        r->addresses[i] = (struct policy_address){
            .addr = twin_addr(twin_servers[twin_random(state, COUNT_OF(twin_servers))]),
            .shared = twin_random(state, 3) == 0};
}

static inline struct policy *twin_policy(uint64_t *state)
{
    struct policy *p = calloc(1, sizeof *p);

    p->pairs.timeout = 600 * NSEC_S;
    p->zone_count = 2 + twin_random(state, 5);
    p->zones = calloc(p->zone_count, sizeof *p->zones);
    for (size_t i = 0; i < p->zone_count; i++)
        twin_zone(state, p->zones + i, i);
    p->resolver_count = 4;
    p->resolvers = calloc(p->resolver_count, sizeof *p->resolvers);
    for (size_t i = 0; i < p->resolver_count; i++)
        twin_resolver(state, p->resolvers + i, i);
    p->exception_count = twin_random(state, 5);
    p->exceptions = calloc(p->exception_count + 1, sizeof *p->exceptions);
    for (size_t i = 0; i < p->exception_count; i++)
        p->exceptions[i] = (struct policy_exception){
            .client = twin_network(state),
            .resolver = (int16_t)((int)twin_random(state, 5) - 1),
            .until = (nsec_t)(1 + twin_random(state, 4)) * 100 * NSEC_S - 1};
    p->interfaces = calloc(1, sizeof *p->interfaces);
    p->interface_count = 1;
    strcpy(p->interfaces[0], twin_ifaces[0]);
    p->log_group = twin_random(state, 2) ? 853 : 0;
    p->gateway_count = COUNT_OF(twin_gateway);
    p->gateway = calloc(p->gateway_count, sizeof *p->gateway);
    for (size_t i = 0; i < p->gateway_count; i++)
        p->gateway[i] = twin_addr(twin_gateway[i]);
    if (policy_compile(p) != SD_OK)
        abort();
    return p;
}

#endif
