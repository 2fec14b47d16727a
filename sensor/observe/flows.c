#include "observe/flows.h"

#include <string.h>

#include "base/hash.h"
#include "observe/behaviour.h"
#include "observe/classifying.h"
#include "observe/do53.h"
#include "observe/identify.h"
#include "observe/quic.h"
#include "observe/shunt.h"
#include "observe/tcp.h"
#include "observe/tls.h"

#define PROGRESS_SEALED NSEC_S        /* between two counts of a DNS flow */
#define PROGRESS_OTHER  (30 * NSEC_S) /* ... of any other */
#define IDLE_TRYING     (70 * NSEC_S) /* SYNs of one attempt are up to 64 s apart */
#define IDLE_OPEN       (120 * NSEC_S)
#define IDLE_WORKING    (300 * NSEC_S)

struct flow *flows_find(struct observer *o, const struct flow_key *key)
{
    return flow_table_find(&o->flows, key);
}

enum side flows_sender_by_port(const struct observer *o, const struct packet *p)
{
    int source = observer_rank(o, p->sport), target = observer_rank(o, p->dport);

    if (source != target)
        return source < target ? SIDE_SERVER : SIDE_CLIENT;
    return p->sport < p->dport ? SIDE_SERVER : SIDE_CLIENT;
}

static void set_station(struct flow *f, uint64_t station)
{
    for (size_t i = sizeof f->station; i-- > 0; station >>= 8)
        f->station[i] = (uint8_t)station;
}

static void start(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    f->first = p->time;
    f->iface = p->iface;
    f->stage = STAGE_TRYING;
    set_station(f, sender == SIDE_CLIENT ? p->src_station : p->dst_station);
    f->last = (uint32_t)wheel_tick(&o->wheel, o->now);
    f->told = f->last & FLOW_TOLD;
    identify_by_port(o, f);
    wheel_arm(&o->wheel, f, o->now + FLOW_ANSWER_TIME);
    o->stats->flows++;
}

struct flow *flows_open(struct observer *o, const struct flow_key *key, const struct packet *p,
                        bool low, enum side sender)
{
    struct flow *f = flow_table_insert(&o->flows, key);

    f->flags = low == (sender == SIDE_CLIENT) ? CLIENT_LOW : 0;
    start(o, f, p, sender);
    return f;
}

void flows_cool(struct observer *o, struct flow *f)
{
    struct cold *c = f->cold;

    if (!c)
        return;
    classifying_close(o, c);
    stream_drop(&c->stream[SIDE_CLIENT], &o->stream_bytes);
    stream_drop(&c->stream[SIDE_SERVER], &o->stream_bytes);
    do53_close(o, f);
    pool_put(&o->watches, c->watch);
    pool_put(&o->facts, c->facts);
    pool_put(&o->cold, c);
    f->cold = NULL;
}

/* The last word of a record that goes away. */
static void finish(struct observer *o, struct flow *f)
{
    shunt_end(o, f);
    identify_at_last(o, f);
    behaviour_end(o, f);
    if (f->cold && f->cold->reader == READ_TLS)
        tls_last_word(o, f);
    if (f->stage == STAGE_WORKING)
        tell_closed(o, f, false);
    else
        tell_progress(o, f);
    wheel_disarm(&o->wheel, f);
    flows_cool(o, f);
}

void flows_evicted(void *observer, struct flow *f)
{
    struct observer *o = observer;

    o->stats->flows_evicted++;
    finish(o, f);
}

void flows_reopen(struct observer *o, struct flow *f, const struct packet *p, bool low,
                  enum side sender)
{
    struct flow_key key = flow_key_again(f);

    finish(o, f);
    memset(f, 0, sizeof *f);
    memcpy(f, &key, FLOW_KEY);
    f->flags = low == (sender == SIDE_CLIENT) ? CLIENT_LOW : 0;
    start(o, f, p, sender);
}

