/* UDP on watched ports other than 53: QUIC (RFC 9000), DNSCrypt, or something else. */
#ifndef SEALDNS_OBSERVE_QUIC_H
#define SEALDNS_OBSERVE_QUIC_H

#include "observe/observer.h"

/* What a datagram holds, from its headers (several packets may be coalesced). */
struct quic_sight {
    bool long_header; /* of a version that exists */
    bool initial;
    bool tls13;       /* of a version whose handshake is TLS 1.3 */
    uint32_t whole;   /* bytes of the datagram on the wire */
    uint32_t one_rtt; /* bytes of a short-header packet, 0: none */
    bool chooses;     /* the first long header is of a version: `from` is its sender's choice */
    uint8_t to_length, from_length;
    const uint8_t *to, *from; /* connection ids of the first long header, NULL: there is none */
    const uint8_t *short_id;  /* where the short header's connection id begins */
};

struct quic_sight quic_look(const uint8_t *bytes, size_t length);

/* DNSCrypt: the magic of a resolver's datagram, or the request for its certificate. */
bool quic_is_dnscrypt(const uint8_t *bytes, size_t length);

void quic_packet(struct observer *o, const struct packet *p);
nsec_t quic_check(struct observer *o, struct flow *f);

#endif
