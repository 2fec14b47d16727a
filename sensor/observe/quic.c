#include "observe/quic.h"

#include <string.h>

#include "base/cursor.h"
#include "observe/classifying.h"
#include "observe/flows.h"
#include "observe/identify.h"

enum { LONG = 0x80, FIXED = 0x40, TYPE_INITIAL = 0, TYPE_RETRY = 3, CID_MAX = 20 };
#define VERSION_2 0x6b3343cfu /* RFC 9369 3.2: types are numbered from 1 */

enum { MESSAGE_LEAST = 60 };          /* bytes of a datagram that may hold a query or response */
#define ATTEMPT_APART (100 * NSEC_MS) /* Initials closer than this are one attempt */

/* RFC 9000 16. */
static uint64_t varint(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    uint64_t value = first & 0x3f;

    for (int i = 1; i < 1 << (first >> 6); i++)
        value = value << 8 | cursor_u8(c);
    return value;
}

/* A long header (RFC 9000 17.2); skips its packet. False: it is none, or the last that can be read.
 */
static bool take_long(struct cursor *c, struct quic_sight *sight)
{
    uint8_t first = cursor_u8(c);
    uint32_t version = cursor_u32(c);
    unsigned type = first >> 4 & 3;
    uint8_t cid;

    if (version == VERSION_2)
        type = (type + 3) & 3;
    cid = cursor_u8(c);
    cursor_skip(c, cid);
    if (cid <= CID_MAX) {
        cid = cursor_u8(c);
        cursor_skip(c, cid);
    }
    if (!cursor_ok(c) || cid > CID_MAX || (version != 0 && !(first & FIXED)))
        return false;
    sight->long_header = true;
    if (version == 0 || type == TYPE_RETRY)
        return false;
    if (type == TYPE_INITIAL) {
        sight->initial = true;
        cursor_skip(c, varint(c));
    }
    cursor_skip(c, varint(c));
    return cursor_ok(c);
}

struct quic_sight quic_look(const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_over(bytes, length);
    struct quic_sight sight = {0};

    while (c.left > 0) {
        if (!(c.at[0] & LONG)) {
            if (c.at[0] & FIXED)
                sight.one_rtt = (uint32_t)c.left;
            break;
        }
        if (!take_long(&c, &sight))
            break;
    }
    return sight;
}

bool quic_is_dnscrypt(const uint8_t *bytes, size_t length)
{
    static const char magic[] = "r6fnvWj8", name[] = "\x01"
                                                     "2\x0d"
                                                     "dnscrypt-cert";

    if (length >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0)
        return true;
    return length > 12 + sizeof name && memcmp(bytes + 12, name, sizeof name - 1) == 0;
}

static void client_sent(struct observer *o, struct flow *f, const struct quic_sight *s)
{
    struct quic_flow *q = &f->cold->quic;

    if (s->initial && f->stage == STAGE_TRYING &&
        (!(q->flags & QUIC_TRIED) || o->now - q->tried >= ATTEMPT_APART)) {
        q->tried = o->now;
        f->attempts += f->attempts < UINT8_MAX;
        if (!(q->flags & QUIC_TRIED)) {
            q->flags |= QUIC_TRIED;
            f->flags |= FROM_START;
            tell_opened(o, f);
        }
    }
    if (s->one_rtt == 0 || !(q->flags & QUIC_REPLIED || !(f->flags & FROM_START)))
        return;
    if (!(q->flags & QUIC_ASKED) && f->flags & FROM_START)
        f->cold->handshake_us = (uint32_t)((o->now - f->first) / NSEC_US);
    q->flags |= QUIC_ASKED;
    if (q->waiting_since == 0)
        q->waiting_since = o->now;
    if (s->one_rtt >= MESSAGE_LEAST) {
        q->asked++;
        f->cold->queries++;
    }
}

static void server_sent(struct observer *o, struct flow *f, const struct quic_sight *s)
{
    struct quic_flow *q = &f->cold->quic;

    if (s->long_header) {
        q->flags |= QUIC_REPLIED;
        if (!(q->flags & QUIC_ASKED))
            q->waiting_since = o->now;
    }
    if (s->one_rtt == 0 || !(q->flags & QUIC_ASKED))
        return;
    q->flags |= QUIC_ANSWERED;
    q->waiting_since = 0;
    if (s->one_rtt >= MESSAGE_LEAST && q->answered < q->asked) {
        q->answered++;
        f->cold->responses++;
    }
}

