/* TLS conversations into an observer: records of nothing but their type and length. */
#ifndef SEALDNS_TESTS_OBSERVE_TLS_TRACE_H
#define SEALDNS_TESTS_OBSERVE_TLS_TRACE_H

#include "trace.h"

static struct trace t;

/* A record of this type with `length` bytes of nothing. */
static inline size_t record(uint8_t *out, uint8_t type, uint16_t length)
{
    memset(out, 0, 5u + length);
    out[0] = type;
    out[1] = 3;
    out[2] = 3;
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)length;
    return 5u + length;
}

static inline void send_record(int side, uint8_t type, uint16_t length)
{
    uint8_t bytes[8192];

    trace_data(&t, side, bytes, record(bytes, type, length));
}

static inline void begin(uint16_t port)
{
    trace_begin(&t, IP_PROTO_TCP, port);
    trace_handshake(&t);
    t.now += NSEC_MS;
}

/* A policy that knows the server's address, which is nobody else's. */
static inline struct policy *use_resolver(void)
{
    struct policy *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->zones = calloc(2, sizeof *p->zones);
    p->zone_count = 2;
    p->resolvers = calloc(1, sizeof *p->resolvers);
    p->resolver_count = 1;
    p->resolvers->addresses = calloc(1, sizeof *p->resolvers->addresses);
    p->resolvers->address_count = 1;
    p->resolvers->addresses->addr = trace_addr(&t, 1);
    assert_int_equal(policy_compile(p), 0);
    observer_use_policy(t.observer, p);
    return p;
}

/* TLS 1.3 up to the server's flight, split as servers do. */
static inline void hello(void)
{
    uint8_t bytes[4096];
    size_t n;

    send_record(0, 22, 300);
    t.now += NSEC_MS;
    n = record(bytes, 22, 122);
    n += record(bytes + n, 20, 1);
    n += record(bytes + n, 23, 40);
    n += record(bytes + n, 23, 1500);
    trace_data(&t, 1, bytes, 900);
    trace_data(&t, 1, bytes + 900, n - 900);
    t.now += NSEC_MS;
}

static inline void finished(void)
{
    send_record(0, 20, 1);
    send_record(0, 23, 53);
}

#endif
