/* Hand-made packets into an observer, and what it said. */
#ifndef SEALDNS_TESTS_OBSERVE_TRACE_H
#define SEALDNS_TESTS_OBSERVE_TRACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classify/classify.h"
#include "observe/observe.h"

enum { TOLD_MAX = 4096 };

struct trace {
    struct observer *observer;
    struct stats stats;
    struct observation told[TOLD_MAX];
    size_t count;
    nsec_t now;
    uint16_t client_port, server_port;
    uint8_t proto;
    uint32_t seq[2]; /* next of client and server */
    bool v6;
    /* what the stand-in classifier says after its first payload */
    const char *sni, *alpn;
    bool ech;
    uint16_t cipher;
    size_t states;
};

static void *stand_in_open(void *classifier)
{
    struct trace *t = classifier;

    t->states++;
    return malloc(1);
}

static void stand_in_close(void *classifier, void *flow)
{
    struct trace *t = classifier;

    assert_true(t->states > 0);
    t->states--;
    free(flow);
}

static enum classify_answer stand_in_feed(void *classifier, void *flow, const struct packet *p,
                                          int from_client)
{
    (void)classifier;
    (void)flow;
    (void)p;
    return from_client ? CLASSIFY_MORE : CLASSIFY_DONE;
}

static void stand_in_facts(void *classifier, void *flow, struct tls_facts *out)
{
    struct trace *t = classifier;

    (void)flow;
    memset(out, 0, sizeof *out);
    out->cipher = t->cipher;
    out->ech = t->ech;
    out->hello_seen = t->sni || t->alpn;
    if (t->sni)
        strcpy(out->sni, t->sni);
    if (t->alpn)
        strcpy(out->alpn, t->alpn);
}

static enum classify_guess stand_in_guess(void *classifier, void *flow)
{
    (void)classifier;
    (void)flow;
    return GUESS_UNKNOWN;
}

static const struct classifier_ops stand_in = {
    .dns_message = dns_walk,
    .flow_open = stand_in_open,
    .flow_close = stand_in_close,
    .flow_feed = stand_in_feed,
    .flow_facts = stand_in_facts,
    .flow_guess = stand_in_guess,
};

static void trace_put(void *context, struct observation *o)
{
    struct trace *t = context;

    assert_true(t->count < TOLD_MAX);
    memcpy(&t->told[t->count++], o, observation_size(o));
}

static void trace_begin_with(struct trace *t, const struct observer_limits *limits, uint8_t proto,
                             uint16_t port)
{
    memset(t, 0, sizeof *t);
    t->now = 1000 * NSEC_S;
    t->client_port = 40000;
    t->server_port = port;
    t->proto = proto;
    t->seq[0] = 1000;
    t->seq[1] = 0xfffffff0u; /* wraps */
    t->observer = observer_create(limits, &stand_in, t,
                                  (struct observation_sink){.put = trace_put, .context = t}, 7);
    assert_non_null(t->observer);
}

static inline void trace_begin(struct trace *t, uint8_t proto, uint16_t port)
{
    trace_begin_with(t, NULL, proto, port);
}

static inline void trace_end(struct trace *t)
{
    observer_flush(t->observer, t->now, &t->stats);
    observer_destroy(t->observer);
    assert_int_equal(t->states, 0);
    assert_int_equal(t->stats.observations, t->count);
}

static inline struct addr trace_addr(const struct trace *t, int side)
{
    const uint8_t v4[2][4] = {{10, 0, 0, 5}, {9, 9, 9, 9}};
    const uint8_t v6[2][16] = {{0x20, 1, 0xd, 0xb8, [15] = 5}, {0x20, 1, 0xd, 0xb8, [15] = 0x53}};

    return t->v6 ? addr_v6(v6[side]) : addr_v4(v4[side]);
}

