/* The client's side of QUIC (RFC 9000) for one question at a time: each on a stream of its own,
 * which ends with it. What a server may make it keep: one answer of ANSWER_BYTES; the library
 * grants it SESSION_OCTETS in all. */
#ifndef SEALDNS_PROBE_QUIC_H
#define SEALDNS_PROBE_QUIC_H

#include "probe/session.h"

/* The handshake, over a socket that is open. Fills in version, cipher, ALPN and what the
 * certificate shows. Faults, as session_ calls; so below. */
int quic_connect(struct session *s, const char *alpn);
/* The question with its two octets of length (RFC 9250 4.2); the answer goes to s->message, without
 * them. Its length, or a fault. */
int quic_ask(struct session *s, const uint8_t *question, size_t length);
/* A word to the server, and all is free. Does nothing without a connection. */
void quic_close(struct session *s);

#endif