void flows_count(struct observer *o, struct flow *f, const struct packet *p, enum side sender)
{
    f->last = (uint32_t)wheel_tick(&o->wheel, o->now);
    if (f->cold)
        f->cold->last = o->now;
    f->packets++;
    if (sender == SIDE_CLIENT)
        f->bytes_out += p->wire_length;
    else
        f->bytes_in += p->wire_length;
    if ((f->bytes_out | f->bytes_in) >> 31)
        tell_progress(o, f);
}

void flows_look(struct observer *o, struct flow *f, nsec_t deadline)
{
    if (!wheel_is_armed(f) || wheel_ahead(wheel_tick(&o->wheel, deadline) + 1, f) > 0)
        wheel_arm(&o->wheel, f, deadline);
}

void flows_fail(struct observer *o, struct flow *f, const struct fault *fault)
{
    identify_at_last(o, f);
    tell_failed(o, f, fault);
}

static void end(struct observer *o, struct flow *f)
{
    f->stage = STAGE_ENDED;
    flows_cool(o, f);
    flows_look(o, f, o->now + FLOW_LINGER);
}

void flows_fail_end(struct observer *o, struct flow *f, const struct fault *fault)
{
    flows_fail(o, f, fault);
    end(o, f);
}

void flows_end(struct observer *o, struct flow *f, bool from_client)
{
    shunt_merge(o, f); /* the kernel keeps late packets as well, until the record goes */
    identify_at_last(o, f);
    behaviour_end(o, f);
    tell_closed(o, f, from_client);
    end(o, f);
}

nsec_t flows_silence(const struct observer *o, const struct flow *f)
{
    return (nsec_t)((uint32_t)wheel_tick(&o->wheel, o->now) - f->last) * WHEEL_TICK;
}

static nsec_t idle_limit(const struct flow *f)
{
    switch (f->stage) {
    case STAGE_TRYING:
        return IDLE_TRYING;
    case STAGE_OPEN:
        return IDLE_OPEN;
    case STAGE_WORKING:
        return IDLE_WORKING;
    default:
        return FLOW_LINGER;
    }
}

static nsec_t progress_interval(const struct flow *f)
{
    return f->transport >= TRANSPORT_DO53_TCP && f->transport <= TRANSPORT_DNSCRYPT &&
                   f->flags & NAMED
               ? PROGRESS_SEALED
               : PROGRESS_OTHER;
}

/* Told when it is time; returns how long until the next look at the counts. */
static nsec_t check_progress(struct observer *o, struct flow *f)
{
    uint32_t ticks = ((uint32_t)wheel_tick(&o->wheel, o->now) - f->told) & FLOW_TOLD;
    nsec_t interval = progress_interval(f), since = ticks * WHEEL_TICK;

    if (f->packets == 0)
        return f->flags & SHUNTED ? interval : IDLE_WORKING;
    if (since < interval)
        return interval - since;
    tell_progress(o, f);
    return interval;
}

/* The flow's timer fired. */
static void check(struct observer *o, struct flow *f)
{
    nsec_t idle, limit = idle_limit(f), next, progress, watch;

    shunt_merge(o, f);
    idle = flows_silence(o, f);
    if (idle >= limit) {
        if (f->stage == STAGE_OPEN || f->stage == STAGE_WORKING)
            flows_end(o, f, false);
        finish(o, f);
        flow_table_remove(&o->flows, f);
        return;
    }
    next = f->proto == IP_PROTO_TCP ? tcp_check(o, f) : quic_check(o, f);
    progress = check_progress(o, f);
    watch = behaviour_check(o, f);
    if (watch < next)
        next = watch;
    if (progress < next)
        next = progress;
    limit = idle_limit(f);
    if (limit - idle < next)
        next = limit - idle;
    wheel_arm(&o->wheel, f, o->now + (next > 0 ? next : 0));
}

bool flows_run(struct observer *o)
{
    unsigned work = WHEEL_WORK;
    struct flow *f;

    while ((f = wheel_next(&o->wheel, o->now, &work)))
        check(o, f);
    return work == 0;
}

void flows_flush(struct observer *o)
{
    size_t position = 0;
    struct flow *f;

    while ((f = flow_table_next(&o->flows, &position)))
        finish(o, f);
    flow_table_clear(&o->flows);
}
