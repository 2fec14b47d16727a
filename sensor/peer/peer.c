#include "peer/peer.h"

#include <nettle/chacha-poly1305.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"

#define SLACK (60 * NSEC_S)

enum {
    HEAD = 4,
    TAG = CHACHA_POLY1305_DIGEST_SIZE,
    FRONT = 8 + 8 + 1 + 1, /* sender, time, counts */
    EVENT = 6 * 8 + 4 + 1,
    PAIR = 2 * 16 + 2 * 8 + 2 * 2 + 2,
};

_Static_assert(HEAD + PEER_NONCE + FRONT + OPEN_EVENTS_AT_ONCE * EVENT + PAIRS_AT_ONCE * PAIR +
                       TAG <=
                   PEER_DATAGRAM,
               "a full one fits");

static const uint8_t head[HEAD] = {'S', 'D', 'P', 1};

void peer_key_make(const void *secret, size_t length, struct peer_key *out)
{
    static const char purpose[] = "sealdns peer 1";
    struct sha256_ctx hash;

    sha256_init(&hash);
    sha256_update(&hash, sizeof purpose, (const uint8_t *)purpose);
    sha256_update(&hash, length, secret);
    sha256_digest(&hash, sizeof out->octets, out->octets);
}

/* Big-endian, as cursors read. */
static uint8_t *put(uint8_t *at, uint64_t value, size_t octets)
{
    for (size_t i = octets; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
    return at + octets;
}

static uint8_t *put_addr(uint8_t *at, const struct addr *a)
{
    memcpy(at, a->b, sizeof a->b);
    return at + sizeof a->b;
}

static uint8_t *put_event(uint8_t *at, const struct open_event *e)
{
    at = put(at, e->rule, 8);
    at = put(at, e->key, 8);
    at = put(at, e->id, 8);
    at = put(at, e->count, 8);
    at = put(at, (uint64_t)e->first, 8);
    at = put(at, (uint64_t)e->last, 8);
    at = put(at, e->revision, 4);
    return put(at, e->state, 1);
}

static uint8_t *put_pair(uint8_t *at, const struct cut_pair *p)
{
    at = put_addr(at, &p->client);
    at = put_addr(at, &p->server);
    at = put(at, p->station, 8);
    at = put(at, p->resolver, 8);
    at = put(at, p->vlan, 2);
    at = put(at, p->iface, 2);
    at = put(at, p->proof, 1);
    return put(at, p->transport, 1);
}

static size_t write_packet(const struct peer_packet *p, uint8_t *out)
{
    uint8_t *at = put(out, p->sender, 8);

    at = put(at, (uint64_t)p->time, 8);
    at = put(at, p->events.count, 1);
    at = put(at, p->pairs.count, 1);
    for (uint32_t i = 0; i < p->events.count; i++)
        at = put_event(at, p->events.event + i);
    for (uint32_t i = 0; i < p->pairs.count; i++)
        at = put_pair(at, p->pairs.pair + i);
    return (size_t)(at - out);
}

size_t peer_seal(const struct peer_key *key, const uint8_t nonce[PEER_NONCE],
                 const struct peer_packet *p, uint8_t out[PEER_DATAGRAM])
{
    struct chacha_poly1305_ctx cipher;
    uint8_t plain[PEER_DATAGRAM], *body = out + HEAD + PEER_NONCE;
    size_t length = write_packet(p, plain);

    memcpy(out, head, HEAD);
    memcpy(out + HEAD, nonce, PEER_NONCE);
    chacha_poly1305_set_key(&cipher, key->octets);
    chacha_poly1305_set_nonce(&cipher, nonce);
    chacha_poly1305_update(&cipher, HEAD, head);
    chacha_poly1305_encrypt(&cipher, length, body, plain);
    chacha_poly1305_digest(&cipher, TAG, body + length);
    return HEAD + PEER_NONCE + length + TAG;
}

static uint64_t take_u64(struct cursor *c)
{
    uint64_t high = cursor_u32(c);

    return high << 32 | cursor_u32(c);
}

static void take_addr(struct cursor *c, struct addr *out)
{
    const uint8_t *b = cursor_take(c, sizeof out->b);

    if (b)
        memcpy(out->b, b, sizeof out->b);
}

static void take_event(struct cursor *c, struct open_event *e)
{
    e->rule = take_u64(c);
    e->key = take_u64(c);
    e->id = take_u64(c);
    e->count = take_u64(c);
    e->first = (nsec_t)take_u64(c);
    e->last = (nsec_t)take_u64(c);
    e->revision = cursor_u32(c);
    e->state = cursor_u8(c);
}

static void take_pair(struct cursor *c, struct cut_pair *p)
{
    take_addr(c, &p->client);
    take_addr(c, &p->server);
    p->station = take_u64(c);
    p->resolver = take_u64(c);
    p->vlan = cursor_u16(c);
    p->iface = cursor_u16(c);
    p->proof = cursor_u8(c);
    p->transport = cursor_u8(c);
}

static int read_packet(const uint8_t *plain, size_t length, struct peer_packet *out)
{
    struct cursor c = cursor_over(plain, length);

    *out = (struct peer_packet){.sender = take_u64(&c)};
    out->time = (nsec_t)take_u64(&c);
    out->events.count = cursor_u8(&c);
    out->pairs.count = cursor_u8(&c);
    if (out->events.count > OPEN_EVENTS_AT_ONCE || out->pairs.count > PAIRS_AT_ONCE)
        return SD_EMALF;
    for (uint32_t i = 0; i < out->events.count; i++)
        take_event(&c, out->events.event + i);
    for (uint32_t i = 0; i < out->pairs.count; i++)
        take_pair(&c, out->pairs.pair + i);
    return cursor_ok(&c) && c.left == 0 ? SD_OK : SD_EMALF;
}

int peer_open(const struct peer_key *key, const uint8_t *bytes, size_t length,
              struct peer_packet *out)
{
    struct chacha_poly1305_ctx cipher;
    uint8_t plain[PEER_DATAGRAM], tag[TAG];
    size_t body;

    if (length < HEAD + PEER_NONCE + TAG || length > PEER_DATAGRAM ||
        memcmp(bytes, head, HEAD) != 0)
        return SD_EPERM;
    body = length - HEAD - PEER_NONCE - TAG;
    chacha_poly1305_set_key(&cipher, key->octets);
    chacha_poly1305_set_nonce(&cipher, bytes + HEAD);
    chacha_poly1305_update(&cipher, HEAD, head);
    chacha_poly1305_decrypt(&cipher, body, plain, bytes + HEAD + PEER_NONCE);
    chacha_poly1305_digest(&cipher, TAG, tag);
    if (!memeql_sec(tag, bytes + length - TAG, TAG))
        return SD_EPERM;
    return read_packet(plain, body, out);
}

bool peer_is_fresh(struct peer_seen *seen, const struct peer_packet *p, uint64_t own, nsec_t now)
{
    nsec_t off = p->time > now ? p->time - now : now - p->time;

    if (p->sender == own || p->time <= 0 || off > SLACK)
        return false;
    /* A clock that was set back is believed once what it sent before is too old to be sent again.
     */
    if (p->time <= seen->time && !time_passed(seen->heard, 2 * SLACK, now))
        return false;
    *seen = (struct peer_seen){.sender = p->sender, .time = p->time, .heard = now};
    return true;
}
