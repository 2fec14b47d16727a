#include "observe/reset.h"

#include "observe/cold.h"
#include "observe/observer.h"
#include "observe/tell.h"

#define AFTERMATH (2 * NSEC_S) /* what comes later says nothing of the reset */
#define TOGETHER  (10 * NSEC_MS)
enum { TTL_APART = 3, IDS_ENOUGH = 3, STEP_USUAL = 64, STEP_FAR = 1000 };

static bool is_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

void reset_learn_id(struct server_ids *ids, const struct packet *p)
{
    uint16_t step = (uint16_t)(p->ip_id - ids->last);

    if (!addr_is_v4(&p->src))
        return;
    if (ids->seen > 0 && step > ids->step)
        ids->step = step;
    ids->moved |= p->ip_id != 0;
    ids->last = p->ip_id;
    ids->seen += ids->seen < UINT8_MAX;
}

/* A stack that answers from no socket writes 0, so 0 is never strange. */
static bool id_is_strange(const struct server_ids *ids, const struct packet *p)
{
    uint16_t step = (uint16_t)(p->ip_id - ids->last);

    if (!addr_is_v4(&p->src) || ids->seen < IDS_ENOUGH || p->ip_id == 0)
        return false;
    return !ids->moved || (ids->step <= STEP_USUAL && step > STEP_FAR);
}

/* A reset that answers a SYN acknowledges it; one without ACK is made up from the client's segment
 * and offers no window. */
static bool form_is_strange(const struct flow *f, const struct packet *p)
{
    bool ack = (p->tcp_flags & TCP_ACK) != 0;

    if (f->stage == STAGE_TRYING && f->flags & FROM_START)
        return !ack || p->ack - (f->isn + 1) > UINT16_MAX || p->window != 0;
    return !ack && p->window != 0;
}

/* With ACK a reset stands where the server's stream stands; without, where the client's last
 * acknowledgment stood, which is never beyond what the server had sent. */
static bool sequence_is_strange(const struct flow *f, const struct packet *p)
{
    const struct stream *s = f->cold ? &f->cold->stream[SIDE_SERVER] : NULL;

    if (!s || !s->started || s->held || !(f->flags & FROM_START))
        return false;
    if (p->tcp_flags & TCP_ACK)
        return is_after(s->next, p->seq);
    return is_after(p->seq, s->next);
}

uint8_t reset_signs(const struct flow *f, const struct packet *p)
{
    int hops = (int)p->ttl - f->ttl_server;
    unsigned signs = 0;

    if (f->ttl_server && (hops >= TTL_APART || hops <= -TTL_APART))
        signs |= RESET_TTL;
    if (f->cold && id_is_strange(&f->cold->server_ids, p))
        signs |= RESET_IP_ID;
    if (sequence_is_strange(f, p))
        signs |= RESET_SEQUENCE;
    if (form_is_strange(f, p))
        signs |= RESET_FORM;
    return (uint8_t)signs;
}

uint32_t reset_gap_us(const struct flow *f, const struct packet *p)
{
    nsec_t from = f->cold ? f->cold->client_sent : 0, gap;

    if (f->stage == STAGE_TRYING && f->attempts == 1 && f->flags & FROM_START)
        from = f->first;
    gap = p->time - from;
    return from && gap > 0 && gap < 4000 * NSEC_S ? (uint32_t)(gap / NSEC_US) : 0;
}

static struct reset_past *past_of(struct observer *o, uint64_t flow_id)
{
    return &o->resets[flow_id % RESETS_PAST];
}

void reset_keep(struct observer *o, const struct flow *f, const struct packet *p, uint8_t signs)
{
    const struct stream *s = f->cold ? &f->cold->stream[SIDE_SERVER] : NULL;
    uint64_t id = tell_flow_id(o, f);
    bool known = s && s->started && f->flags & FROM_START;

    *past_of(o, id) = (struct reset_past){.flow_id = id,
                                          .time = p->time,
                                          .seq = p->seq,
                                          .sent = known ? s->next : p->seq,
                                          .sent_known = known,
                                          .signs = signs};
}

/* After a true reset the server sends nothing new: not its SYN-ACK, no data from there on, and no
 * reset that stands higher than all it had sent. */
static bool goes_on(const struct reset_past *r, const struct flow *f, const struct packet *p)
{
    if (p->tcp_flags & TCP_RST)
        return r->sent_known && is_after(p->seq, r->seq) && is_after(p->seq, r->sent);
    if (p->tcp_flags & TCP_SYN)
        return p->tcp_flags & TCP_ACK && p->ack == f->isn + 1 && f->ttl_server == 0;
    return p->payload_length > 0 && r->sent_known && !is_after(r->sent, p->seq) &&
           !is_after(r->seq, p->seq);
}

void reset_after(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    uint64_t id = tell_flow_id(o, f);
    struct reset_past *r = past_of(o, id);
    uint8_t signs = r->signs;

    if (r->flow_id != id || p->time < r->time || p->time - r->time > AFTERMATH)
        return;
    if (sender == SIDE_SERVER && goes_on(r, f, p))
        signs |= RESET_SEQUENCE;
    if (sender == SIDE_CLIENT && p->tcp_flags & TCP_RST && p->tcp_flags & TCP_ACK &&
        p->time - r->time < TOGETHER)
        signs |= RESET_BOTH_WAYS;
    if (signs == r->signs)
        return;
    r->signs = signs;
    tell_aftermath(o, f, signs);
}
