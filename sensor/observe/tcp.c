#include "observe/tcp.h"

#include "observe/do53.h"
#include "observe/flows.h"
#include "observe/identify.h"
#include "observe/reset.h"
#include "observe/shunt.h"
#include "observe/tls.h"

#define REUSE_SILENCE (30 * NSEC_S)

struct arrival {
    struct observer *o;
    struct flow *f;
    const struct packet *p;
    enum side sender; /* of the stream that is read, not always of the packet */
};

static enum side other(enum side side)
{
    return side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

static void take_piece(void *context, const struct stream_piece *piece)
{
    struct arrival *a = context;

    if (a->f->flags & COUNTING)
        return;
    if (a->f->cold->reader == READ_DNS)
        do53_piece(a->o, a->f, a->p, a->sender, piece);
    else
        tls_piece(a->o, a->f, a->p, a->sender, piece);
}

static struct stream_reader reader_of(struct arrival *a)
{
    return (struct stream_reader){take_piece, a};
}

/* On port 53 a message of 5,635 bytes begins like a TLS record, but does not go on like one. */
static bool dns_begins(const struct packet *p)
{
    return p->payload_length >= 14 && assembly_plausible(p->payload, p->payload_length);
}

/* The first payload of either side: a cold part, and who reads it. */
static bool warm(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    struct cold *c = observer_warm(o, f);

    if (!c)
        return false;
    if (f->flags & FROM_START)
        stream_start(&c->stream[SIDE_CLIENT], f->isn + 1);
    if (p->tcp_flags & TCP_ACK)
        stream_start(&c->stream[other(sender)], p->ack);
    if (sender == SIDE_CLIENT)
        proof_first(o, f, p);
    c->reader = READ_TLS;
    if (flow_port(f, SIDE_SERVER) != PORT_DNS)
        return true;
    if (p->payload_length > 2 && tls_begins(p->payload, p->payload_length) && !dns_begins(p)) {
        identify_again(f);
        return true;
    }
    c->reader = READ_DNS;
    if (!(f->flags & FROM_START)) {
        assembly_begin_lost(&c->assembly[SIDE_CLIENT]);
        assembly_begin_lost(&c->assembly[SIDE_SERVER]);
    }
    return true;
}

static void take_payload(struct observer *o, struct flow *f, const struct packet *p,
                         enum side sender)
{
    struct arrival a = {o, f, p, sender};
    uint32_t seq = p->seq + ((p->tcp_flags & TCP_SYN) != 0);

    f->flags |= sender == SIDE_CLIENT ? CLIENT_SPOKE : SERVER_SPOKE;
    if (f->flags & COUNTING || (!f->cold && !warm(o, f, p, sender)))
        return;
    if (sender == SIDE_CLIENT)
        f->cold->client_sent = p->time;
    stream_push(&f->cold->stream[sender], &o->stream_bytes, p, seq, reader_of(&a), o->stats);
}

static void take_ack(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    struct arrival a = {o, f, p, other(sender)};

    if (f->cold && !(f->flags & COUNTING))
        stream_acked(&f->cold->stream[other(sender)], &o->stream_bytes, p->ack, reader_of(&a),
                     o->stats);
}

static void opened(struct observer *o, struct flow *f, uint32_t isn)
{
    proof_syn(f, isn);
    f->isn = isn;
    f->flags |= FROM_START;
    if (f->attempts < UINT8_MAX)
        f->attempts++;
    if (f->attempts == 1)
        tell_opened(o, f);
}

static uint32_t rtt_of(nsec_t took)
{
    return took / NSEC_US < FLOW_RTT_MOST ? (uint32_t)(took / NSEC_US) : FLOW_RTT_MOST;
}

/* RFC 9293 3.5. A SYN-ACK also tells of a SYN that was not captured. */
static void take_syn(struct observer *o, struct flow *f, const struct packet *p)
{
    if (!(p->tcp_flags & TCP_ACK)) {
        if (f->stage == STAGE_TRYING)
            opened(o, f, p->seq);
        return;
    }
    if (f->attempts == 0)
        opened(o, f, p->ack - 1);
    if (f->stage != STAGE_TRYING)
        return;
    f->stage = STAGE_OPEN;
    proof_syn_ack(o, f, p);
    if (f->attempts == 1 && p->time > f->first)
        f->rtt_us = rtt_of(p->time - f->first);
}

/* As far as one flow tells; what is known of the server from others decides more (detect/). */
static uint8_t origin_of(const struct flow *f, const struct packet *p, enum side sender,
                         uint8_t signs)
{
    if (sender == SIDE_CLIENT)
        return ORIGIN_CLIENT;
    if (signs & (signs - 1)) /* two agree */
        return ORIGIN_PATH;
    return signs == 0 && f->ttl_server == p->ttl ? ORIGIN_SERVER : ORIGIN_UNKNOWN;
}

/* Why a connection that ends now never worked; CAUSE_NONE: it did, or nobody used it. */
static enum cause cause_of_end(struct observer *o, struct flow *f, enum side sender, bool reset)
{
    enum cause cut = reset && sender == SIDE_SERVER ? CAUSE_RESET : CAUSE_NO_ANSWER;

