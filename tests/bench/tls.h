/* TLS 1.3 as it looks on the wire (RFC 8446): true hellos, and records of noise where encryption
 * would be. */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_HELLO_MAX 2048

enum { TLS_RECORD_CCS = 20, TLS_RECORD_HANDSHAKE = 22, TLS_RECORD_APPLICATION = 23 };
enum { TLS_RECORD_HEADER = 5, TLS_RECORD_MAX = 16384 + 17 };

struct hello {
    const char *name;    /* NULL: no SNI */
    const char *alpn[3]; /* ends with NULL */
    bool hybrid;         /* an X25519MLKEM768 key share: more than one segment */
    bool quic;           /* transport parameters, no session id */
};

/* The handshake message, without a record header; returns its length. */
size_t tls_client_hello(uint8_t out[TLS_HELLO_MAX], const struct hello *hello, struct random *r);
size_t tls_server_hello(uint8_t out[TLS_HELLO_MAX], const struct hello *hello, struct random *r);

/* A record around `length` bytes; returns the length of both. `out` may not overlap `body`. */
size_t tls_record(uint8_t *out, uint8_t type, const uint8_t *body, size_t length);
/* An encrypted record whose body is `length` bytes of noise. */
size_t tls_sealed_record(uint8_t *out, size_t length, struct random *r);
size_t tls_change_cipher_spec(uint8_t *out);

#endif
