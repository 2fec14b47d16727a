#include "classify/tls_stream.h"

#include <string.h>

#include "base/cursor.h"
#include "classify/hello.h"

enum { MESSAGE_HEADER = 4, RECORD_MAX = 16 * 1024 + 2048 };
enum { ALERT_FATAL = 2 };
enum record_type { RECORD_CCS = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_APPLICATION };

static void drop(struct tls_side *side, struct block_pool *pool)
{
    block_return(pool, &side->block);
    side->have = side->whole = 0;
}

void tls_stream_init(struct tls_stream *s, struct tls_facts *facts)
{
    memset(s, 0, sizeof(*s));
    s->facts = facts;
}

void tls_stream_finish(struct tls_stream *s, struct block_pool *pool)
{
    drop(&s->side[0], pool);
    drop(&s->side[1], pool);
}

/* message: with its header; cut when it is longer than a block. */
static void read_message(struct tls_stream *s, bool from_client, struct cursor message)
{
    uint8_t type = cursor_u8(&message);

    cursor_skip(&message, 3);
    if (type == HANDSHAKE_CLIENT_HELLO && from_client && !s->facts->hello_seen)
        hello_client(message, false, s->facts);
    else if (type == HANDSHAKE_SERVER_HELLO && !from_client && !s->facts->server_hello_seen)
        hello_server(message, s->facts);
    else if (type == HANDSHAKE_CERTIFICATE && !from_client && !s->facts->certificate_seen)
        hello_certificate(message, s->facts);
    else if (type == HANDSHAKE_SERVER_HELLO_DONE && !from_client)
        s->flight_done = true;
}

static uint32_t whole_of(struct cursor c)
{
    cursor_skip(&c, 1);
    return MESSAGE_HEADER + cursor_u24(&c);
}

/* Moves up to n bytes of the chunk behind what the block holds; beyond the block they are counted.
 */
static void keep(struct tls_side *side, struct cursor *chunk, size_t n)
{
    if (n > chunk->left)
        n = chunk->left;
    const uint8_t *bytes = cursor_take(chunk, n);

    if (side->have < BLOCK_BYTES) {
        size_t room = BLOCK_BYTES - side->have;

        memcpy(side->block->bytes + side->have, bytes, n < room ? n : room);
    }
    side->have += (uint32_t)n;
}

static struct cursor kept(const struct tls_side *side)
{
    uint32_t n = side->have < BLOCK_BYTES ? side->have : BLOCK_BYTES;

    return cursor_over(side->block->bytes, n);
}

/* A message that did not lie in one piece. False: no block to be had. */
static bool read_in_block(struct tls_stream *s, struct block_pool *pool, bool from_client,
                          struct cursor *chunk)
{
    struct tls_side *side = &s->side[from_client];

    if (!side->block && !(side->block = block_take(pool)))
        return false;
    if (side->have < MESSAGE_HEADER)
        keep(side, chunk, MESSAGE_HEADER - side->have);
    if (side->have < MESSAGE_HEADER)
        return true;
    if (side->whole == 0)
        side->whole = whole_of(kept(side));
    keep(side, chunk, side->whole - side->have);
    if (side->have < side->whole)
        return true;
    read_message(s, from_client, kept(side));
    drop(side, pool);
    return true;
}

/* Handshake bytes of one record, or of the part of it that this segment holds. */
static bool read_handshake(struct tls_stream *s, struct block_pool *pool, bool from_client,
                           struct cursor chunk)
{
    while (chunk.left > 0) {
        if (!s->side[from_client].block && chunk.left >= MESSAGE_HEADER &&
            whole_of(chunk) <= chunk.left)
            read_message(s, from_client, cursor_sub(&chunk, whole_of(chunk)));
        else if (!read_in_block(s, pool, from_client, &chunk))
            return false;
    }
    return true;
}

static bool is_record(const uint8_t *h)
{
    unsigned length = (unsigned)h[3] << 8 | h[4];

    return h[0] >= RECORD_CCS && h[0] <= RECORD_APPLICATION && h[1] == 3 && h[2] <= 4 &&
           length > 0 && length <= RECORD_MAX;
}

