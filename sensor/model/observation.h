/* An observation: what the capture side tells the engine, by value, through a ring. Fixed size, no
 * pointer. Only observation_size() bytes of one need be copied. */
#ifndef SEALDNS_MODEL_OBSERVATION_H
#define SEALDNS_MODEL_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/dns_observation.h"
#include "model/flow_observation.h"
#include "model/lease.h"
#include "model/met_observation.h"
#include "model/names.h"
#include "model/note.h"
#include "model/probe.h"

enum observation_kind {
    OBSERVE_DNS,   /* one DNS message in clear text on a Do53 port */
    OBSERVE_FLOW,  /* a step in the life of a TCP, TLS or QUIC flow on a watched port */
    OBSERVE_PROBE, /* what the sensor found when it asked a resolver itself; client is zero */
    OBSERVE_LEASE, /* what DHCP or a router said; no conversation, seen only by leased() */
    OBSERVE_STRAY, /* a server's datagram, not DNS, to a port from which nobody asked, or the
                      client's ICMP error about one; no conversation, nothing in the union, only
                      strayed() */
    OBSERVE_VPN,   /* a VPN of the client was answered; no conversation, only for vpn_began() */
    OBSERVE_CUT,   /* the kernel has the client's pair with this server (model/pair.h); no
                      conversation, nothing in the union, only for cut() */
    OBSERVE_MET    /* a rule of ours cut or redirected a packet of the client's; no conversation,
                      only for met(); no flow_id */
};

struct observation {
    uint8_t kind;      /* enum observation_kind */
    uint8_t transport; /* enum transport */
    uint8_t proto;     /* IP_PROTO_ */
    uint16_t vlan, iface;
    uint16_t client_port, server_port;
    uint16_t ip_id; /* OBSERVE_DNS: of its packet, IPv4 */
    uint8_t ttl;    /* OBSERVE_DNS: of its packet, or hop limit */
    uint8_t vpn;    /* OBSERVE_VPN: enum vpn */
    nsec_t time;
    struct addr client, server;
    uint64_t flow_id; /* below 2^53 */
    uint32_t bytes;   /* OBSERVE_DNS: of the frame */
    uint64_t station; /* the client's link address (EUI-48) as a number, 0: unknown */
    struct observation_note note;
    union {
        struct dns_observation dns;
        struct flow_observation flow;
        struct probe_observation probe;
        struct lease_observation lease;
        struct met_observation met;
    };
};

/* The name stands last: what is behind it is left out. */
static inline size_t observation_size(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    if (o->kind == OBSERVE_STRAY || o->kind == OBSERVE_CUT)
        return offsetof(struct observation, dns);
    if (o->kind != OBSERVE_DNS)
        return sizeof *o;
    return offsetof(struct observation, dns.message.qname) +
           (m->services ? sizeof m->qname : m->qname_length);
}

/* Where a stage puts what it found out: a ring in the sensor, a call in analyze. */
struct observation_sink {
    void (*put)(void *context, struct observation *o);
    void *context;
    /* Where the next one is best written, as it then need not be copied: any other place will do as
     * well. Asked at the beginning and after every put(). May be NULL. */
    struct observation *(*room)(void *context);
};

#endif
