/* The handshake of one TLS connection over TCP, read from its records (RFC 8446 5.1) as they come,
 * in the order of the stream. Messages that pass through whole are read where they lie; only what
 * spans segments or records is kept, in blocks of a bounded pool. */
#ifndef SEALDNS_CLASSIFY_TLS_STREAM_H
#define SEALDNS_CLASSIFY_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classify/block.h"
#include "model/tls.h"

enum { TLS_RECORD_HEADER = 5 };

struct tls_side {
    uint32_t next; /* the sequence number expected */
    bool started;  /* a segment of this side was seen */
    bool synced;   /* and its records are being followed */
    bool over;     /* it went on to encryption, or ended in an alert */
    uint8_t header_have;
    uint8_t header[TLS_RECORD_HEADER];
    uint16_t left; /* of the record */
    struct block *block;
    uint32_t have, whole; /* of the message in the block; whole counts its header */
};

struct tls_stream {
    struct tls_side side[2]; /* [1]: the client's */
    bool flight_done;        /* ServerHelloDone */
    bool once;               /* records of either side were followed, be it up to a hole */
    struct tls_facts *facts;
};

enum tls_progress {
    TLS_MORE,   /* feed it the next segment */
    TLS_DONE,   /* what can be read has been */
    TLS_UNLIKE, /* no side speaks TLS so far */
};

void tls_stream_init(struct tls_stream *s, struct tls_facts *facts);
void tls_stream_finish(struct tls_stream *s, struct block_pool *pool);
/* One segment. What was fed before is skipped; behind a hole the next record is looked for at the
 * beginning of a segment. from_client: 0 or 1. */
enum tls_progress tls_stream_feed(struct tls_stream *s, struct block_pool *pool, int from_client,
                                  uint32_t seq, const uint8_t *bytes, size_t length);

#endif
