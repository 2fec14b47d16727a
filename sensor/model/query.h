/* A line of the query log: a DNS message, or many that are alike. A plain value. */
#ifndef SEALDNS_MODEL_QUERY_H
#define SEALDNS_MODEL_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/dns.h"

struct query {
    uint64_t number;     /* no two lines have the same */
    uint64_t flow_id;    /* 0: of several */
    uint64_t count;      /* messages that it stands for */
    nsec_t first, last;  /* of them */
    uint32_t latency_us; /* of a response to its query; 0: unknown */
    uint32_t sample;     /* it is one in so many; 0: of all */
    struct addr client, server;
    uint16_t client_port, server_port; /* client_port 0: several */
    uint16_t iface, vlan;
    uint8_t transport, proto;
    bool response;
    bool sum;    /* one line for all alike; id and flags are of none */
    bool sealed; /* nobody sees what was asked: no question, no rcode */
    uint8_t rcode;
    uint16_t id, flags;
    uint16_t qtype, qclass;
    uint8_t address_count; /* of the answer, where wanted */
    struct addr address[DNS_ADDRESSES];
    uint8_t qname_length; /* 0: no question */
    uint8_t qname[DNS_NAME_WIRE];
};

/* The octets that are in use. */
static inline size_t query_size(const struct query *q)
{
    return offsetof(struct query, qname) + q->qname_length;
}

#endif
