#include "classify/quic_initial.h"

#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "classify/hello.h"
#include "classify/quic_keys.h"

enum {
    LONG_HEADER = 0x80,
    CONNECTION_ID_MAX = 20,
    PACKETS_MAX = 8,  /* in one datagram */
    PLAIN_MAX = 2048, /* of one packet; an Initial is held to a path of 1,200 to 1,500 */
    REPLIES_MAX = 3,  /* of the server, in which its hello is looked for */
};
enum frame {
    FRAME_PADDING = 0x00,
    FRAME_PING = 0x01,
    FRAME_ACK = 0x02,
    FRAME_ACK_ECN = 0x03,
    FRAME_CRYPTO = 0x06,
    FRAME_CRYPTO_GOOGLE = 0x08, /* of T050 and T051; a STREAM elsewhere, never in an Initial */
};

struct initial {
    const uint8_t *packet;
    const uint8_t *dcid;
    size_t length, number; /* of the packet; of its packet number in it */
    uint8_t dcid_length;
    bool opens; /* it is an Initial */
};

/* RFC 9000 16. */
static uint64_t varint(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    uint64_t value = first & 0x3f;

    for (unsigned n = (1u << (first >> 6)) - 1; n > 0; n--)
        value = value << 8 | cursor_u8(c);
    return value;
}

void quic_stream_init(struct quic_stream *s, struct tls_facts *facts)
{
    memset(s, 0, sizeof(*s));
    s->facts = facts;
}

void quic_stream_finish(struct quic_stream *s, struct block_pool *pool)
{
    block_return(pool, &s->side[0].block);
    block_return(pool, &s->side[1].block);
}

/* Notes from..to as filled, joined with what it touches. False: too many pieces. */
static bool fill(struct quic_side *side, uint16_t from, uint16_t to)
{
    unsigned i = 0;

    while (i < side->range_count && side->range[i].to < from)
        i++;
    unsigned j = i;

    for (; j < side->range_count && side->range[j].from <= to; j++) {
        from = side->range[j].from < from ? side->range[j].from : from;
        to = side->range[j].to > to ? side->range[j].to : to;
    }
    if (i == j && side->range_count == QUIC_RANGES)
        return false;
    memmove(&side->range[i + 1], &side->range[j], (side->range_count - j) * sizeof(side->range[0]));
    side->range_count = side->range_count - (j - i) + 1;
    side->range[i].from = from;
    side->range[i].to = to;
    return true;
}

static void read_crypto(struct quic_side *side, struct block_pool *pool, struct cursor *c)
{
    uint64_t offset = varint(c);
    uint64_t length = varint(c);
    const uint8_t *bytes = length <= c->left ? cursor_take(c, (size_t)length) : NULL;

    if (!bytes) {
        c->failed = true;
        return;
    }
    if (length == 0 || offset + length > BLOCK_BYTES ||
        (!side->block && !(side->block = block_take(pool))))
        return;
    if (fill(side, (uint16_t)offset, (uint16_t)(offset + length)))
        memcpy(side->block->bytes + offset, bytes, (size_t)length);
}

static void skip_ack(struct cursor *c, uint8_t frame)
{
    varint(c); /* Largest Acknowledged */
    varint(c); /* ACK Delay */
    uint64_t ranges = varint(c);

    varint(c); /* First ACK Range */
    for (uint64_t i = 0; i < 2 * ranges && cursor_ok(c); i++)
        varint(c);
    for (int i = 0; frame == FRAME_ACK_ECN && i < 3; i++)
        varint(c);
}

/* Frames of an Initial (RFC 9000 12.4); at one that has no place in it reading ends. */
static void read_frames(struct quic_side *side, struct block_pool *pool, struct cursor c)
{
    while (c.left > 0 && cursor_ok(&c)) {
        uint8_t frame = cursor_u8(&c);

        if (frame == FRAME_CRYPTO || frame == FRAME_CRYPTO_GOOGLE)
            read_crypto(side, pool, &c);
        else if (frame == FRAME_ACK || frame == FRAME_ACK_ECN)
            skip_ack(&c, frame);
        else if (frame != FRAME_PADDING && frame != FRAME_PING)
            return;
    }
}

