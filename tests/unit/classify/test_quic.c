#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../fuzz/seal.inc"
#include "base/error.h"
#include "classify/classify.h"
#include "recorded.inc"

static void hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* RFC 9001 A.1 and RFC 9369 A.1. */
static void keys_of_the_standards(void **state)
{
    struct quic_keys client, server;
    char text[2 * QUIC_KEY + 1];

    (void)state;
    quic_keys_derive(1, dcid, sizeof(dcid), &client, &server);
    hex(client.key, sizeof(client.key), text);
    assert_string_equal(text, "1f369613dd76d5467730efcbe3b1a22d");
    hex(client.iv, sizeof(client.iv), text);
    assert_string_equal(text, "fa044b2f42a3fd3b46fb255c");
    hex(client.hp, sizeof(client.hp), text);
    assert_string_equal(text, "9f50449e04a0e810283a1e9933adedd2");
    hex(server.key, sizeof(server.key), text);
    assert_string_equal(text, "cf3a5331653c364c88f0f379b6067e37");
    quic_keys_derive(0x6b3343cf, dcid, sizeof(dcid), &client, &server);
    hex(client.key, sizeof(client.key), text);
    assert_string_equal(text, "8b1a0bc121284290a29e0971b5cd045d");
    hex(server.hp, sizeof(server.hp), text);
    assert_string_equal(text, "edf6d05c83121201b436e16877593c3a");
}

struct talk {
    struct classifier *c;
    void *flow;
    enum classify_answer answer;
    struct tls_facts facts;
};

static void talk_open(struct talk *t)
{
    memset(t, 0, sizeof(*t));
    t->c = classifier_create();
    assert_non_null(t->c);
    t->flow = classifier_ops.flow_open(t->c);
    assert_non_null(t->flow);
}

static void talk_close(struct talk *t)
{
    classifier_ops.flow_close(t->c, t->flow);
    classifier_destroy(t->c);
}

static void say(struct talk *t, int client, const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n);
    struct packet p = {.proto = IP_PROTO_UDP, .payload_length = (uint32_t)n};

    assert_non_null(exact);
    memcpy(exact, bytes, n);
    p.payload = exact;
    p.sport = client ? 40000 : 853;
    p.dport = client ? 853 : 40000;
    t->answer = classifier_ops.flow_feed(t->c, t->flow, &p, client);
    classifier_ops.flow_facts(t->c, t->flow, &t->facts);
    free(exact);
}

static void recorded_initial(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    say(&t, 1, doq_client, sizeof(doq_client));
    assert_int_equal(t.answer, CLASSIFY_MORE);
    assert_int_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_QUIC);
    assert_true(t.facts.hello_seen);
    assert_string_equal(t.facts.sni, "doq.example");
    assert_string_equal(t.facts.alpn, "doq,doq-i12,doq-i11,doq-i03");
    assert_string_equal(t.facts.ja3, "e617173e5ded8d33839c6bae29dc31b0");
    assert_memory_equal(t.facts.ja4, "q13d", 4);
    assert_int_equal(t.facts.quic_version, 1);
    talk_close(&t);
}

static void damaged_initial(void **state)
{
    uint8_t bytes[sizeof(doq_client)];
    struct talk t;

    (void)state;
    talk_open(&t);
    memcpy(bytes, doq_client, sizeof(bytes));
    bytes[600] ^= 1;
    say(&t, 1, bytes, sizeof(bytes));
    assert_false(t.facts.hello_seen);
    say(&t, 1, doq_client, sizeof(doq_client)); /* sent again, whole */
    assert_true(t.facts.hello_seen);
    talk_close(&t);
    for (size_t n = 1; n < sizeof(doq_client); n += 97) {
        talk_open(&t);
        say(&t, 1, doq_client, n);
        assert_false(t.facts.hello_seen);
        talk_close(&t);
    }
}

static size_t crypto_frame(uint8_t *out, const uint8_t *message, size_t from, size_t n)
{
    const uint8_t head[] = {0x06, (uint8_t)(0x40 | from >> 8), (uint8_t)from,
                            (uint8_t)(0x40 | n >> 8), (uint8_t)n};

    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), message + from, n);
    return sizeof(head) + n;
}

/* The ClientHello that went over TCP, in pieces that come last first, over two datagrams, with
 * padding, a PING and an ACK between; then the ServerHello. */
static void shuffled(uint32_t version)
{
    static const uint8_t ack[] = {0x02, 0x00, 0x00, 0x00, 0x00}, ping[] = {0, 0, 1};
    const uint8_t *hello = dot_client + 5;
    size_t length = sizeof(dot_client) - 5, n = 0, part = length / 5;
    uint8_t frames[1200], datagram[1400];
    struct quic_keys client, server;
    struct talk t;

    talk_open(&t);
    quic_keys_derive(version, dcid, sizeof(dcid), &client, &server);
    n += crypto_frame(frames + n, hello, 4 * part, length - 4 * part);
    memcpy(frames + n, ping, sizeof(ping));
    n += sizeof(ping);
    n += crypto_frame(frames + n, hello, 2 * part, part);
    say(&t, 1, datagram, seal(version, &client, 0, frames, n, datagram));
    assert_int_equal(t.answer, CLASSIFY_MORE);
    assert_int_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_QUIC);
    assert_false(t.facts.hello_seen);
    n = crypto_frame(frames, hello, 3 * part - 9, part + 9); /* overlaps */
    memcpy(frames + n, ack, sizeof(ack));
    n += sizeof(ack);
    n += crypto_frame(frames + n, hello, part, part);
    n += crypto_frame(frames + n, hello, 0, part);
    say(&t, 1, datagram, seal(version, &client, 1, frames, n, datagram));
    assert_true(t.facts.hello_seen);
    assert_string_equal(t.facts.sni, "dns.example");
    n = crypto_frame(frames, dot_server + 5, 0, (size_t)dot_server[3] << 8 | dot_server[4]);
    say(&t, 0, datagram, seal(version, &server, 0, frames, n, datagram));
    assert_int_equal(t.answer, CLASSIFY_DONE);
    assert_true(t.facts.server_hello_seen);
    assert_int_equal(t.facts.version, 0x0304);
    assert_int_equal(t.facts.quic_version, version);
    talk_close(&t);
}

static void shuffled_hello(void **state)
{
    (void)state;
    shuffled(1);
    shuffled(0x6b3343cf);
}

static void frames_beyond_all_bounds(void **state)
{
    static const uint8_t frames[] = {0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0x01, 0x00, 0x06, 0x00, 0xbf, 0xff, 0xff,
                                     0xff, 0x02, 0xff, 0xff, 0xff, 0xff};
    struct quic_keys client, server;
    uint8_t datagram[200];
    struct talk t;

    (void)state;
    talk_open(&t);
    quic_keys_derive(1, dcid, sizeof(dcid), &client, &server);
    say(&t, 1, datagram, seal(1, &client, 0, frames, sizeof(frames), datagram));
    assert_int_equal(t.answer, CLASSIFY_MORE);
    assert_false(t.facts.hello_seen);
    talk_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_standards),    cmocka_unit_test(recorded_initial),
        cmocka_unit_test(damaged_initial),          cmocka_unit_test(shuffled_hello),
        cmocka_unit_test(frames_beyond_all_bounds),
    };

    (void)tls12_client;
    (void)tls12_server;
    (void)tls12_resumed_client;
    (void)tls12_resumed_server;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
