/* The first answer of a VPN's server, and what only looks like it. */
#include "trace.h"

struct datagram {
    uint16_t from;
    size_t length;
    uint8_t at[92];
};

static const struct datagram wireguard = {51820, 92, {2, 0, 0, 0, 9, 9, 9, 9, 1, 2, 3, 4}};
static const struct datagram ike = {
    500, 60, {1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1, 33, 0x20, 34, 0x20, 0, 0, 0, 0}};
static const struct datagram ike_behind_nat = {
    4500, 64, {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1, 33, 0x20, 34, 0x20}};
static const struct datagram ike_old = {
    500, 60, {1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0x10, 2, 0, 0, 0, 0, 0}};
static const struct datagram openvpn = {1194, 26, {0x40, 1, 2, 3, 4, 5, 6, 7, 8, 1}};

/* As a block of exactly its size, so that a read beyond it is seen. */
static enum vpn give(struct trace *t, const struct datagram *d, size_t length)
{
    struct packet p = trace_packet(t, 1);
    uint8_t *copy = test_malloc(length ? length : 1);
    size_t before = t->count;

    memcpy(copy, d->at, length);
    p.sport = d->from;
    p.dport = 40000;
    p.payload = copy;
    p.payload_length = (uint32_t)length;
    trace_give(t, &p);
    test_free(copy);
    if (t->count == before)
        return VPN_NONE;
    assert_int_equal(t->told[before].kind, OBSERVE_VPN);
    return (enum vpn)t->told[before].vpn;
}

static void each_is_told_by_its_answer(void **state)
{
    struct addr client;
    struct trace t;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    client = trace_addr(&t, 0);
    assert_int_equal(give(&t, &wireguard, wireguard.length), VPN_WIREGUARD);
    assert_int_equal(give(&t, &ike, ike.length), VPN_IKE);
    assert_int_equal(give(&t, &ike_behind_nat, ike_behind_nat.length), VPN_IKE);
    assert_int_equal(give(&t, &ike_old, ike_old.length), VPN_IKE);
    assert_int_equal(give(&t, &openvpn, openvpn.length), VPN_OPENVPN);
    assert_int_equal(t.stats.vpns, 5);
    assert_memory_equal(&t.told[0].client, &client, sizeof client);
    assert_int_equal(t.told[0].station, 1);
    assert_int_equal(t.told[0].server_port, 51820);
    trace_end(&t);
}

static struct datagram altered(const struct datagram *from, size_t at, uint8_t to)
{
    struct datagram d = *from;

    d.at[at] = to;
    return d;
}

static void nothing_else_is(void **state)
{
    const struct datagram no[] = {
        altered(&wireguard, 0, 1),      /* the question */
        altered(&wireguard, 0, 4),      /* traffic */
        altered(&wireguard, 3, 1),      /* what is reserved is zero */
        altered(&ike, 18, 36),          /* a new key within the tunnel */
        altered(&ike, 19, 0x08),        /* the question, with an SPI of a peer that left */
        altered(&ike, 17, 0x30),        /* a version that does not exist */
        altered(&ike_old, 18, 5),       /* informational */
        altered(&ike_behind_nat, 0, 1), /* ESP: an SPI is never zero */
        altered(&openvpn, 0, 0x38),     /* the question */
        altered(&openvpn, 0, 9 << 3),   /* traffic */
    };
    struct datagram unanswered = ike;
    struct trace t;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_int_equal(give(&t, &no[i], no[i].length), VPN_NONE);
    memset(unanswered.at + 8, 0, 8);
    assert_int_equal(give(&t, &unanswered, unanswered.length), VPN_NONE);
    assert_int_equal(give(&t, &wireguard, wireguard.length - 1), VPN_NONE);
    unanswered = ike;
    unanswered.from = 501;
    assert_int_equal(give(&t, &unanswered, ike.length), VPN_NONE);
    assert_int_equal(t.stats.vpns, 0);
    trace_end(&t);
}

static void what_is_cut_short_is_read_to_its_end(void **state)
{
    const struct datagram *all[] = {&wireguard, &ike, &ike_behind_nat, &ike_old, &openvpn};
    const size_t least[] = {92, 20, 24, 20, 14};
    struct trace t;

    (void)state;
    trace_begin(&t, IP_PROTO_UDP, 53);
    for (size_t i = 0; i < 5; i++)
        for (size_t n = 0; n <= all[i]->length; n++)
            assert_int_equal(give(&t, all[i], n) != VPN_NONE, n >= least[i]);
    trace_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_by_its_answer),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(what_is_cut_short_is_read_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