/* The side's hello as soon as its bytes are there from the first to the last. */
static void read_hello(struct quic_stream *s, struct block_pool *pool, bool client)
{
    struct quic_side *side = &s->side[client];

    if (side->read || side->range_count == 0 || side->range[0].from != 0)
        return;
    struct cursor c = cursor_over(side->block->bytes, side->range[0].to);
    uint8_t type = cursor_u8(&c);
    struct cursor message = cursor_sub(&c, cursor_u24(&c));

    if (!cursor_ok(&message))
        return;
    if (type == HANDSHAKE_CLIENT_HELLO && client)
        hello_client(message, true, s->facts);
    else if (type == HANDSHAKE_SERVER_HELLO && !client)
        hello_server(message, s->facts);
    side->read = true;
    block_return(pool, &side->block);
    side->range_count = 0;
}

/* The keys come from the client's first packet; after a Retry, or where each packet has an id of
 * its own, from a later one. */
static int open_packet(struct quic_stream *s, bool client, const struct initial *p, uint8_t *plain)
{
    struct quic_keys keys[2];
    int n = SD_ESTATE;

    if (s->keyed)
        n = quic_open(&s->side[client].keys, p->packet, p->length, p->number, plain);
    if (n >= 0 || !client)
        return n;
    quic_keys_derive(s->version, p->dcid, p->dcid_length, &keys[1], &keys[0]);
    n = quic_open(&keys[1], p->packet, p->length, p->number, plain);
    if (n >= 0) {
        s->side[0].keys = keys[0];
        s->side[1].keys = keys[1];
        s->keyed = true;
    }
    return n;
}

static void read_packet(struct quic_stream *s, struct block_pool *pool, bool client,
                        const struct initial *p)
{
    uint8_t plain[PLAIN_MAX];

    /* A client's later packets may be those after a Retry: the server's keys come from them. */
    if ((s->side[client].read && (!client || s->side[0].read)) || p->length > sizeof(plain))
        return;
    int n = open_packet(s, client, p, plain);

    if (n < 0 || s->side[client].read)
        return;
    read_frames(&s->side[client], pool, cursor_over(plain, (size_t)n));
    read_hello(s, pool, client);
}

/* The next packet of a datagram. False: no long header of a known version, or not whole. */
static bool next_packet(struct quic_stream *s, struct cursor *c, struct initial *p)
{
    struct cursor start = *c;
    uint8_t first = cursor_u8(c);
    uint32_t version = cursor_u32(c);

    if (!cursor_ok(c) || !(first & LONG_HEADER))
        return false;
    s->version_seen = version;
    if (!quic_version_known(version))
        return false;
    s->version = version;
    p->packet = start.at;
    p->opens = quic_is_initial(version, first);
    p->dcid_length = cursor_u8(c);
    p->dcid = cursor_take(c, p->dcid_length);
    cursor_skip(c, cursor_u8(c)); /* Source Connection ID */
    if (p->opens) {
        uint64_t token = varint(c);

        cursor_skip(c, token <= c->left ? (size_t)token : c->left + 1);
    }
    uint64_t length = varint(c); /* a Retry has none: it does not open, and ends the datagram */

    p->number = start.left - c->left;
    if (!cursor_ok(c) || p->dcid_length > CONNECTION_ID_MAX || length > c->left)
        return false;
    cursor_skip(c, (size_t)length);
    p->length = start.left - c->left;
    return true;
}

enum quic_progress quic_stream_feed(struct quic_stream *s, struct block_pool *pool,
                                    bool from_client, const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_over(bytes, length);
    struct initial p;

    for (int i = 0; i < PACKETS_MAX && c.left > 0 && next_packet(s, &c, &p); i++)
        if (p.opens)
            read_packet(s, pool, from_client, &p);
    s->replies = (uint8_t)(s->replies + (!from_client && s->replies < REPLIES_MAX));
    if (s->version == 0)
        return QUIC_UNLIKE;
    if (s->facts->quic_version == 0 || from_client)
        s->facts->quic_version = s->version;
    if (s->side[1].read && (s->side[0].read || s->replies == REPLIES_MAX))
        return QUIC_DONE;
    return QUIC_MORE;
}
