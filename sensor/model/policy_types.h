/* The compiled policy, as values: immutable, swapped whole. conf/ builds it. */
#ifndef SEALDNS_MODEL_POLICY_TYPES_H
#define SEALDNS_MODEL_POLICY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/names.h"
#include "model/policy_detection.h"
#include "model/policy_evidence.h"
#include "model/policy_output.h"
#include "model/policy_privacy.h"
#include "model/policy_sensor.h"
#include "model/policy_web.h"
#include "model/policy_zone.h"

struct policy_address {
    struct addr addr;
    bool shared; /* a CDN's: no proof of the resolver, never to be blocked by address */
};

/* A resolver by identity, also the group within which a fallback counts: all addresses and names of
 * an operator. */
struct policy_resolver {
    char id[64];
    char **names; /* lower case, no final dot; the first is the authentication domain name */
    size_t name_count;
    struct policy_address *addresses;
    size_t address_count;
    uint32_t transports; /* bits 1 << enum transport; do53 sets UDP and TCP */
    char **pins;         /* "sha256/BASE64" */
    size_t pin_count;
    char ca[256];
    bool from_policy; /* else of the catalogue only */
    char catalog[64]; /* the entry of the catalogue that a policy took it from, or "" */
};

struct policy_exception {
    struct prefix client; /* of a station: its place among the addresses */
    uint64_t station;     /* EUI-48 as a number; 0: client tells who */
    int16_t resolver;     /* -1: any, and always of a station */
    nsec_t until;         /* its last nanosecond */
    char owner[64], reason[160];
};

/* What a client is, where the operator knows better than the sensor: bits of enum client_role. */
struct policy_role {
    struct addr address;
    uint8_t roles; /* 0: a client, whatever it looks like */
};

struct policy_index; /* of names, addresses and prefixes */

struct policy {
    char name[64];   /* sensor.name */
    char digest[17]; /* of the text it was made from: the policy version */
    char (*interfaces)[16];
    size_t interface_count;
    enum mode mode;
    enum stand place;
    enum footprint profile;
    uint32_t max_flows;       /* of a capture thread; 0: as the profile has it */
    uint16_t extra_ports[16]; /* watched besides 53, 853, 443 */
    size_t extra_port_count;
    bool remove_on_exit, owner_flag, persist_flag;
    uint16_t log_group; /* NFLOG, of what rules cut; 0: none */
    bool set_only;      /* our table holds the sets; the rules are somebody else's */
    bool preflight, open_on_outage, refused; /* engine/outage.h; refused is not of the file */
    bool tunnels;            /* look into tunnels in live captures too; offline always */
    bool shunt;              /* decided flows stay in the kernel: observe/shunt.h */
    char **internal_domains; /* suffixes of names that only inside resolvers know; lower case */
    size_t internal_domain_count;
    char store_path[256], socket_path[108];
    struct policy_capture capture;
    struct policy_probe probe;
    struct policy_pairs pairs;
    struct policy_peer peer;
    struct policy_evidence evidence;
    struct policy_web web;
    struct policy_query_log query_log;
    struct policy_privacy privacy;
    uint64_t store_max_size;
    nsec_t store_max_age;
    nsec_t store_retention[KIND_COUNT]; /* of events of a kind; 0: as max_age says */
    nsec_t conversation_retention;      /* the same */
    struct policy_resolver *resolvers;  /* the file's, then the catalogue's */
    size_t resolver_count;
    char (*outer_names)[256]; /* public names of ECH (RFC 9849); lower case */
    size_t outer_name_count;
    struct policy_zone *zones;
    size_t zone_count;
    struct policy_exception *exceptions;
    struct policy_mute *mutes; /* of model/mute.h */
    struct policy_role *roles; /* sensor.roles */
    size_t exception_count, mute_count, role_count;
    struct policy_output *outputs;
    struct policy_detection *detections;
    size_t output_count, detection_count;
    struct addr *gateway; /* the gateway's own addresses, told by engine/ at the start */
    size_t gateway_count;
    struct policy_index *index;
};

#endif