static void name(struct observer *o, struct flow *f)
{
    struct cold *c = f->cold;
    bool hello = c->facts && c->facts->hello_seen;
    bool over = c->answer != CLASSIFY_MORE;
    bool quic = c->quic.flags & (QUIC_TRIED | QUIC_REPLIED) || c->guess == GUESS_QUIC;

    if (!(f->flags & NAMED)) {
        if (c->quic.dnscrypt)
            identify(o, f, SEEN_OTHER);
        else if ((quic && over) || hello)
            identify(o, f, SEEN_QUIC);
        else if (over)
            identify(o, f, SEEN_OTHER);
        else
            return;
    }
    if (over || f->transport < TRANSPORT_TLS)
        tell_identified(o, f);
}

/* Counts are of DNS only. */
static void settle(struct observer *o, struct flow *f)
{
    struct cold *c = f->cold;

    name(o, f);
    if (f->transport != TRANSPORT_DOQ && f->transport != TRANSPORT_DOH3)
        c->queries = c->responses = 0;
    if (c->quic.flags & QUIC_ANSWERED && f->flags & NAMED && f->transport != TRANSPORT_OTHER)
        tell_established(o, f);
    if (f->transport == TRANSPORT_OTHER || f->transport == TRANSPORT_DNSCRYPT ||
        (f->transport == TRANSPORT_QUIC && f->stage == STAGE_WORKING && c->answer != CLASSIFY_MORE))
        f->flags |= COUNTING;
}

static void take_datagram(struct observer *o, struct flow *f, const struct packet *p,
                          enum side sender)
{
    struct quic_sight sight = quic_look(p->payload, p->payload_length);
    struct stream_piece piece = {p->payload, p->payload_length, p->payload_missing, 0};

    if (!f->cold && !observer_warm(o, f))
        return;
    f->cold->reader = READ_QUIC;
    if (sender == SIDE_SERVER && f->ttl_server == 0)
        f->ttl_server = p->ttl;
    if (sender == SIDE_SERVER && f->stage == STAGE_TRYING)
        f->stage = STAGE_OPEN;
    if (quic_is_dnscrypt(p->payload, p->payload_length))
        f->cold->quic.dnscrypt = true;
    if (sender == SIDE_CLIENT)
        client_sent(o, f, &sight);
    else
        server_sent(o, f, &sight);
    classifying_feed(o, f, p, sender, &piece);
    settle(o, f);
    if (f->flags & COUNTING)
        flows_cool(o, f);
}

/* Who sends the first datagram seen: an Initial between two watched ports is a client's. */
static enum side first_sender(const struct observer *o, const struct packet *p)
{
    if (observer_rank(o, p->sport) == observer_rank(o, p->dport) &&
        quic_look(p->payload, p->payload_length).initial)
        return SIDE_CLIENT;
    return flows_sender_by_port(o, p);
}

void quic_packet(struct observer *o, const struct packet *p)
{
    struct flow_key key;
    struct flow *f;
    enum side sender;
    bool low;

    if (p->payload_length == 0)
        return;
    flow_key_of(p, &key, &low);
    f = flows_find(o, &key);
    if (!f)
        f = flows_open(o, &key, p, low, first_sender(o, p));
    sender = flow_sender(f, low);
    flows_count(o, f, p, sender);
    if (f->stage == STAGE_ENDED)
        return;
    f->flags |= sender == SIDE_CLIENT ? CLIENT_SPOKE : SERVER_SPOKE;
    if (!(f->flags & COUNTING))
        take_datagram(o, f, p, sender);
    flows_look(o, f, o->now + (f->cold || f->stage == STAGE_TRYING ? NSEC_S : 30 * NSEC_S));
}

nsec_t quic_check(struct observer *o, struct flow *f)
{
    nsec_t left = f->first + FLOW_ANSWER_TIME - o->now;
    struct fault fault = {.cause = CAUSE_TIMEOUT, .origin = ORIGIN_UNKNOWN};

    if (!f->cold || !(f->flags & FROM_START) || f->stage >= STAGE_WORKING)
        return 60 * NSEC_S;
    if (f->stage == STAGE_OPEN) {
        if (f->cold->quic.waiting_since == 0)
            return 60 * NSEC_S;
        left = f->cold->quic.waiting_since + FLOW_STALL_TIME - o->now;
        fault.cause = CAUSE_NO_ANSWER;
    }
    if (left > 0)
        return left;
    f->cold->quic.waiting_since = 0;
    flows_fail(o, f, &fault);
    return 60 * NSEC_S;
}
