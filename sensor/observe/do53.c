#include "observe/do53.h"

#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/hash.h"
#include "observe/stray.h"
#include "observe/tell.h"

enum { HEADER = 12 };
enum { SAID = 0x040f }; /* AA and RCODE: of the flags, what an answer says */

/* What carried a message. Not always the packet in hand: a segment may have waited for others. */
struct carrier {
    struct observer *o;
    struct flow *flow; /* TCP */
    const struct packet *packet;
    const struct addr *src, *dst;
    uint64_t tuple; /* hash of the five-tuple, equal for both directions */
    uint64_t src_station, dst_station;
    uint16_t sport, dport;
    uint8_t transport;
};

/* A message cut by the capture counts by its header. */
static void header_only(const uint8_t *bytes, uint32_t whole, struct dns_message *m)
{
    struct cursor c = cursor_over(bytes, HEADER);

    memset(m, 0, sizeof *m);
    m->id = cursor_u16(&c);
    m->flags = cursor_u16(&c);
    for (int i = 0; i < 4; i++)
        m->counts[i] = cursor_u16(&c);
    m->rcode = m->flags & 15;
    m->length = (uint16_t)(whole > UINT16_MAX ? UINT16_MAX : whole);
}

/* A cut message whose records would pass even its announced end. What is missing reads as zeros,
 * which are empty records. */
static bool overruns(struct observer *o, const uint8_t *bytes, uint32_t present, uint32_t whole)
{
    uint8_t *padded;
    int error;

    if (whole > UINT16_MAX || !(padded = budget_resize(&o->stream_bytes, NULL, 0, whole)))
        return false;
    memcpy(padded, bytes, present);
    memset(padded + present, 0, whole - present);
    error = o->ops->dns_message(padded, whole, &o->out->dns.message);
    budget_free(&o->stream_bytes, padded, whole);
    return error == SD_ETRUNC;
}

static bool parse(struct observer *o, const uint8_t *bytes, uint32_t present, uint32_t whole)
{
    struct dns_message *m = &o->out->dns.message;

    if (o->ops->dns_message(bytes, present, m) == 0)
        return true;
    if (present == whole || present < HEADER || overruns(o, bytes, present, whole))
        return false;
    header_only(bytes, whole, m);
    return true;
}

static uint64_t question_of(const struct dns_message *m, uint64_t qname_hash)
{
    return m->has_question ? hash_mix(qname_hash, m->qtype) | 1 : 0;
}

/* asked: something was, on this five-tuple. */
static enum answer_match match_of(const struct transaction_answer *a, bool asked)
{
    if (a->matched)
        return ANSWER_MATCHED;
    if (a->again)
        return ANSWER_AGAIN;
    if (a->other)
        return ANSWER_WRONG_QUESTION;
    if (a->late)
        return ANSWER_LATE;
    return asked ? ANSWER_WRONG_ID : ANSWER_UNASKED;
}

static void match(struct observer *o, const struct carrier *c, struct dns_observation *d,
                  bool asked)
{
    uint64_t who = hash_mix(c->tuple, d->message.id);
    uint64_t question = question_of(&d->message, d->qname_hash);
    struct transaction_response said = {
        .digest = (uint32_t)hash_mix(d->message.digest, d->message.flags & SAID),
        .letters = d->message.letters,
        .ttl = c->packet->ttl};
    struct transaction_answer a;

    if (!dns_is_response(&d->message)) {
        d->retried = transaction_ask(o->transactions, who,
                                     (struct transaction_question){question, d->message.letters},
                                     c->packet->time, o->stats);
        o->stats->dns_retried += d->retried;
        o->stats->dns_queries++;
        return;
    }
    o->stats->dns_responses++;
    a = transaction_answer(o->transactions, who, question, said);
    /* A zone is sent in as many messages as it needs (RFC 5936 2.2). */
    o->stats->dns_unmatched += !a.matched && !(a.again && c->flow);
    d->answered = a.matched;
    d->match = (uint8_t)match_of(&a, asked);
    d->question_ok = a.question_ok;
    d->mixed_case = a.mixed_case;
    d->case_differs = a.case_differs;
    d->surplus = a.surplus;
    d->differs = a.differs;
    d->first_ttl = a.first_ttl;
    if (a.asked && c->packet->time > a.asked)
        d->latency_us = (uint32_t)((c->packet->time - a.asked) / NSEC_US);
}

