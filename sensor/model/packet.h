/* A packet: the innermost IP datagram of a frame, whole (fragments put together). Borrowed: payload
 * is valid during the call. */
#ifndef SEALDNS_MODEL_PACKET_H
#define SEALDNS_MODEL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

enum { IP_PROTO_ICMP = 1, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17, IP_PROTO_ICMPV6 = 58 };

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* The datagram an ICMP error speaks of (RFC 792, RFC 4443): our side is its source. */
struct packet_quote {
    struct addr src, dst;
    uint16_t sport, dport;
    uint8_t proto; /* 0: nothing usable was quoted */
    uint32_t seq;  /* of TCP */
};

struct packet {
    nsec_t time;
    struct addr src, dst;
    uint16_t sport, dport; /* TCP and UDP */
    uint8_t proto;         /* IP_PROTO_ of the innermost header */
    uint8_t ttl;           /* or hop limit */
    uint16_t ip_id;        /* IPv4 */
    uint8_t tcp_flags;
    bool cut; /* the capture's snap length took bytes of the payload */
    uint16_t window;
    uint32_t seq, ack;
    uint8_t icmp_type, icmp_code;
    uint16_t vlan;  /* innermost VLAN id, 0: none */
    uint16_t iface; /* of the frame */
    uint32_t
        tunnel; /* 0, or a number of the tunnel (VNI, key, label): equal inner addresses differ */
    uint32_t wire_length;              /* of the frame */
    uint64_t src_station, dst_station; /* link addresses (EUI-48) as numbers, 0: none known */
    uint32_t payload_length;
    uint32_t payload_missing; /* bytes of payload that were on the wire but not captured */
    const uint8_t *payload;
    struct packet_quote quote; /* of an ICMP error */
};

#endif