/* Whether records can be followed from here: at the beginning of the stream on little evidence (a
 * first segment may be one octet long), later only on a whole header. */
static bool resembles(const uint8_t *bytes, size_t length, bool fresh)
{
    if (length >= TLS_RECORD_HEADER)
        return is_record(bytes);
    return fresh && length > 0 && bytes[0] == RECORD_HANDSHAKE && (length < 2 || bytes[1] == 3) &&
           (length < 3 || bytes[2] <= 4);
}

/* The header of the next record, which may itself lie in two segments. False: not yet whole. */
static bool read_header(struct tls_side *side, struct cursor *c)
{
    while (side->header_have < TLS_RECORD_HEADER && c->left > 0)
        side->header[side->header_have++] = cursor_u8(c);
    return side->header_have == TLS_RECORD_HEADER;
}

/* A server may warn in the clear, of a name it does not know, and go on (RFC 6066 3). */
static bool is_warning(const uint8_t *header, struct cursor chunk)
{
    return header[0] == RECORD_ALERT && header[3] == 0 && header[4] == 2 &&
           cursor_u8(&chunk) != ALERT_FATAL;
}

static void lose(struct tls_side *side, struct block_pool *pool)
{
    drop(side, pool);
    side->synced = false;
    side->header_have = 0;
    side->left = 0;
}

static void read_records(struct tls_stream *s, struct block_pool *pool, bool from_client,
                         struct cursor c)
{
    struct tls_side *side = &s->side[from_client];

    while (c.left > 0 && !side->over) {
        if (side->left == 0) {
            if (!read_header(side, &c))
                return;
            if (!is_record(side->header)) {
                lose(side, pool);
                return;
            }
            s->once = true;
            side->header_have = 0;
            side->left = (uint16_t)(side->header[3] << 8 | side->header[4]);
        }
        size_t n = side->left < c.left ? side->left : c.left;
        struct cursor chunk = cursor_sub(&c, n);

        side->left = (uint16_t)(side->left - n);
        if (side->header[0] != RECORD_HANDSHAKE)
            side->over |= !is_warning(side->header, chunk);
        else if (!read_handshake(s, pool, from_client, chunk))
            lose(side, pool);
    }
}

/* What of this segment is new; the side is out of step behind a hole. */
static struct cursor advance(struct tls_side *side, struct block_pool *pool, uint32_t seq,
                             const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_over(bytes, length);
    int32_t ahead = (int32_t)(seq - side->next);

    if (side->started && ahead < 0) {
        cursor_skip(&c, (uint32_t)-ahead < length ? (uint32_t)-ahead : length);
    } else if (ahead > 0 && side->started) {
        lose(side, pool);
    }
    if (c.left > 0)
        side->next = seq + (uint32_t)length;
    side->started = true;
    return c;
}

static bool complete(const struct tls_stream *s)
{
    const struct tls_facts *f = s->facts;
    const struct tls_side *client = &s->side[1], *server = &s->side[0];

    if (f->server_hello_seen && f->version >= 0x0304)
        return f->hello_seen || client->over;
    if (f->server_hello_seen)
        return f->certificate_seen || s->flight_done || server->over;
    return server->over || (client->over && !f->hello_seen);
}

enum tls_progress tls_stream_feed(struct tls_stream *s, struct block_pool *pool, int from_client,
                                  uint32_t seq, const uint8_t *bytes, size_t length)
{
    struct tls_side *side = &s->side[from_client != 0];
    bool fresh = !side->started;
    struct cursor c = advance(side, pool, seq, bytes, length);

    if (!side->synced)
        side->synced = resembles(c.at, c.left, fresh);
    if (side->synced)
        read_records(s, pool, from_client != 0, c);
    if (complete(s)) {
        s->facts->resumed |= s->facts->server_hello_seen && s->facts->version < 0x0304 &&
                             !s->facts->certificate_seen && s->side[0].over;
        return TLS_DONE;
    }
    return s->once || side->synced ? TLS_MORE : TLS_UNLIKE;
}
