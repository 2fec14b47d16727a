#include "observe/stream.h"

#include <string.h>

struct segment {
    struct segment *next;
    uint32_t seq, length, missing;
    uint8_t bytes[];
};

static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

void stream_start(struct stream *s, uint32_t seq)
{
    s->next = seq;
    s->started = true;
}

/* Hands over what of a segment is new; the segment begins at or before `next`. */
static void deliver(struct stream *s, struct stream_piece piece, struct stream_reader reader)
{
    uint32_t old = s->next - piece.seq;
    uint32_t whole = piece.length + piece.missing;

    if (old >= whole)
        return;
    s->next += whole - old;
    if (old >= piece.length) {
        piece.missing -= old - piece.length;
        piece.length = 0;
    } else {
        piece.bytes += old;
        piece.length -= old;
    }
    piece.seq += old;
    reader.piece(reader.context, &piece);
}

static void release(struct stream *s, struct budget *b)
{
    struct segment *first = s->held;

    s->held = first->next;
    s->held_bytes -= first->length;
    s->held_count--;
    budget_free(b, first, sizeof *first + first->length);
}

/* Hands over what is held and has come into order. */
static void drain(struct stream *s, struct budget *b, struct stream_reader reader)
{
    while (s->held && distance(s->held->seq, s->next) >= 0) {
        struct segment *first = s->held;

        deliver(s, (struct stream_piece){first->bytes, first->length, first->missing, first->seq},
                reader);
        release(s, b);
    }
}

/* From `next` to seq is a hole that nothing will fill. */
static void jump(struct stream *s, uint32_t seq, struct stream_reader reader, struct stats *stats)
{
    stats->tcp_gaps++;
    deliver(s, (struct stream_piece){NULL, 0, seq - s->next, s->next}, reader);
}

void stream_skip(struct stream *s, struct budget *b, struct stream_reader reader,
                 struct stats *stats)
{
    if (!s->held)
        return;
    jump(s, s->held->seq, reader, stats);
    drain(s, b, reader);
}

void stream_drop(struct stream *s, struct budget *b)
{
    while (s->held)
        release(s, b);
}

/* Where a piece belongs among the held ones; NULL: one of them has all of it already. */
static struct segment **place_of(struct stream *s, const struct stream_piece *piece)
{
    struct segment **at = &s->held;
    uint32_t end = piece->seq + piece->length;

    for (; *at && distance((*at)->seq, piece->seq) >= 0; at = &(*at)->next)
        if (distance(end, (*at)->seq + (*at)->length) >= 0)
            return NULL;
    return at;
}

static bool hold(struct stream *s, struct budget *b, const struct stream_piece *piece, nsec_t now)
{
    struct segment **at = place_of(s, piece);
    struct segment *kept;

    if (!at)
        return true;
    if (s->held_count >= STREAM_SEGMENTS || s->held_bytes + piece->length > STREAM_BYTES)
        return false;
    kept = budget_resize(b, NULL, 0, sizeof *kept + piece->length);
    if (!kept)
        return false;
    if (!s->held)
        s->held_since = now;
    *kept = (struct segment){*at, piece->seq, piece->length, piece->missing};
    memcpy(kept->bytes, piece->bytes, piece->length);
    *at = kept;
    s->held_bytes += piece->length;
    s->held_count++;
    return true;
}

/* The receiver has what lies before seq: we have missed it for good. */
static bool acknowledged(const struct stream *s, uint32_t seq)
{
    return s->ack_seen && distance(seq, s->acked) >= 0;
}

static void push_ahead(struct stream *s, struct budget *b, const struct stream_piece *piece,
                       nsec_t now, struct stream_reader reader, struct stats *stats)
{
    if (!s->held && acknowledged(s, piece->seq)) {
        jump(s, piece->seq, reader, stats);
        deliver(s, *piece, reader);
        return;
    }
    if (hold(s, b, piece, now))
        return;
    stats->tcp_overflow++;
    while (s->held)
        stream_skip(s, b, reader, stats);
    if (distance(s->next, piece->seq) > 0)
        jump(s, piece->seq, reader, stats);
    if (distance(piece->seq, s->next) >= 0)
        deliver(s, *piece, reader);
}

void stream_push(struct stream *s, struct budget *b, const struct packet *p, uint32_t seq,
                 struct stream_reader reader, struct stats *stats)
{
    struct stream_piece piece = {p->payload, p->payload_length, p->payload_missing, seq};

    if (!s->started)
        stream_start(s, seq);
    if (distance(s->next, seq) > 0) {
        push_ahead(s, b, &piece, p->time, reader, stats);
        return;
    }
    if (distance(s->next, seq + piece.length + piece.missing) <= 0) {
        stats->tcp_retransmitted++;
        return;
    }
    deliver(s, piece, reader);
    if (s->held) {
        stats->tcp_out_of_order++;
        drain(s, b, reader);
    }
}

void stream_acked(struct stream *s, struct budget *b, uint32_t ack, struct stream_reader reader,
                  struct stats *stats)
{
    if (!s->ack_seen || distance(s->acked, ack) > 0)
        s->acked = ack;
    s->ack_seen = true;
    while (s->held && acknowledged(s, s->held->seq))
        stream_skip(s, b, reader, stats);
}
