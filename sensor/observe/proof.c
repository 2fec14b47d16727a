#include "observe/proof.h"

#include <string.h>

#include "base/hash.h"
#include "observe/observer.h"
#include "observe/quic.h"
#include "observe/tell.h"

#define WINDOW          65536u /* of the client's bytes, not acknowledged yet */
#define ID_LEAST        4      /* octets of a connection id that nobody guesses */
#define ID_SAYS_NOTHING 0xff   /* no length of an id */

void proof_syn(struct flow *f, uint32_t isn)
{
    if (f->cold && f->isn != isn)
        f->cold->proof = PROOF_SPOILT;
}

void proof_syn_ack(struct observer *o, const struct flow *f, const struct packet *p)
{
    uint64_t id = tell_flow_id(o, f);

    o->syn_acks[id % PROOF_SYN_ACKS] = (struct proof_syn_ack){(uint32_t)(id >> 16), p->seq};
}

void proof_first(const struct observer *o, struct flow *f, const struct packet *p)
{
    uint64_t id = tell_flow_id(o, f);
    const struct proof_syn_ack *s = o->syn_acks + id % PROOF_SYN_ACKS;

    if (f->flags & FROM_START && f->stage == STAGE_OPEN && p->tcp_flags & TCP_ACK &&
        s->flow == (uint32_t)(id >> 16) && p->ack == s->number + 1)
        f->cold->proof = PROOF_GIVEN;
}

void proof_answer(struct flow *f, const struct packet *p)
{
    const struct stream *s = f->cold ? f->cold->stream + SIDE_CLIENT : NULL;

    if (s && s->started && f->cold->proof == PROOF_NONE && f->flags & FROM_START &&
        f->flags & CLIENT_SPOKE && p->tcp_flags & TCP_ACK && p->ack != f->isn + 1 &&
        s->next - p->ack < WINDOW)
        f->cold->proof = PROOF_GIVEN;
}

static uint32_t hash_of(const struct observer *o, const uint8_t *id, size_t length)
{
    return (uint32_t)hash_bytes(id, length, o->seed);
}

/* The first that the server names. Where that is what the client had tried, or too short, packets
 * in both directions after the handshake have to do. */
static void take_chosen(const struct observer *o, struct quic_flow *q, const struct quic_sight *s)
{
    if (q->server_length || !s->chooses)
        return;
    q->server = hash_of(o, s->from, s->from_length);
    q->server_length =
        s->from_length < ID_LEAST || q->server == q->client ? ID_SAYS_NOTHING : s->from_length;
}

static bool uses_chosen(const struct observer *o, const struct quic_flow *q,
                        const struct quic_sight *s)
{
    if (s->to)
        return s->to_length == q->server_length && hash_of(o, s->to, s->to_length) == q->server;
    return s->one_rtt > q->server_length && hash_of(o, s->short_id, q->server_length) == q->server;
}

/* A hello that somebody else sent ahead from the same port is of a connection of its own. */
static void take_tried(const struct observer *o, struct cold *c, const struct quic_sight *s)
{
    uint32_t tried = hash_of(o, s->to, s->to_length);

    if (c->quic.client && c->quic.client != tried)
        c->proof = PROOF_SPOILT;
    c->quic.client = tried;
}

bool proof_datagram(const struct observer *o, struct flow *f, const struct quic_sight *s,
                    bool from_client)
{
    struct cold *c = f->cold;
    struct quic_flow *q = &c->quic;

    if (c->proof != PROOF_NONE || !(f->flags & FROM_START))
        return false;
    if (!from_client)
        take_chosen(o, q, s);
    else if (q->server_length == 0 && s->to)
        take_tried(o, c, s);
    else if (q->server_length != 0 && q->server_length != ID_SAYS_NOTHING && uses_chosen(o, q, s))
        c->proof = PROOF_GIVEN;
    if (q->server_length == ID_SAYS_NOTHING && q->flags & QUIC_ANSWERED)
        c->proof = PROOF_GIVEN;
    return c->proof == PROOF_GIVEN;
}