/* side 0: from the client. */
static inline struct packet trace_packet(const struct trace *t, int side)
{
    return (struct packet){.time = t->now,
                           .src = trace_addr(t, side),
                           .dst = trace_addr(t, !side),
                           .sport = side ? t->server_port : t->client_port,
                           .dport = side ? t->client_port : t->server_port,
                           .proto = t->proto,
                           .ttl = side ? 57 : 64,
                           .src_station = side ? 2 : 1,
                           .dst_station = side ? 1 : 2,
                           .wire_length = 60};
}

static inline void trace_give(struct trace *t, const struct packet *p)
{
    observer_packet(t->observer, p, &t->stats);
}

static inline void trace_pass(struct trace *t, nsec_t time)
{
    nsec_t until = t->now + time;

    while (t->now < until) {
        t->now += until - t->now < 100 * NSEC_MS ? until - t->now : 100 * NSEC_MS;
        observer_tick(t->observer, t->now, &t->stats);
    }
}

static inline void trace_datagram(struct trace *t, int side, const uint8_t *bytes, size_t length)
{
    struct packet p = trace_packet(t, side);

    p.payload = bytes;
    p.payload_length = (uint32_t)length;
    p.wire_length = (uint32_t)length + 42;
    trace_give(t, &p);
}

static inline void trace_segment_at(struct trace *t, int side, uint32_t seq, uint8_t flags,
                                    const uint8_t *bytes, size_t length)
{
    struct packet p = trace_packet(t, side);

    p.tcp_flags = flags;
    p.seq = seq;
    p.ack = flags & TCP_ACK ? t->seq[!side] : 0;
    p.payload = bytes;
    p.payload_length = (uint32_t)length;
    p.wire_length = (uint32_t)length + 54;
    trace_give(t, &p);
}

static inline void trace_segment(struct trace *t, int side, uint8_t flags, const uint8_t *bytes,
                                 size_t length)
{
    trace_segment_at(t, side, t->seq[side], flags, bytes, length);
    t->seq[side] += (uint32_t)length + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

static inline void trace_data(struct trace *t, int side, const uint8_t *bytes, size_t length)
{
    trace_segment(t, side, TCP_ACK | TCP_PSH, bytes, length);
}

static inline void trace_handshake(struct trace *t)
{
    trace_segment(t, 0, TCP_SYN, NULL, 0);
    t->now += NSEC_MS;
    trace_segment(t, 1, TCP_SYN | TCP_ACK, NULL, 0);
    t->now += NSEC_MS;
    trace_segment(t, 0, TCP_ACK, NULL, 0);
}

static inline size_t trace_count(const struct trace *t, uint8_t kind, uint8_t phase)
{
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++)
        n += t->told[i].kind == kind && (kind != OBSERVE_FLOW || t->told[i].flow.phase == phase);
    return n;
}

/* The last observation of this phase, or NULL. */
static inline const struct observation *trace_phase(const struct trace *t, uint8_t phase)
{
    for (size_t i = t->count; i-- > 0;)
        if (t->told[i].kind == OBSERVE_FLOW && t->told[i].flow.phase == phase)
            return &t->told[i];
    return NULL;
}

/* "\3www\7example\3com" and type A or AAAA: a query, or its empty response. */
static inline size_t trace_dns(uint8_t *out, uint16_t id, bool response, uint16_t type)
{
    static const uint8_t name[] = "\3www\7Example\3com";
    size_t n = 12;

    memset(out, 0, n);
    out[0] = (uint8_t)(id >> 8);
    out[1] = (uint8_t)id;
    out[2] = response ? 0x81 : 0x01;
    out[3] = response ? 0x80 : 0;
    out[5] = 1;
    memcpy(out + n, name, sizeof name);
    n += sizeof name;
    out[n++] = (uint8_t)(type >> 8);
    out[n++] = (uint8_t)type;
    out[n++] = 0;
    out[n++] = 1;
    return n;
}

/* The same with its length in front (RFC 1035 4.2.2). */
static inline size_t trace_dns_tcp(uint8_t *out, uint16_t id, bool response)
{
    size_t n = trace_dns(out + 2, id, response, DNS_TYPE_A);

    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    return n + 2;
}

#endif
