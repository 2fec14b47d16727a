/* Packets made from the input go through a small observer: TCP on 53 and 853, QUIC, ICMP, disorder,
 * holes, floods and silence. Nothing may break, and what was counted must add up in the end. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "classify/classify.h"
#include "observe/observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct told {
    uint64_t packets, dns, flows, failed;
};

static void put(void *context, struct observation *o)
{
    struct told *t = context;

    if (o->kind == OBSERVE_DNS) {
        t->dns++;
        return;
    }
    if (o->kind != OBSERVE_FLOW)
        return;
    t->packets += o->flow.packets;
    t->flows += o->flow.flows;
    if (o->flow_id >> 53 || o->flow.phase > FLOW_RESUMED || o->flow.flows > 1)
        abort();
    if (o->flow.phase > FLOW_CLOSED && (o->flow.flows || o->flow.queries || o->flow.responses))
        abort(); /* what comes after a flow, or tells how it behaves, carries no counts */
}

static void *state_open(void *classifier)
{
    ++*(int *)classifier;
    return malloc(1);
}

static void state_close(void *classifier, void *flow)
{
    --*(int *)classifier;
    free(flow);
}

static enum classify_answer state_feed(void *classifier, void *flow, const struct packet *p,
                                       int from_client)
{
    (void)classifier;
    (void)flow;
    return p->payload[0] % 7 == 0 ? CLASSIFY_DONE
                                  : (from_client ? CLASSIFY_MORE : CLASSIFY_NOT_TLS);
}

static void state_facts(void *classifier, void *flow, struct tls_facts *out)
{
    (void)classifier;
    (void)flow;
    memset(out, 0, sizeof *out);
    out->hello_seen = true;
    strcpy(out->alpn, "h2,dot");
}

static enum classify_guess state_guess(void *classifier, void *flow)
{
    (void)classifier;
    (void)flow;
    return GUESS_UNKNOWN;
}

static const struct classifier_ops ops = {dns_walk,   state_open,  state_close,
                                          state_feed, state_facts, state_guess};

static const uint16_t ports[] = {53, 853, 443, 784, 5353, 9};
static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP};

/* One packet out of a few bytes of the script; the sequence numbers stay near each other. */
static void make_packet(struct cursor *c, struct packet *p, nsec_t *now)
{
    uint8_t what = cursor_u8(c), flow = cursor_u8(c), flags = cursor_u8(c);
    uint16_t step = cursor_u16(c), seq = cursor_u16(c), ack = cursor_u16(c);
    uint8_t size = cursor_u8(c), client[4] = {10, 0, 0, flow & 3}, server[4] = {9, 9, 9, 9};
    bool back = what & 1;

    *now += (nsec_t)step * step * NSEC_US;
    memset(p, 0, sizeof *p);
    p->time = what & 2 ? *now : *now - NSEC_S;
    p->proto = protos[what >> 2 & 3];
    p->src = addr_v4(back ? server : client);
    p->dst = addr_v4(back ? client : server);
    p->sport = back ? ports[flow >> 4 & 3] : (uint16_t)(4000 + (flow >> 2 & 3));
    p->dport = back ? (uint16_t)(4000 + (flow >> 2 & 3)) : ports[flow >> 4 & 3];
    p->tcp_flags = flags & 0x1f;
    p->ttl = flags;
    p->seq = 0xfffff000u + seq % 0x4000u;
    p->ack = 0xfffff000u + ack % 0x4000u;
    p->wire_length = 60;
    p->payload_length = size < c->left ? size : (uint32_t)c->left;
    p->payload_missing = what & 0x80 ? flags : 0;
    p->payload = cursor_take(c, p->payload_length);
    p->icmp_type = 3;
    p->quote = (struct packet_quote){p->dst, p->src, p->dport, p->sport, protos[flow & 3], p->seq};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct observer_limits limits = {.flows = 8, .transactions = 64, .stream_bytes = 4096};
    struct cursor c = cursor_over(bytes, length);
    struct told told = {0};
    struct stats stats = {0};
    int states = 0;
    nsec_t now = 1000 * NSEC_S;
    struct observer *o = observer_create(
        &limits, &ops, &states, (struct observation_sink){.put = put, .context = &told}, 5);
    struct packet p;

    while (o && cursor_ok(&c) && c.left > 0) {
        make_packet(&c, &p, &now);
        observer_packet(o, &p, &stats);
        if (p.tcp_flags & TCP_PSH)
            observer_tick(o, now, &stats);
    }
    if (!o)
        return 0;
    observer_flush(o, now, &stats);
    observer_destroy(o);
    if (states != 0 || told.flows != stats.flows)
        abort();
    if (told.dns != stats.dns_queries + stats.dns_responses)
        abort();
    return 0;
}
