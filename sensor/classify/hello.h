/* The handshake messages that a listener can read (RFC 8446 4, RFC 5246 7.4): pure, over one whole
 * message without its four octets of header. */
#ifndef SEALDNS_CLASSIFY_HELLO_H
#define SEALDNS_CLASSIFY_HELLO_H

#include "base/cursor.h"
#include "model/tls.h"

enum handshake_type {
    HANDSHAKE_CLIENT_HELLO = 1,
    HANDSHAKE_SERVER_HELLO = 2,
    HANDSHAKE_CERTIFICATE = 11,
    HANDSHAKE_SERVER_HELLO_DONE = 14,
    HANDSHAKE_FINISHED = 20,
};

/* The numbers of a hello in their order, without GREASE (RFC 8701): what fingerprints are made of.
 * More than fit are counted but not kept. */
#define HELLO_NUMBERS 256
struct hello_numbers {
    unsigned count;
    uint16_t number[HELLO_NUMBERS];
};

struct hello_print {
    uint16_t version; /* of the message's head */
    bool quic, named; /* over QUIC; with a server name */
    uint16_t best_version;
    char alpn_first, alpn_last; /* of the first protocol offered, '0' when none */
    struct hello_numbers ciphers, extensions, groups, formats, signatures;
};

static inline bool hello_is_grease(uint16_t number)
{
    return (number & 0x0f0f) == 0x0a0a && (number >> 8) == (number & 0xff);
}

static inline void hello_number(struct hello_numbers *n, uint16_t number)
{
    if (n->count < HELLO_NUMBERS)
        n->number[n->count] = number;
    n->count++;
}

/* Both fill *out and are SD_EMALF when the message does not hold what its lengths say; what was
 * read before is kept. */
int hello_client(struct cursor message, bool quic, struct tls_facts *out);
int hello_server(struct cursor message, struct tls_facts *out);
/* A Certificate message of TLS 1.2 and before: the leaf. SD_EMALF as above. */
int hello_certificate(struct cursor message, struct tls_facts *out);

/* JA3, and JA4 for a ClientHello; JA3S for a ServerHello. */
void hello_ja3(const struct hello_print *print, char out[33]);
void hello_ja4(const struct hello_print *print, char out[40]);
void hello_ja3s(const struct hello_print *print, char out[33]);

#endif
