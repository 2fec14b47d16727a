/* What a TLS or QUIC handshake shows to somebody who only listens. A plain value; every text is
 * printable ASCII already (escaped where it was not). */
#ifndef SEALDNS_MODEL_TLS_H
#define SEALDNS_MODEL_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum { TLS_CHAIN = 3 };

struct tls_facts {
    char sni[256];
    char alpn[64];          /* offered, "h2,http/1.1" */
    char alpn_selected[16]; /* by the server, where it is visible (TLS 1.2) */
    char ja3[33];
    char ja3s[33];
    char ja4[40];
    char issuer[128];
    char subject[128];
    char certificate_names[192]; /* dNSName and iPAddress of the leaf, with commas between */
    uint8_t certificate_sha1[20];
    uint8_t spki_sha256[TLS_CHAIN][32]; /* of the leaf and those that follow it (RFC 7858 4.2) */
    uint8_t chain;   /* certificates sent; UINT8_MAX: not all of them were read */
    bool hello_seen; /* a whole ClientHello */
    bool server_hello_seen;
    bool certificate_seen;
    bool names_cut;     /* not all names of the certificate stand there */
    bool sni_certified; /* the certificate is for the name that the client asked for */
    bool ech;           /* extension 0xfe0d: real (RFC 9849), or GREASE as most browsers send it */
    bool sni_outer;     /* real it is: sni is a public name that hides another */
    bool resumed;
    uint16_t version;         /* negotiated, 0x0304 is TLS 1.3; 0: not seen */
    uint16_t version_offered; /* the highest */
    uint16_t cipher;
    uint32_t quic_version;
    nsec_t not_before, not_after;
};

#endif
