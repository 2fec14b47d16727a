/* What account/ writes on an observation, so that it is looked up once for all detectors. A plain
 * value. */
#ifndef SEALDNS_MODEL_NOTE_H
#define SEALDNS_MODEL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

/* Filled in by account/ before any detector sees the observation. */
struct observation_note {
    int16_t zone;     /* index into the policy's zones */
    int16_t resolver; /* index into the policy's resolvers, -1: unknown server */
    bool approved;    /* for this zone and transport */
    uint8_t inside;   /* bits of enum inside */
    uint8_t roles;    /* of the client, bits of enum client_role */
    uint8_t domain;   /* OBSERVE_DNS: where the registrable domain begins in qname; its last octet
                         (the root) when there is none: a public suffix itself, or no question */
    uint32_t who;     /* the client, whatever address it used: a place below CLIENTS_MOST */
    uint32_t tenure;  /* who has the place: another number, never 0, when it went to another */
    bool newcomer;    /* there are many clients, and this one has not been seen before: it has the
                         place    for a moment only */
    uint32_t pair; /* a number below NOTE_PAIRS for client, server, port and transport, from 0 on in
                      the order of their coming. Several may have one, and it may change: who keeps
                      something by it compares the key. 0 where there is no conversation */
    uint64_t domain_hash; /* of the registrable domain, 0: none */
    uint8_t name_class;   /* OBSERVE_DNS: enum name_class of the question (model/known_names.h) */
    bool no_domain;       /* OBSERVE_DNS: the question's last label is no top-level domain's */
    int16_t named;        /* the resolver whose name is asked for: NAME_RESOLVER, else -1 */
};

enum { CLIENTS_MOST = 65536, NOTE_PAIRS = 131072 };

/* Learned from traffic or said by the policy; ROLE_SEVERAL: what the address sends is of several
 * clients (NAT in front of the sensor). */
enum client_role {
    ROLE_GATEWAY = 1,
    ROLE_RECURSIVE = 2,
    ROLE_FORWARDER = 4,
    ROLE_SEVERAL = 8,
    ROLE_SECONDARY = 16 /* may fetch zones; the policy's word only */
};

/* Whose network the two ends are of; see policy_inside(). */
enum inside { INSIDE_CLIENT = 1, INSIDE_SERVER = 2 };

#endif