/* The sender of a query is the client, by the QR bit: ports do not tell when both are 53. The
 * server's port is 53 even when a response was sent to it. */
static void address(struct observation *out, const struct carrier *c, bool response)
{
    uint16_t source = response ? c->dport : c->sport, target = response ? c->sport : c->dport;

    out->client = response ? *c->dst : *c->src;
    out->server = response ? *c->src : *c->dst;
    out->client_port = target == PORT_DNS ? source : target;
    out->server_port = PORT_DNS;
    out->station = response ? c->dst_station : c->src_station;
}

/* o->out->dns.message is filled; everything before it is not. */
static void tell_message(struct observer *o, const struct carrier *c)
{
    const struct packet *p = c->packet;
    struct observation *out = tell_begin(o, OBSERVE_DNS, p);
    struct dns_observation *d = &out->dns;
    struct seen_before before = {.asked = true};

    memset(d, 0, offsetof(struct dns_observation, message));
    out->transport = c->transport;
    out->flow_id = c->tuple & TELL_FLOW_ID;
    address(out, c, dns_is_response(&d->message));
    d->qname_hash = hash_bytes(d->message.qname, d->message.qname_length, o->seed);
    if (!c->flow) {
        out->bytes = p->wire_length;
        before = seen_message(o->seen, c->tuple, (uint32_t)(p->time / NSEC_S),
                              !dns_is_response(&d->message));
        d->new_flow = before.first;
    }
    match(o, c, d, before.asked);
    tell_put(o);
}

/* The tables' lines come while the message is walked. */
static void prefetch(const struct observer *o, const struct packet *p, uint64_t tuple)
{
    struct cursor c = cursor_over(p->payload, p->payload_length);

    seen_prefetch(o->seen, tuple);
    transactions_prefetch(o->transactions, hash_mix(tuple, cursor_u16(&c)));
}

void do53_datagram(struct observer *o, const struct packet *p)
{
    struct flow_key key;
    bool low;
    struct carrier c = {.o = o,
                        .packet = p,
                        .src = &p->src,
                        .dst = &p->dst,
                        .src_station = p->src_station,
                        .dst_station = p->dst_station,
                        .sport = p->sport,
                        .dport = p->dport,
                        .transport = TRANSPORT_DO53_UDP};

    flow_key_of(p, &key, &low);
    c.tuple = hash_bytes(&key, sizeof key, o->seed);
    if (p->payload_length == 0) {
        if (!p->payload_missing)
            stray_datagram(o, p, c.tuple);
        return;
    }
    prefetch(o, p, c.tuple);
    if (parse(o, p->payload, p->payload_length, p->payload_length + p->payload_missing)) {
        tell_message(o, &c);
    } else if (!p->payload_missing || p->payload_length >= HEADER) {
        o->stats->dns_malformed++; /* cut before its header ends it is nothing: decode/ counts it */
        stray_datagram(o, p, c.tuple);
    }
}

static bool take_message(void *context, const uint8_t *bytes, uint32_t present, uint32_t whole)
{
    struct carrier *c = context;
    struct observer *o = c->o;
    bool response;

    if (!parse(o, bytes, present, whole)) {
        o->stats->dns_malformed++;
        return false;
    }
    response = dns_is_response(&o->out->dns.message);
    tell_message(o, c);
    if (response && c->flow->stage != STAGE_WORKING)
        tell_established(o, c->flow);
    return true;
}

void do53_piece(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
                const struct stream_piece *piece)
{
    enum side other = sender == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    uint64_t station = tell_station(f);
    struct carrier c = {.o = o,
                        .flow = f,
                        .packet = p,
                        .src = flow_addr(f, sender),
                        .dst = flow_addr(f, other),
                        .tuple = tell_flow_id(o, f),
                        .src_station = sender == SIDE_CLIENT ? station : 0,
                        .dst_station = sender == SIDE_CLIENT ? 0 : station,
                        .sport = flow_port(f, sender),
                        .dport = flow_port(f, other),
                        .transport = TRANSPORT_DO53_TCP};

    assembly_feed(&f->cold->assembly[sender], &o->stream_bytes, piece,
                  (struct assembly_reader){take_message, &c});
}

void do53_close(struct observer *o, struct flow *f)
{
    assembly_drop(&f->cold->assembly[SIDE_CLIENT], &o->stream_bytes);
    assembly_drop(&f->cold->assembly[SIDE_SERVER], &o->stream_bytes);
}
