#include "trace.h"

struct bytes {
    size_t length;
    uint8_t at[1024];
};

static void put(struct bytes *b, const void *from, size_t n)
{
    memcpy(b->at + b->length, from, n);
    b->length += n;
}

static void put_number(struct bytes *b, size_t octets, size_t n)
{
    while (octets-- > 0)
        b->at[b->length++] = (uint8_t)(n >> 8 * octets);
}

#define PUT(b, text) put(b, text, sizeof(text) - 1)

/* Payloads are copied into blocks of exactly their size, so that a read beyond them is seen. */
static const struct observation *give(struct trace *t, uint16_t from, uint16_t to,
                                      const struct bytes *b)
{
    struct packet p = trace_packet(t, 1);
    uint8_t *copy = test_malloc(b->length ? b->length : 1);
    size_t before = t->count;

    memcpy(copy, b->at, b->length);
    p.proto = from ? IP_PROTO_UDP : IP_PROTO_ICMPV6;
    p.icmp_type = from ? 0 : 134;
    p.ttl = 255;
    p.sport = from;
    p.dport = to;
    p.payload = copy;
    p.payload_length = (uint32_t)b->length;
    trace_give(t, &p);
    test_free(copy);
    return t->count > before ? &t->told[t->count - 1] : NULL;
}

/* 240 octets: op, the address given, the station 02:00:00:00:00:09. */
static void dhcp4(struct bytes *b, uint8_t op, const char *own)
{
    static const uint8_t zeros[202];

    b->length = 0;
    put_number(b, 1, op);
    PUT(b, "\1\6\0\1\2\3\4\0\0\0\0\0\0\0\0");
    put(b, own, 4);
    put(b, zeros, 8);
    PUT(b, "\2\0\0\0\0\11");
    put(b, zeros, 202);
    PUT(b, "\x63\x82\x53\x63");
}

#define ADN    "\3dns\5Rogue\7example\0"
#define PARAMS "\0\1\0\7\3dot\2h2\0\3\0\2\3\x55"

/* RFC 9463: lengths of one octet (DHCPv4) or two. */
static void put_designation(struct bytes *b, size_t octets, const void *address, size_t size)
{
    PUT(b, "\0\1");
    if (octets == 0) { /* a router's: lifetime */
        PUT(b, "\0\0\xe\x10");
        octets = 2;
    }
    put_number(b, octets, sizeof ADN - 1);
    PUT(b, ADN);
    put_number(b, octets, size);
    put(b, address, size);
}

static void assert_designation(const struct observation *o)
{
    const struct lease_designation *d = &o->lease.designation[0];

    assert_int_equal(o->lease.designation_count, 1);
    assert_string_equal(d->name, "dns.rogue.example");
    assert_int_equal(d->service.transports, 1u << TRANSPORT_DOT | 1u << TRANSPORT_DOH2);
    assert_int_equal(d->service.port, 853);
    assert_int_equal(d->service.hint_count, 1);
}

static void an_acknowledgment_says_who_has_which_address(void **state)
{
    struct trace t;
    struct bytes b, dnr = {.length = 0};
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    dhcp4(&b, 2, "\12\24\0\7");
    PUT(&b, "\65\1\5\66\4\12\24\0\1\63\4\0\0\xe\x10\14\6Lap\001op");
    PUT(&b, "\6\10\12\24\0\1\10\10\10\10");
    put_designation(&dnr, 1, "\xc6\x33\x64\x35", 4);
    PUT(&dnr, PARAMS);
    PUT(&b, "\xa2\12\0"); /* in two pieces: RFC 3396 */
    put_number(&b, 1, dnr.length);
    put(&b, dnr.at, 8);
    put_number(&b, 2, 0xa200 | (dnr.length - 8));
    put(&b, dnr.at + 8, dnr.length - 8);
    PUT(&b, "\xff");
    o = give(&t, 67, 68, &b);
    assert_non_null(o);
    assert_int_equal(o->kind, OBSERVE_LEASE);
    assert_int_equal(o->lease.step, LEASE_GIVEN);
    assert_int_equal(o->station, 0x020000000009);
    assert_int_equal(o->lease.giver, 2);
    assert_true(addr_equal(&o->client, &o->lease.address[0]));
    assert_int_equal(o->client.b[15], 7);
    assert_int_equal(o->server.b[12], 10);
    assert_int_equal(o->lease.lifetime_s, 3600);
    assert_string_equal(o->lease.host, "lap\\001op");
    assert_int_equal(o->lease.resolver_count, 2);
    assert_designation(o);
    assert_int_equal(t.stats.leases, 1);
    assert_int_equal(t.stats.dns_queries + t.stats.dns_responses + t.stats.unsupported, 0);
    trace_end(&t);
}

