/* One direction of a TCP connection, put in order (RFC 9293 3.4). What fits at once passes through
 * without a copy. What is ahead of a hole is kept, at most STREAM_SEGMENTS segments and
 * STREAM_BYTES bytes a direction, and all streams of an observer together within one budget; a hole
 * is given up when the receiver has acknowledged past it, when these bounds are reached, after
 * STREAM_PATIENCE, or at the end. Worst case in bytes: the budget. */
#ifndef SEALDNS_OBSERVE_STREAM_H
#define SEALDNS_OBSERVE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/packet.h"
#include "model/stats.h"
#include "observe/pool.h"

enum { STREAM_SEGMENTS = 64, STREAM_BYTES = 256 * 1024 };
#define STREAM_PATIENCE NSEC_S

/* In order: `length` bytes, then `missing` ones that the capture does not have. */
struct stream_piece {
    const uint8_t *bytes;
    uint32_t length, missing;
    uint32_t seq;
};

struct stream_reader {
    void (*piece)(void *context, const struct stream_piece *piece);
    void *context;
};

struct segment;

struct stream {
    struct segment *held; /* ahead of a hole, in order */
    nsec_t held_since;
    uint32_t next;  /* the sequence number expected */
    uint32_t acked; /* what the other side has acknowledged, as far as `ack_seen` */
    uint32_t held_bytes;
    uint16_t held_count;
    bool started, ack_seen;
};

/* A SYN was seen: the first byte of data has this number. */
void stream_start(struct stream *s, uint32_t seq);
/* A segment with payload. seq: of its first byte. */
void stream_push(struct stream *s, struct budget *b, const struct packet *p, uint32_t seq,
                 struct stream_reader reader, struct stats *stats);
/* The other side acknowledges everything before ack. */
void stream_acked(struct stream *s, struct budget *b, uint32_t ack, struct stream_reader reader,
                  struct stats *stats);
/* Gives up the first hole. */
void stream_skip(struct stream *s, struct budget *b, struct stream_reader reader,
                 struct stats *stats);
/* Frees what is held, unread. */
void stream_drop(struct stream *s, struct budget *b);

#endif
