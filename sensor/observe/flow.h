/* The flow table: one compact record for each TCP connection and each UDP five-tuple on a watched
 * port (never for a DNS datagram). What only some flows need hangs from `cold`. */
#ifndef SEALDNS_OBSERVE_FLOW_H
#define SEALDNS_OBSERVE_FLOW_H

#include "base/addr.h"
#include "base/time.h"
#include "model/packet.h"

enum side { SIDE_CLIENT, SIDE_SERVER };

/* Both endpoints in one order, so that a packet of either direction finds the record. */
struct flow_key {
    struct addr low, high;
    uint32_t tunnel;
    uint16_t low_port, high_port;
    uint16_t vlan;
    uint8_t proto;
    uint8_t zero[5];
};

enum flow_stage {
    STAGE_TRYING,  /* SYN or Initial, nothing back yet */
    STAGE_OPEN,    /* the server answered, or the capture begins in the middle */
    STAGE_WORKING, /* FLOW_ESTABLISHED was told */
    STAGE_ENDED    /* lingers for late packets */
};

enum flow_flag {
    CLIENT_LOW = 1, /* the client is the low end of the key */
    TOLD_FAILED = 2,
    TOLD_NAME = 4,   /* FLOW_IDENTIFIED */
    TOLD_COUNTS = 8, /* flows = 1 went out */
    TOLD_CLOSED = 16,
    CLIENT_FIN = 32,
    SERVER_FIN = 64,
    CLIENT_SPOKE = 128, /* sent payload */
    SERVER_SPOKE = 256,
    FROM_START = 512,    /* the SYN or the first Initial was seen */
    NAMED = 1024,        /* the transport is decided */
    COUNTING = 2048,     /* nothing is read any more, only counted */
    BULKY = 4096,        /* it brought the client much at a stretch */
    TOLD_WAITING = 8192, /* FLOW_WAITING, and the server has not spoken since */
    SHUNTED = 16384,     /* the kernel counts its packets (observe/shunt.h) */
    SHUNT_REFUSED = 32768
};

struct flow {
    struct flow_key key;
    nsec_t first;
    struct flow *timer_next, **timer_link;
    struct cold *cold;                     /* of "observe/cold.h" */
    uint32_t due;                          /* tick of the wheel, which may wrap */
    uint32_t rtt_us;                       /* SYN to SYN-ACK, 0: unknown */
    uint32_t told;                         /* tick of the last observation with counts */
    uint32_t last;                         /* tick of the last packet */
    uint32_t isn;                          /* TCP: of the client */
    uint32_t packets, bytes_out, bytes_in; /* since then */
    uint16_t flags;
    uint16_t iface;
    uint8_t station[6];
    uint8_t attempts;
    uint8_t ttl_server;
    uint8_t transport;
    uint8_t identified_by;
    uint8_t confidence;
    uint8_t stage;
};

_Static_assert(sizeof(struct flow) == 128, "the hot part of a flow is two cache lines");

/* *low: the sender is the low end. */
void flow_key_of(const struct packet *p, struct flow_key *key, bool *low);
/* ... of what an ICMP error quotes. */
void flow_key_quoted(const struct packet *p, struct flow_key *key, bool *low);

static inline const struct addr *flow_addr(const struct flow *f, enum side side)
{
    return ((f->flags & CLIENT_LOW) != 0) == (side == SIDE_CLIENT) ? &f->key.low : &f->key.high;
}

static inline uint16_t flow_port(const struct flow *f, enum side side)
{
    return ((f->flags & CLIENT_LOW) != 0) == (side == SIDE_CLIENT) ? f->key.low_port
                                                                   : f->key.high_port;
}

/* Who sent a packet of which `low` is known. */
static inline enum side flow_sender(const struct flow *f, bool low)
{
    return ((f->flags & CLIENT_LOW) != 0) == low ? SIDE_CLIENT : SIDE_SERVER;
}

#endif