static void a_request_says_the_host_name_only(void **state)
{
    struct trace t;
    struct bytes b;
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    dhcp4(&b, 1, "\0\0\0\0");
    PUT(&b, "\65\1\3\14\4desk\xff");
    o = give(&t, 68, 67, &b);
    assert_int_equal(o->lease.step, LEASE_ASKED);
    assert_string_equal(o->lease.host, "desk");
    assert_true(addr_is_zero(&o->client));
    dhcp4(&b, 1, "\0\0\0\0"); /* without a name there is nothing to tell */
    PUT(&b, "\65\1\3\xff");
    assert_null(give(&t, 68, 67, &b));
    assert_int_equal(t.stats.leases_malformed, 0);
    dhcp4(&b, 2, "\12\24\0\7"); /* a refusal */
    PUT(&b, "\65\1\6\xff");
    assert_null(give(&t, 67, 68, &b));
    trace_end(&t);
}

static void dhcp6_says_the_same(void **state)
{
    static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
    struct trace t;
    struct bytes b = {.length = 0}, dnr = {.length = 0};
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    t.v6 = true;
    PUT(&b, "\7\1\2\3\0\1\0\12\0\3\0\1\2\0\0\0\0\11");
    PUT(&b, "\0\3\0\50\0\0\0\1\0\0\0\0\0\0\0\0\0\5\0\30");
    put(&b, six, 16);
    PUT(&b, "\0\0\0\0\0\0\x1c\x20\0\27\0\20");
    put(&b, six, 16);
    PUT(&b, "\0\47\0\5\0\3Lab\0\x90");
    put_designation(&dnr, 2, six, 16);
    PUT(&dnr, PARAMS);
    put_number(&b, 2, dnr.length);
    put(&b, dnr.at, dnr.length);
    o = give(&t, 547, 546, &b);
    assert_non_null(o);
    assert_int_equal(o->lease.step, LEASE_GIVEN);
    assert_int_equal(o->station, 1); /* where the reply went */
    assert_int_equal(o->client.b[15], 7);
    assert_int_equal(o->lease.lifetime_s, 7200);
    assert_int_equal(o->lease.resolver_count, 1);
    assert_string_equal(o->lease.host, "lab");
    assert_designation(o);
    trace_end(&t);
}

static void a_router_says_which_resolvers_there_are(void **state)
{
    static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
    struct trace t;
    struct bytes b = {.length = 0}, dnr = {.length = 0};
    const struct observation *o;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    t.v6 = true;
    PUT(&b, "\100\0\7\10\0\0\0\0\0\0\0\0");
    PUT(&b, "\3\4\100\xc0\0\0\xe\x10\0\0\xe\x10\0\0\0\0");
    put(&b, six, 16);
    PUT(&b, "\31\3\0\0\0\0\xe\x10");
    put(&b, six, 16);
    PUT(&b, "\31\3\0\0\0\0\0\0"); /* taken back */
    put(&b, six, 16);
    put_designation(&dnr, 0, six, 16);
    put_number(&dnr, 2, sizeof PARAMS - 1);
    PUT(&dnr, PARAMS);
    put_number(&b, 2, 0x9000 | ((dnr.length + 2 + 7) / 8));
    put(&b, dnr.at, dnr.length);
    while (b.length % 8 != 4)
        put_number(&b, 1, 0);
    o = give(&t, 0, 0, &b);
    assert_non_null(o);
    assert_int_equal(o->lease.source, LEASE_ROUTER);
    assert_int_equal(o->lease.resolver_count, 1);
    assert_int_equal(o->lease.address_count, 1);
    assert_int_equal(o->station, 0);
    assert_designation(o);
    trace_end(&t);
}

/* Every cut of a message is malformed, whole or nothing, and never read beyond. */
static void what_is_cut_short_is_counted(void **state)
{
    struct trace t;
    struct bytes b, cut;
    uint64_t seen = 0;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    dhcp4(&b, 2, "\12\24\0\7");
    PUT(&b, "\65\1\5\66\4\12\24\0\1\14\6laptop\6\10\12\24\0\1\10\10\10\10\xa2\3\0\7\1\xff");
    for (size_t n = 0; n <= b.length; n++) {
        cut = b;
        cut.length = n;
        seen += give(&t, 67, 68, &cut) != NULL;
        give(&t, 547, 546, &cut);
        give(&t, 0, 0, &cut);
    }
    assert_true(t.stats.leases_malformed > b.length);
    assert_true(seen > 0 && seen < 40);
    trace_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_acknowledgment_says_who_has_which_address),
        cmocka_unit_test(a_request_says_the_host_name_only),
        cmocka_unit_test(dhcp6_says_the_same),
        cmocka_unit_test(a_router_says_which_resolvers_there_are),
        cmocka_unit_test(what_is_cut_short_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
