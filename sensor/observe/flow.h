/* The flow table: one compact record for each TCP connection and each UDP five-tuple on a watched
 * port (never for a DNS datagram). What only some flows need hangs from `cold`. */
#ifndef SEALDNS_OBSERVE_FLOW_H
#define SEALDNS_OBSERVE_FLOW_H

#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/names.h"
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

enum { FLOW_KEY = offsetof(struct flow_key, zero) }; /* what a flow begins with */

/* Of flow.told: ticks of the wheel as far as their bits reach, an hour. A flow with something to
 * tell has told it within a minute. */
enum { FLOW_TOLD = (1 << 17) - 1, FLOW_RTT_MOST = (1 << 24) - 1 };

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
    struct addr low, high; /* as the key has them, down to proto */
    uint32_t tunnel;
    uint16_t low_port, high_port;
    uint16_t vlan;
    uint8_t proto;
    uint8_t ttl_server;
    uint32_t due; /* tick of the wheel, which may wrap */
    nsec_t first;
    struct cold *cold;                   /* of "observe/cold.h" */
    uint32_t timer_next, timer_previous; /* of "observe/wheel.h" */
    uint32_t last;                       /* tick of the last packet */
    uint32_t told : 17;                  /* tick of the last observation with counts */
    uint32_t stage : 3;                  /* enum flow_stage */
    uint32_t transport : 4;
    uint32_t identified_by : 8;
    uint32_t rtt_us : 24; /* SYN to SYN-ACK, FLOW_RTT_MOST or more; 0: unknown */
    uint32_t attempts : 8;
    uint32_t isn;                          /* TCP: of the client */
    uint32_t packets, bytes_out, bytes_in; /* since they were told */
    uint16_t flags;
    uint16_t iface;
    uint8_t station[6];
    uint8_t confidence;
};

_Static_assert(offsetof(struct flow, ttl_server) == FLOW_KEY, "a flow begins with its key");
_Static_assert(TRANSPORT_COUNT <= 16, "a transport has four bits");
_Static_assert(sizeof(struct flow) == 112, "with its share of the index a flow takes 128 bytes");

/* The key of this flow. */
struct flow_key flow_key_again(const struct flow *f);
/* *low: the sender is the low end. */
void flow_key_of(const struct packet *p, struct flow_key *key, bool *low);
/* ... of what an ICMP error quotes. */
void flow_key_quoted(const struct packet *p, struct flow_key *key, bool *low);

static inline const struct addr *flow_addr(const struct flow *f, enum side side)
{
    return ((f->flags & CLIENT_LOW) != 0) == (side == SIDE_CLIENT) ? &f->low : &f->high;
}

static inline uint16_t flow_port(const struct flow *f, enum side side)
{
    return ((f->flags & CLIENT_LOW) != 0) == (side == SIDE_CLIENT) ? f->low_port : f->high_port;
}

/* Who sent a packet of which `low` is known. */
static inline enum side flow_sender(const struct flow *f, bool low)
{
    return ((f->flags & CLIENT_LOW) != 0) == low ? SIDE_CLIENT : SIDE_SERVER;
}

#endif