    if (f->stage == STAGE_WORKING || !(f->flags & FROM_START) || f->flags & COUNTING)
        return CAUSE_NONE;
    if (f->stage == STAGE_TRYING)
        return CAUSE_RESET;
    if (!f->cold)
        return reset ? CAUSE_RESET : CAUSE_NONE;
    if (f->cold->reader == READ_DNS) /* a client may close its side and still wait for answers */
        return f->flags & CLIENT_SPOKE && (reset || sender == SIDE_SERVER) ? cut : CAUSE_NONE;
    tls_last_word(o, f);
    return f->stage == STAGE_WORKING ? CAUSE_NONE : tls_cause_of_end(f, sender, reset);
}

/* Bytes before this FIN are not in the capture: how it went cannot be told. */
static bool misses_bytes(struct observer *o, struct flow *f, const struct packet *p,
                         enum side sender)
{
    struct arrival a = {o, f, p, sender};
    struct stream *s = f->cold ? &f->cold->stream[sender] : NULL;

    if (!s || p->tcp_flags & TCP_RST)
        return false;
    while (s->held)
        stream_skip(s, &o->stream_bytes, reader_of(&a), o->stats);
    return s->started && (int32_t)(p->seq - s->next) > 0;
}

static void take_end(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    bool reset = (p->tcp_flags & TCP_RST) != 0, torn = misses_bytes(o, f, p, sender);
    enum cause cause = torn ? CAUSE_NONE : cause_of_end(o, f, sender, reset);
    uint8_t signs = reset && sender == SIDE_SERVER ? reset_signs(f, p) : 0;
    struct fault fault = {.cause = (uint8_t)cause,
                          .origin = origin_of(f, p, sender, signs),
                          .signs = signs,
                          .gap_us = reset ? reset_gap_us(f, p) : 0,
                          .from_client = sender == SIDE_CLIENT,
                          .ttl = p->ttl};

    if (f->cold && f->cold->reader == READ_TLS && f->stage == STAGE_WORKING &&
        !(sender == SIDE_SERVER && !reset)) {
        struct fault stall = fault;

        stall.cause = sender == SIDE_SERVER ? CAUSE_RESET : CAUSE_NONE;
        tls_stalled(o, f, &stall);
    }
    if (cause == CAUSE_CERTIFICATE) /* the client says so, but the server or the path gave reason */
        fault.origin = ORIGIN_UNKNOWN;
    f->flags |= sender == SIDE_CLIENT ? CLIENT_FIN : SERVER_FIN;
    if (cause != CAUSE_NONE)
        flows_fail(o, f, &fault);
    if (cause != CAUSE_NONE && reset && sender == SIDE_SERVER)
        reset_keep(o, f, p, signs);
    if (reset || (f->flags & CLIENT_FIN && f->flags & SERVER_FIN))
        flows_end(o, f, sender == SIDE_CLIENT);
    else
        flows_look(o, f, o->now + FLOW_LINGER);
}

static void take_segment(struct observer *o, struct flow *f, const struct packet *p,
                         enum side sender)
{
    if (sender == SIDE_SERVER && f->ttl_server == 0 && !(p->tcp_flags & TCP_RST))
        f->ttl_server = p->ttl;
    if (f->cold && sender == SIDE_SERVER && !(p->tcp_flags & (TCP_SYN | TCP_RST)))
        reset_learn_id(&f->cold->server_ids, p);
    if (f->cold && sender == SIDE_SERVER)
        f->cold->tls.heard = true;
    if (sender == SIDE_SERVER && p->payload_length > 0)
        proof_answer(f, p);
    if (f->stage == STAGE_TRYING && sender == SIDE_SERVER && !(p->tcp_flags & TCP_RST))
        f->stage = STAGE_OPEN;
    if (p->tcp_flags & TCP_ACK)
        take_ack(o, f, p, sender);
    if (p->payload_length > 0 && !(p->tcp_flags & TCP_RST))
        take_payload(o, f, p, sender);
    if (f->cold && f->cold->reader == READ_TLS)
        tls_settle(o, f, p);
    if (p->tcp_flags & (TCP_FIN | TCP_RST) && f->stage != STAGE_ENDED)
        take_end(o, f, p, sender);
    if (f->flags & COUNTING) {
        flows_cool(o, f);
        shunt_offer(o, f);
    }
}

/* Who sends the first packet that is seen of a connection. */
static enum side first_sender(const struct observer *o, const struct packet *p)
{
    if (p->tcp_flags & TCP_SYN)
        return p->tcp_flags & TCP_ACK ? SIDE_SERVER : SIDE_CLIENT;
    return flows_sender_by_port(o, p);
}

/* A bare acknowledgment, FIN or RST of an unknown connection is no flow, nor is a connection from a
 * watched port to another. */
static bool opens(const struct observer *o, const struct packet *p)
{
    uint16_t server = first_sender(o, p) == SIDE_CLIENT ? p->dport : p->sport;

    if (observer_rank(o, server) == 2)
        return false;
    return p->tcp_flags & TCP_SYN || (p->payload_length > 0 && !(p->tcp_flags & TCP_RST));
}

/* Another connection over the five-tuple of an old one: a SYN after its end or a long silence, or
 * the server's word for it. A SYN alone that anybody can forge does not end a live connection. */
static bool reopens(struct observer *o, struct flow *f, const struct packet *p)
{
    uint8_t syn = p->tcp_flags & (TCP_SYN | TCP_ACK);
    bool over = f->stage == STAGE_ENDED || f->flags & (CLIENT_FIN | SERVER_FIN);

    if (f->stage == STAGE_TRYING)
        return false;
    if (syn && f->flags & SHUNTED)
        shunt_merge(o, f);
    if (syn == TCP_SYN)
        return f->isn != p->seq && (over || flows_silence(o, f) >= REUSE_SILENCE);
    return syn == (TCP_SYN | TCP_ACK) && p->ack != f->isn + 1;
}

void tcp_packet(struct observer *o, const struct packet *p)
{
    struct flow_key key;
    struct flow *f;
    enum side sender;
    bool low;

    if (observer_rank(o, p->sport) == 2 && observer_rank(o, p->dport) == 2)
        return;
    flow_key_of(p, &key, &low);
    f = flows_find(o, &key);
    if (!f) {
        if (!opens(o, p))
            return;
        f = flows_open(o, &key, p, low, first_sender(o, p));
        if (!(p->tcp_flags & TCP_SYN))
            f->stage = STAGE_OPEN;
    } else if (reopens(o, f, p)) {
        flows_reopen(o, f, p, low, p->tcp_flags & TCP_ACK ? SIDE_SERVER : SIDE_CLIENT);
    }
    sender = flow_sender(f, low);
    flows_count(o, f, p, sender);
    if (f->stage != STAGE_ENDED) {
        if (p->tcp_flags & TCP_SYN)
            take_syn(o, f, p);
        take_segment(o, f, p, sender);
    } else if (f->flags & TOLD_FAILED) {
        reset_after(o, f, p, sender);
    }
    if (f->stage != STAGE_ENDED)
        flows_look(o, f, o->now + (f->cold || f->stage == STAGE_TRYING ? NSEC_S : 30 * NSEC_S));
}

/* A hole that nobody acknowledged past (one direction was captured) is given up in time. */
static void give_up_holes(struct observer *o, struct flow *f)
{
    static const struct packet none;

    for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        struct stream *s = &f->cold->stream[side];
        struct packet now = none;
        struct arrival a = {o, f, &now, side};

        now.time = o->now;
        if (s->held && o->now - s->held_since >= STREAM_PATIENCE)
            stream_skip(s, &o->stream_bytes, reader_of(&a), o->stats);
    }
}

nsec_t tcp_check(struct observer *o, struct flow *f)
{
    nsec_t left = f->first + FLOW_ANSWER_TIME - o->now;

    if (f->stage == STAGE_TRYING) {
        if (left > 0)
            return left;
        flows_fail(o, f, &(struct fault){.cause = CAUSE_TIMEOUT, .origin = ORIGIN_UNKNOWN});
        return 60 * NSEC_S;
    }
    if (!f->cold || f->stage == STAGE_ENDED)
        return 60 * NSEC_S;
    give_up_holes(o, f);
    left = f->cold->reader == READ_TLS ? tls_check(o, f) : 60 * NSEC_S;
    if (f->flags & COUNTING)
        flows_cool(o, f);
    return f->cold && (f->cold->stream[0].held || f->cold->stream[1].held) ? STREAM_PATIENCE : left;
}
