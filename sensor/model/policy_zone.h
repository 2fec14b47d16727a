/* A zone of the policy, and whom of it is enforced first. */
#ifndef SEALDNS_MODEL_POLICY_ZONE_H
#define SEALDNS_MODEL_POLICY_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/names.h"

enum { ZONE_DEFAULT = 0, ZONE_GATEWAY = 1 }; /* always there, before those of the file */

/* Clients whose place in a hundred is below percent, and those that are named. */
struct policy_rollout {
    bool given; /* else all of the zone */
    uint8_t percent;
    struct prefix *clients;
    size_t client_count;
};

struct policy_zone {
    char id[64];
    struct prefix *networks;
    size_t network_count;
    int16_t *approve; /* resolver indices */
    size_t approve_count;
    enum action cleartext, unapproved;
    struct addr redirect_to[2]; /* by family: [0] IPv6, [1] IPv4; zero: of none */
    bool bootstrap;
    bool held;             /* not of the file: its rules only count, see engine/outage.h */
    bool gateway_resolver; /* may ask port 53 of the gateway's own addresses; true unless denied */
    char (*interfaces)[16];
    size_t interface_count;
    uint16_t *vlans;
    size_t vlan_count;
    struct policy_rollout rollout;
    bool logged; /* its queries are, where query_log.some_zones */
};

/* Of the zone's id, so that it is the same after a restart and on every gateway. */
uint32_t rollout_seed(const struct policy_zone *z);
/* The place of an address among a hundred, 0 to 99: what nftables says for `jhash ip[6] saddr mod
 * 100 seed SEED`. */
unsigned rollout_place(const struct addr *client, uint32_t seed);
/* Its rules cut this client, as far as the rollout says; the others are only counted. */
bool rollout_holds(const struct policy_zone *z, const struct addr *client);

#endif
