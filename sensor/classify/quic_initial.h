/* The Initial packets of a QUIC connection (RFC 9000 17.2.2), which are encrypted with keys that
 * everybody can derive from the first of them (RFC 9001 5.2, RFC 9369 3.3): the hellos out of their
 * CRYPTO frames, in whatever order and however many packets these come. */
#ifndef SEALDNS_CLASSIFY_QUIC_INITIAL_H
#define SEALDNS_CLASSIFY_QUIC_INITIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classify/block.h"
#include "model/tls.h"

enum { QUIC_RANGES = 24, QUIC_KEY = 16, QUIC_IV = 12 };

struct quic_keys {
    uint8_t key[QUIC_KEY], iv[QUIC_IV], hp[QUIC_KEY];
};

struct quic_side {
    struct quic_keys keys;
    struct block *block; /* CRYPTO bytes by their offset */
    unsigned range_count;
    struct {
        uint16_t from, to;
    } range[QUIC_RANGES]; /* of the block that are filled; ascending, apart */
    bool read;            /* its hello */
};

struct quic_stream {
    struct quic_side side[2]; /* [1]: the client's */
    uint32_t version;         /* 0: none that is read here */
    uint32_t version_seen;    /* of the last long header, if it was one */
    bool keyed;               /* the keys are known */
    uint8_t replies;          /* datagrams of the server */
    struct tls_facts *facts;
};

enum quic_progress {
    QUIC_MORE,   /* feed it the next datagram */
    QUIC_DONE,   /* the client's hello is whole; the server's too, or it had its chance */
    QUIC_UNLIKE, /* no long header of a version that is read here */
};

void quic_stream_init(struct quic_stream *s, struct tls_facts *facts);
void quic_stream_finish(struct quic_stream *s, struct block_pool *pool);
enum quic_progress quic_stream_feed(struct quic_stream *s, struct block_pool *pool,
                                    bool from_client, const uint8_t *bytes, size_t length);

#endif
