/* What DHCP and router advertisements say: who got which address, and which resolvers the network
 * offers (RFC 2132, RFC 9915, RFC 8106, RFC 9463). A plain value. */
#ifndef SEALDNS_MODEL_LEASE_H
#define SEALDNS_MODEL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/names.h"
#include "model/svcb.h"

enum lease_step {
    LEASE_ASKED,   /* by the client, which says its host name */
    LEASE_OFFERED, /* by a server that the client may not take: DHCP's offer and advertisement */
    LEASE_GIVEN    /* what holds */
};

enum {
    LEASE_NAME = 64,
    LEASE_ADDRESSES = 4,
    LEASE_RESOLVERS = 6,
    LEASE_DESIGNATIONS = 2,
    DESIGNATION_NAME = 128
};

/* An encrypted resolver that the network offers (DNR). */
struct lease_designation {
    char name[DESIGNATION_NAME]; /* the authentication domain name, lower case */
    struct svcb service;         /* its hints: the addresses of the option itself */
};

/* The observation's station is the client's (0 of a router advertisement), its client the first
 * address given, its server who gave it. */
struct lease_observation {
    uint8_t source; /* enum lease_source */
    uint8_t step;   /* enum lease_step */
    uint8_t address_count, resolver_count, designation_count;
    bool more;                            /* there was more of something than is kept */
    uint32_t lifetime_s;                  /* of the first address, 0: unknown */
    uint64_t giver;                       /* link address that the answer came from */
    struct addr address[LEASE_ADDRESSES]; /* of a router advertisement: the prefixes on the link */
    struct addr resolver[LEASE_RESOLVERS];
    char host[LEASE_NAME]; /* "" unknown; printable, lower case, the client's to choose */
    struct lease_designation designation[LEASE_DESIGNATIONS];
};

#endif
