#include "observe/quic.h"

#include <string.h>

#include "base/cursor.h"
#include "model/dns.h"
#include "observe/behaviour.h"
#include "observe/classifying.h"
#include "observe/flows.h"
#include "observe/identify.h"
#include "observe/shunt.h"

enum {
    LONG = 0x80,
    FIXED = 0x40,
    TYPE_INITIAL = 0,
    TYPE_RETRY = 3,
    CID_MAX = 20,
    LABELS_MOST = 127
};
enum { INITIAL_LEAST = 1200 }; /* bytes of a client's datagram with an Initial (RFC 9000 14.1) */
#define VERSION_2 0x6b3343cfu  /* RFC 9369 3.2: types are numbered from 1 */

enum { TLS_VERSION_13 = 0x0304 };
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

/* Versions that carry TLS 1.3 (RFC 9001): 1, 2, the drafts, and two that implementers took. */
static bool ietf_version(uint32_t version)
{
    return version == 1 || version == VERSION_2 || version >> 8 == 0xff0000 ||
           version >> 4 == 0xfaceb00 || version >> 8 == 0x543035;
}

/* Versions that are no number at random: those above, Google's own, reserved ones (RFC 9000 15). */
static bool known_version(uint32_t version)
{
    return ietf_version(version) || version >> 8 == 0x513034 || version >> 8 == 0x513035 ||
           version >> 16 == 0xff00 || (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* The two connection ids; false: no header of these versions has such. */
static bool take_ids(struct cursor *c, struct quic_sight *s)
{
    const uint8_t *id[2];
    uint8_t length[2];

    for (int i = 0; i < 2; i++) {
        length[i] = cursor_u8(c);
        id[i] = length[i] > CID_MAX ? NULL : cursor_take(c, length[i]);
        if (!id[i])
            return false;
    }
    if (!s->to) {
        s->to = id[0];
        s->to_length = length[0];
        s->from = id[1];
        s->from_length = length[1];
    }
    return true;
}

/* A long header (RFC 9000 17.2); skips its packet. False: it is none, or the last that can be read.
 */
static bool take_long(struct cursor *c, struct quic_sight *sight)
{
    uint8_t first = cursor_u8(c);
    uint32_t version = cursor_u32(c);
    unsigned type = first >> 4 & 3;

    if (version == VERSION_2)
        type = (type + 3) & 3;
    if ((version != 0 && (!known_version(version) || !(first & FIXED))) || !take_ids(c, sight))
        return false;
    sight->long_header = true;
    sight->chooses |= version != 0; /* else it is the client's, sent back (RFC 9000 17.2.1) */
    sight->tls13 |= ietf_version(version);
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
            if (c.at[0] & FIXED) {
                sight.one_rtt = (uint32_t)c.left;
                sight.short_id = c.at + 1;
            }
            break;
        }
        if (!take_long(&c, &sight))
            break;
    }
    return sight;
}

/* The request for a resolver's certificate: a DNS question for TXT whose first label is "2". */
static bool asks_certificate(struct cursor c)
{
    const uint8_t *first;

    cursor_skip(&c, 4);
    if (cursor_u16(&c) != 1 || !cursor_skip(&c, 6))
        return false;
    first = cursor_take(&c, 2);
    if (!first || first[0] != 1 || first[1] != '2')
        return false;
    for (int label = 0; label < LABELS_MOST; label++) {
        uint8_t length = cursor_u8(&c);

        if (length == 0)
            return cursor_u16(&c) == DNS_TYPE_TXT && cursor_ok(&c);
        if (length > 63 || !cursor_skip(&c, length))
            return false;
    }
    return false;
}

bool quic_is_dnscrypt(const uint8_t *bytes, size_t length)
{
    static const char magic[] = "r6fnvWj8";

    if (length >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0)
        return true;
    return asks_certificate(cursor_over(bytes, length));
}

static void client_sent(struct observer *o, struct flow *f, const struct quic_sight *s)
{
    struct quic_flow *q = &f->cold->quic;

    if (s->initial && s->whole >= INITIAL_LEAST && f->stage == STAGE_TRYING &&
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
        q->tls13 |= s->tls13;
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
    bool quic = c->quic.flags & (QUIC_TRIED | QUIC_REPLIED);

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

    if (c->quic.tls13 && c->facts && c->facts->version == 0)
        c->facts->version = TLS_VERSION_13;
    name(o, f);
    if (f->transport != TRANSPORT_DOQ && f->transport != TRANSPORT_DOH3)
        c->queries = c->responses = 0;
    if (c->quic.flags & QUIC_ANSWERED && f->flags & NAMED && f->transport != TRANSPORT_OTHER)
        tell_established(o, f);
    if (f->transport == TRANSPORT_OTHER || f->transport == TRANSPORT_DNSCRYPT ||
        (f->transport == TRANSPORT_QUIC && f->stage == STAGE_WORKING &&
         c->answer != CLASSIFY_MORE && !behaviour_watches(c)))
        f->flags |= COUNTING;
}

static void take_datagram(struct observer *o, struct flow *f, const struct packet *p,
                          enum side sender)
{
    struct quic_sight sight = quic_look(p->payload, p->payload_length);
    struct stream_piece piece = {p->payload, p->payload_length, p->payload_missing, 0};
    bool proven;

    sight.whole = p->payload_length + p->payload_missing;
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
    if (sight.one_rtt >= MESSAGE_LEAST && f->cold->quic.flags & QUIC_ASKED)
        behaviour_record(o, f, sender, sight.one_rtt);
    proven = proof_datagram(o, f, &sight, sender == SIDE_CLIENT);
    classifying_feed(o, f, p, sender, &piece);
    settle(o, f);
    if (proven && f->transport == TRANSPORT_DOH3)
        tell_progress(o, f); /* its name was told before */
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
    if (f->flags & COUNTING)
        shunt_offer(o, f);
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
