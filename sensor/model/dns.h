/* A DNS message as the hot path keeps it (RFC 1035 4.1, RFC 6891). A plain value. */
#ifndef SEALDNS_MODEL_DNS_H
#define SEALDNS_MODEL_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define DNS_NAME_WIRE 255
#define DNS_NAME_TEXT 1024 /* 255 octets, each as \DDD */
#define DNS_ADDRESSES 4

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_NULL = 10,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_SVCB = 64,
    DNS_TYPE_HTTPS = 65,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_ANY = 255
};

struct dns_message {
    uint16_t id;
    uint16_t flags;     /* the second word of the header as it is on the wire */
    uint16_t counts[4]; /* question, answer, authority, additional */
    uint16_t qtype, qclass;
    uint16_t length;   /* of the whole message */
    uint16_t udp_size; /* EDNS: requestor's payload size */
    uint8_t rcode;     /* low four bits of the header's */
    bool edns, dnssec_ok, padded;
    bool has_question;
    bool unsound; /* no server takes it (a name over 255 octets or in a loop, an A without address),
                   * but it can be read to its end and counts */
    bool foreign; /* it names servers (NS) of a zone that the question is not in */
    uint8_t services;  /* SVCB records of an answer to a question for SVCB, see model/service.h */
    bool services_cut; /* ... and more that had no room */
    uint8_t soa_count; /* SOA records of the answer section: two end an AXFR */
    uint32_t letters;  /* of the question: a digest of which are upper case, 0: none; by the walk */
    uint32_t digest; /* of the answer section's types and data, whatever their order; by the walk */
    uint8_t address_count; /* of the answer section's A and AAAA records, the first few */
    uint8_t qname_length;  /* octets with the root label; 0: no question */
    struct addr address[DNS_ADDRESSES];
    uint8_t qname[DNS_NAME_WIRE]; /* wire form, lower case; behind it the services */
};

static inline bool dns_is_response(const struct dns_message *m)
{
    return (m->flags & 0x8000) != 0;
}

static inline unsigned dns_opcode(const struct dns_message *m)
{
    return m->flags >> 11 & 15;
}

static inline bool dns_recursion_desired(const struct dns_message *m)
{
    return (m->flags & 0x0100) != 0;
}

static inline bool dns_truncated(const struct dns_message *m)
{
    return (m->flags & 0x0200) != 0;
}

#endif
