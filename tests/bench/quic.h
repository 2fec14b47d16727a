/* QUIC version 1 packets: Initials that really decrypt (RFC 9001 section 5), noise after them. */
#ifndef BENCH_QUIC_H
#define BENCH_QUIC_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>

enum { QUIC_CONNECTION_ID = 8, QUIC_DATAGRAM = 1250, QUIC_DATAGRAM_MAX = 1400 };

struct quic_keys;

/* The keys of both directions from the client's first destination connection id; NULL when the
 * library fails. */
struct quic_keys *quic_keys_create(const uint8_t connection_id[QUIC_CONNECTION_ID]);
void quic_keys_destroy(struct quic_keys *keys);

struct initial {
    int from_server;
    const uint8_t *destination; /* of QUIC_CONNECTION_ID bytes, or NULL for an empty one */
    const uint8_t *source;
    uint32_t number;
    const uint8_t *crypto; /* a part of the TLS handshake stream ... */
    size_t offset;         /* ... which begins here ... */
    size_t length;         /* ... and is this long, 0 for an acknowledgement alone */
    size_t size;           /* of the datagram, filled up with PADDING frames */
};

/* Returns the length of the datagram, `initial->size`. */
size_t quic_initial(uint8_t out[QUIC_DATAGRAM_MAX], const struct quic_keys *keys,
                    const struct initial *initial);
/* A Handshake packet of `length` bytes of noise; a connection id that is NULL is empty. Returns its
 * length. */
size_t quic_handshake(uint8_t *out, const uint8_t *destination, const uint8_t *source,
                      size_t length, struct random *r);
/* A 1-RTT packet of noise; an empty connection id when it is NULL. */
size_t quic_short(uint8_t *out, const uint8_t *destination, size_t length, struct random *r);

#endif
