/* What two gateways with one policy tell each other, as datagrams that nobody else can read, write
 * or play again: ChaCha20-Poly1305 (RFC 8439) with a key of both and a random nonce. No socket and
 * no clock here. */
#ifndef SEALDNS_PEER_PEER_H
#define SEALDNS_PEER_PEER_H

#include <stddef.h>

#include "model/open_event.h"
#include "model/pair.h"

enum { PEER_KEY = 32, PEER_NONCE = 12, PEER_SECRET = 32, PEER_DATAGRAM = 2560 };

/* The key of both, out of a file of at least PEER_SECRET octets. */
struct peer_key {
    uint8_t octets[PEER_KEY];
};
void peer_key_make(const void *secret, size_t length, struct peer_key *out);

struct peer_packet {
    uint64_t sender; /* chosen at random at its start */
    nsec_t time;     /* of its clock; each one later than the one before */
    struct open_event_batch events;
    struct pair_batch pairs;
};

/* nonce: never the same twice under a key. Returns the length. */
size_t peer_seal(const struct peer_key *key, const uint8_t nonce[PEER_NONCE],
                 const struct peer_packet *p, uint8_t out[PEER_DATAGRAM]);
/* SD_EPERM: not sealed with this key; SD_EMALF: sealed, but not as this version does. What is in it
 * is not judged. */
int peer_open(const struct peer_key *key, const uint8_t *bytes, size_t length,
              struct peer_packet *out);

/* Against what was recorded and is sent again: by whom and when the last one was. */
struct peer_seen {
    uint64_t sender;
    nsec_t time, heard;
};
/* True: neither our own, nor older than the last one, nor a minute off our clock; then it is the
 * last one. */
bool peer_is_fresh(struct peer_seen *seen, const struct peer_packet *p, uint64_t own, nsec_t now);

#endif
