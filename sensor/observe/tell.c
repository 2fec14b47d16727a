#include "observe/tell.h"

#include <string.h>

#include "base/hash.h"
#include "observe/flows.h"
#include "observe/identify.h"

uint64_t tell_flow_id(const struct observer *o, const struct flow *f)
{
    const struct flow_key key = flow_key_again(f);

    return hash_mix(hash_bytes(&key, sizeof key, o->seed), (uint64_t)f->first) & TELL_FLOW_ID;
}

uint64_t tell_station(const struct flow *f)
{
    uint64_t station = 0;

    for (size_t i = 0; i < sizeof f->station; i++)
        station = station << 8 | f->station[i];
    return station;
}

struct observation *tell_begin(struct observer *o, uint8_t kind, const struct packet *p)
{
    struct observation *out = o->out;

    memset(out, 0, offsetof(struct observation, dns));
    out->kind = kind;
    out->proto = p->proto;
    out->vlan = p->vlan;
    out->iface = p->iface;
    out->ip_id = p->ip_id;
    out->ttl = p->ttl;
    out->time = p->time;
    return out;
}

void tell_room(struct observer *o)
{
    o->out = o->sink.room ? o->sink.room(o->sink.context) : &o->own;
}

void tell_put(struct observer *o)
{
    o->stats->observations++;
    o->sink.put(o->sink.context, o->out);
    tell_room(o);
}

static bool has_counts(const struct flow *f)
{
    return f->packets || f->bytes_out || f->bytes_in ||
           (f->cold && (f->cold->queries || f->cold->responses));
}

static struct flow_observation *begin(struct observer *o, const struct flow *f, uint8_t phase)
{
    struct observation *out = o->out;
    const struct cold *c = f->cold;

    memset(out, 0, sizeof *out);
    out->kind = OBSERVE_FLOW;
    out->transport = f->transport;
    out->proto = f->proto;
    out->vlan = f->vlan;
    out->iface = f->iface;
    out->client_port = flow_port(f, SIDE_CLIENT);
    out->server_port = flow_port(f, SIDE_SERVER);
    out->time = o->now;
    out->client = *flow_addr(f, SIDE_CLIENT);
    out->server = *flow_addr(f, SIDE_SERVER);
    out->flow_id = tell_flow_id(o, f);
    out->station = tell_station(f);
    out->flow.phase = phase;
    out->flow.identified_by = f->identified_by;
    out->flow.confidence = f->confidence;
    out->flow.ttl_server = f->ttl_server;
    out->flow.payload_seen = (f->flags & CLIENT_SPOKE) != 0;
    out->flow.bulky = (f->flags & BULKY) != 0;
    out->flow.server_spoke = (f->flags & SERVER_SPOKE) != 0;
    out->flow.attempts = f->attempts;
    out->flow.rtt_us = f->rtt_us;
    out->flow.first = f->first;
    out->flow.last = c && c->last ? c->last : o->now - flows_silence(o, f);
    out->flow.queries_estimated =
        f->transport >= TRANSPORT_DOT && f->transport <= TRANSPORT_DNSCRYPT;
    if (c) {
        out->flow.client_proven = c->proof == PROOF_GIVEN;
        out->flow.handshake_us = c->handshake_us;
        if (c->facts) {
            out->flow.tls = *c->facts;
            out->flow.tls.sni_outer = identify_outer(o, c->facts);
        }
    }
    return &out->flow;
}

static void take_counts(struct observer *o, struct flow *f)
{
    struct flow_observation *out = &o->out->flow;

    out->flows = (f->flags & TOLD_COUNTS) == 0;
    out->packets = f->packets;
    out->bytes_out = f->bytes_out;
    out->bytes_in = f->bytes_in;
    if (f->cold) {
        out->queries = f->cold->queries;
        out->responses = f->cold->responses;
        out->shape = f->cold->tls.shape;
        f->cold->queries = f->cold->responses = 0;
        memset(&f->cold->tls.shape, 0, sizeof f->cold->tls.shape);
    }
    f->packets = f->bytes_out = f->bytes_in = 0;
    f->flags |= TOLD_COUNTS;
    f->told = wheel_tick(&o->wheel, o->now) & FLOW_TOLD;
}

void tell_opened(struct observer *o, struct flow *f)
{
    begin(o, f, FLOW_OPENED);
    tell_put(o);
}

static void tell(struct observer *o, struct flow *f, uint8_t phase)
{
    begin(o, f, phase);
    take_counts(o, f);
    tell_put(o);
}

void tell_identified(struct observer *o, struct flow *f)
{
    if (f->flags & TOLD_NAME)
        return;
    f->flags |= TOLD_NAME;
    tell(o, f, FLOW_IDENTIFIED);
}

void tell_established(struct observer *o, struct flow *f)
{
    if (f->stage == STAGE_WORKING || f->stage == STAGE_ENDED)
        return;
    f->stage = STAGE_WORKING;
    tell(o, f, FLOW_ESTABLISHED);
}

void tell_progress(struct observer *o, struct flow *f)
{
    if (has_counts(f))
        tell(o, f, FLOW_PROGRESS);
}

static void blame(struct flow_observation *out, const struct fault *fault)
{
    out->cause = fault->cause;
    out->origin = fault->origin;
    out->from_client = fault->from_client;
    out->alert = fault->alert;
    out->ttl_fault = fault->ttl;
    out->icmp_type = fault->icmp_type;
    out->icmp_code = fault->icmp_code;
    out->icmp_source = fault->icmp_source;
    out->signs = fault->signs;
    out->gap_us = fault->gap_us;
}

void tell_waiting(struct observer *o, struct flow *f, uint8_t phase, nsec_t since,
                  const struct fault *fault)
{
    struct flow_observation *out;

    tell_progress(o, f); /* the answers of before go before it */
    out = begin(o, f, phase);
    out->first = since;
    if (fault)
        blame(out, fault);
    tell_put(o);
}

void tell_failed(struct observer *o, struct flow *f, const struct fault *fault)
{
    if (f->flags & (TOLD_FAILED | TOLD_CLOSED) || f->stage == STAGE_WORKING)
        return;
    f->flags |= TOLD_FAILED;
    blame(begin(o, f, FLOW_FAILED), fault);
    take_counts(o, f);
    tell_put(o);
}

void tell_closed(struct observer *o, struct flow *f, bool from_client)
{
    if (f->flags & TOLD_CLOSED || (f->flags & TOLD_FAILED && f->stage != STAGE_WORKING)) {
        tell_progress(o, f);
        return;
    }
    f->flags |= TOLD_CLOSED;
    begin(o, f, FLOW_CLOSED)->from_client = from_client;
    take_counts(o, f);
    tell_put(o);
}

void tell_aftermath(struct observer *o, struct flow *f, uint8_t signs)
{
    if (!(f->flags & TOLD_FAILED))
        return;
    begin(o, f, FLOW_AFTERMATH)->signs = signs;
    tell_put(o);
}

void tell_behaviour(struct observer *o, struct flow *f, const struct behaviour *b)
{
    begin(o, f, FLOW_BEHAVIOUR)->behaviour = *b;
    tell_put(o);
}
