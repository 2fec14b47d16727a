/* One conversation of a probe with one server: a socket, TLS over it where the transport has it,
 * and what is written down meanwhile. A transport is one file with one struct probe_transport and
 * one word in PROBES (sensor/CMakeLists.txt). */
#ifndef SEALDNS_PROBE_SESSION_H
#define SEALDNS_PROBE_SESSION_H

#include <openssl/ssl.h>

#include "probe/probe.h"
#include "probe/question.h"
#include "probe/wire.h"

enum { SESSION_OCTETS = 512 * 1024 }; /* that a server may send in one session */

struct http2;
struct quic;

struct session {
    const struct probe_target *target;
    struct wire wire;
    SSL_CTX *context;
    SSL *tls;
    struct http2 *http2;
    struct quic *quic;
    bool get; /* DoH: by GET, else by POST */
    size_t received;
    nsec_t asked; /* when the question went out */
    struct probe_observation *out;
    uint8_t message[ANSWER_BYTES + 1];
};

struct probe_transport {
    enum transport transport;
    bool one_version; /* of TLS: there is no other to try */
    /* Both write faults and error of out; SD_OK or any error. */
    int (*open)(struct session *s);
    int (*ask)(struct session *s, const struct question *q, struct answer *a);
};

/* Generated from the list: NULL-terminated. */
extern const struct probe_transport *const probe_transports[];

void session_start(struct session *s, const struct probe_target *t, const struct probe_terms *terms,
                   struct probe_observation *out);
void session_end(struct session *s);

/* A fault, and the first time also the sentence that says it. Returns SD_ENET. */
int session_fail(struct session *s, enum resolver_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What was waited for did not come: status is SD_EAGAIN or, of the system's errno, SD_ENET. */
int session_fault(struct session *s, enum resolver_fault fault, int status, const char *what);
/* The server's socket. Faults as above. */
int session_connect(struct session *s, int type);
/* Through TLS where there is one. At least one octet, or a fault. */
int session_read(struct session *s, void *to, size_t size);
int session_write(struct session *s, const void *from, size_t length);
/* The answer has come: its latency. */
void session_answered(struct session *s, const struct answer *a);
/* Messages with two octets of length before them (RFC 1035 4.2.2). */
int session_ask_stream(struct session *s, const struct question *q, struct answer *a);

/* tls.c: a handshake over the open socket. alpn: in wire form, NULL: none. Fills in version,
 * cipher, ALPN and what the certificate shows. */
int tls_open(struct session *s, const unsigned char *alpn, unsigned alpn_length);
int tls_read(struct session *s, void *to, size_t size);
int tls_write(struct session *s, const void *from, size_t length);
void tls_close(struct session *s);
/* Whether a server ends a handshake of exactly this version; a connection of its own. */
bool tls_accepts(const struct probe_target *t, const struct wire *terms, unsigned version);
/* The suite that a server takes when only weak ones are offered, into out; false: none. */
bool tls_accepts_weak(const struct probe_target *t, const struct wire *terms, char *out,
                      size_t size);

/* certificate.c: who the server proves to be by its own certificate (NULL: it showed none) and what
 * it sent along. Both stay the caller's. */
void certificate_check(struct session *s, X509 *leaf, STACK_OF(X509) * sent);

#endif
