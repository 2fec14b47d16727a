/* What a TLS or QUIC handshake shows to somebody who only listens. A plain value; every text is
 * printable ASCII already (escaped where it was not). */
#ifndef SEALDNS_MODEL_TLS_H
#define SEALDNS_MODEL_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct tls_facts {
    char sni[256];
    char alpn[64];          /* offered, "h2,http/1.1" */
    char alpn_selected[16]; /* by the server, where it is visible (TLS 1.2) */
    char ja3[33];
    char ja3s[33];
    char ja4[40];
    char issuer[128];
    char subject[128];
    uint8_t certificate_sha1[20];
    bool hello_seen; /* a whole ClientHello */
    bool server_hello_seen;
    bool certificate_seen;
    bool ech; /* extension 0xfe0d: GREASE or real (RFC 9849), the SNI is the outer name */
    bool resumed;
    uint16_t version;         /* negotiated, 0x0304 is TLS 1.3; 0: not seen */
    uint16_t version_offered; /* the highest */
    uint16_t cipher;
    uint32_t quic_version;
    nsec_t not_before, not_after;
};

#endif
