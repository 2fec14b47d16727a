#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "classify/classify.h"
#include "recorded.inc"

#define FACTS(c, f, out) classifier_ops.flow_facts(c, f, out)

struct talk {
    struct classifier *c;
    void *flow;
    uint32_t seq[2];
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
    t->seq[0] = 0xffffff00; /* wraps within the handshake */
    t->seq[1] = 4000;
}

static void talk_close(struct talk *t)
{
    classifier_ops.flow_close(t->c, t->flow);
    classifier_destroy(t->c);
}

static void say_at(struct talk *t, uint8_t proto, int client, uint32_t seq, const uint8_t *bytes,
                   size_t n)
{
    uint8_t *exact = malloc(n);
    struct packet p = {.proto = proto, .seq = seq, .payload_length = (uint32_t)n};

    assert_non_null(exact);
    memcpy(exact, bytes, n);
    p.payload = exact;
    p.sport = client ? 40000 : 853;
    p.dport = client ? 853 : 40000;
    t->answer = classifier_ops.flow_feed(t->c, t->flow, &p, client);
    FACTS(t->c, t->flow, &t->facts);
    free(exact);
}

/* In segments of at most `step` octets, until the classifier has enough. */
static void say(struct talk *t, int client, const uint8_t *bytes, size_t length, size_t step)
{
    for (size_t at = 0; at < length && t->answer == CLASSIFY_MORE; at += step) {
        size_t n = length - at < step ? length - at : step;

        say_at(t, IP_PROTO_TCP, client, t->seq[client], bytes + at, n);
        t->seq[client] += (uint32_t)n;
    }
}

static void check_tls13(const struct tls_facts *f)
{
    assert_true(f->hello_seen && f->server_hello_seen);
    assert_string_equal(f->sni, "dns.example");
    assert_string_equal(f->alpn, "dot");
    assert_string_equal(f->alpn_selected, "");
    assert_int_equal(f->version, 0x0304);
    assert_int_equal(f->version_offered, 0x0304);
    assert_int_equal(f->cipher, 0x1302);
    assert_string_equal(f->ja3, "5a1edc7f170af1014fc65c994878e63c");
    assert_string_equal(f->ja3s, "15af977ce25de452b96affa2addb1036");
    assert_memory_equal(f->ja4, "t13d", 4);
    assert_false(f->ech || f->resumed || f->certificate_seen);
}

static void tls13(void **state)
{
    static const size_t steps[] = {5000, 200, 7, 20};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct talk t;

        talk_open(&t);
        say(&t, 1, dot_client, sizeof(dot_client), steps[i] < 20 ? 20 : steps[i]);
        assert_int_equal(t.answer, CLASSIFY_MORE);
        assert_true(t.facts.hello_seen); /* known before the server says anything */
        say(&t, 0, dot_server, sizeof(dot_server), steps[i]);
        assert_int_equal(t.answer, CLASSIFY_DONE);
        assert_int_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_TLS);
        check_tls13(&t.facts);
        talk_close(&t);
    }
}

static void check_tls12(const struct tls_facts *f)
{
    static const uint8_t sha1[] = {0xf1, 0xe5, 0xc2, 0x5b, 0x49, 0x55, 0x2d, 0x4f, 0xb3, 0x5f,
                                   0x68, 0x0c, 0x36, 0x2f, 0x72, 0x95, 0xbd, 0xb1, 0x9a, 0xa4};
    static const uint8_t spki[] = {0x8e, 0xa3, 0xc4, 0xb9, 0x28, 0xfe, 0xd4, 0x25, 0x28, 0x51, 0x0c,
                                   0xb4, 0x52, 0x70, 0x56, 0xe3, 0x51, 0x1c, 0x12, 0x02, 0x0e, 0xc3,
                                   0x0e, 0x94, 0x8c, 0x5d, 0x48, 0x7c, 0xa2, 0xc0, 0xc3, 0xdb};
    char text[TIME_TEXT];

    assert_int_equal(f->version, 0x0303);
    assert_string_equal(f->alpn, "h2,http/1.1");
    assert_string_equal(f->alpn_selected, "h2");
    assert_true(f->certificate_seen);
    assert_memory_equal(f->certificate_sha1, sha1, sizeof(sha1));
    assert_string_equal(f->subject, "C=AQ, O=Example Resolver, CN=dns.example");
    assert_string_equal(f->issuer, f->subject);
    assert_string_equal(f->certificate_names, "dns.example");
    assert_true(f->sni_certified && !f->names_cut);
    assert_int_equal(f->chain, 1);
    assert_memory_equal(f->spki_sha256[0], spki, sizeof(spki));
    assert_string_equal(time_text(f->not_before, text), "2026-11-21T13:22:50.000000Z");
    assert_string_equal(time_text(f->not_after, text), "2036-11-18T13:22:50.000000Z");
    assert_string_equal(f->ja3, "22558766122974704364c9c75c5cce0a");
    assert_string_equal(f->ja3s, "e195432758194ce2d482396b82e0d48e");
    assert_false(f->resumed);
}

static void tls12_with_certificate(void **state)
{
    static const size_t steps[] = {5000, 536, 40};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct talk t;

        talk_open(&t);
        say(&t, 1, tls12_client, sizeof(tls12_client), 300);
        say(&t, 0, tls12_server, sizeof(tls12_server), steps[i]);
        assert_int_equal(t.answer, CLASSIFY_DONE);
        check_tls12(&t.facts);
        talk_close(&t);
    }
}

static void tls12_resumed(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    say(&t, 1, tls12_resumed_client, sizeof(tls12_resumed_client), 5000);
    say(&t, 0, tls12_resumed_server, sizeof(tls12_resumed_server), 5000);
    assert_int_equal(t.answer, CLASSIFY_DONE);
    assert_true(t.facts.resumed);
    assert_false(t.facts.certificate_seen);
    assert_int_equal(t.facts.version, 0x0303);
    talk_close(&t);
}

static void said_twice(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    say_at(&t, IP_PROTO_TCP, 1, 1, dot_client, 100);
    say_at(&t, IP_PROTO_TCP, 1, 1, dot_client, 100);
    say_at(&t, IP_PROTO_TCP, 1, 51, dot_client + 50, 100);
    assert_false(t.facts.hello_seen);
    say_at(&t, IP_PROTO_TCP, 1, 101, dot_client + 100, sizeof(dot_client) - 100);
    assert_true(t.facts.hello_seen);
    assert_string_equal(t.facts.sni, "dns.example");
    talk_close(&t);
}

/* The middle of the ClientHello was not captured: nothing of it is made up, the rest is read. */
static void hole(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    say_at(&t, IP_PROTO_TCP, 1, 1, dot_client, 100);
    say_at(&t, IP_PROTO_TCP, 1, 201, dot_client + 200, sizeof(dot_client) - 200);
    assert_false(t.facts.hello_seen);
    say(&t, 0, dot_server, sizeof(dot_server), 5000);
    assert_true(t.facts.server_hello_seen);
    assert_string_equal(t.facts.sni, "");
    assert_int_equal(t.facts.version, 0x0304);
    talk_close(&t);
}

/* Both sides lose a segment: it stays a TLS flow, with what was read before. */
static void holes_on_both_sides(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    say_at(&t, IP_PROTO_TCP, 1, 1, tls12_client, sizeof(tls12_client));
    say_at(&t, IP_PROTO_TCP, 0, 1, tls12_server, 300);
    say_at(&t, IP_PROTO_TCP, 0, 500, tls12_server + 499, sizeof(tls12_server) - 499);
    say_at(&t, IP_PROTO_TCP, 1, 1000, tls12_client + 50, 100);
    assert_int_equal(t.answer, CLASSIFY_MORE);
    assert_int_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_TLS);
    assert_string_equal(t.facts.sni, "dns.example");
    assert_int_equal(t.facts.version, 0x0303);
    assert_false(t.facts.certificate_seen);
    talk_close(&t);
}

static void warning_before_the_server_hello(void **state)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 1, 112};
    struct talk t;

    (void)state;
    talk_open(&t);
    say(&t, 1, tls12_client, sizeof(tls12_client), 5000);
    say(&t, 0, alert, sizeof(alert), 7);
    assert_int_equal(t.answer, CLASSIFY_MORE);
    say(&t, 0, tls12_server, sizeof(tls12_server), 5000);
    check_tls12(&t.facts);
    talk_close(&t);
}

static void refused_by_alert(void **state)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    struct talk t;

    (void)state;
    talk_open(&t);
    say(&t, 1, dot_client, sizeof(dot_client), 5000);
    say(&t, 0, alert, sizeof(alert), 7);
    assert_int_equal(t.answer, CLASSIFY_DONE);
    assert_true(t.facts.hello_seen);
    assert_false(t.facts.server_hello_seen);
    talk_close(&t);
}

static void joined_in_the_middle(void **state)
{
    static const uint8_t record[] = {23, 3, 3, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    struct talk t;

    (void)state;
    talk_open(&t);
    say(&t, 1, record, sizeof(record), 100);
    assert_int_equal(t.answer, CLASSIFY_DONE);
    assert_int_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_TLS);
    assert_false(t.facts.hello_seen);
    talk_close(&t);
}

static void not_tls(void **state)
{
    static const char ask[] = "GET / HTTP/1.1\r\nHost: example.net\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct talk t;

    (void)state;
    talk_open(&t);
    for (int i = 0; i < 12 && t.answer == CLASSIFY_MORE; i++) {
        say(&t, 1, (const uint8_t *)ask, sizeof(ask) - 1, 1000);
        say(&t, 0, (const uint8_t *)answer, sizeof(answer) - 1, 1000);
    }
    assert_int_equal(t.answer, CLASSIFY_NOT_TLS);
    assert_int_not_equal(classifier_ops.flow_guess(t.c, t.flow), GUESS_TLS);
    talk_close(&t);
}

static void version_text(void **state)
{
    (void)state;
    assert_memory_equal(classifier_version(), "nDPI ", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls13),
        cmocka_unit_test(tls12_with_certificate),
        cmocka_unit_test(tls12_resumed),
        cmocka_unit_test(said_twice),
        cmocka_unit_test(hole),
        cmocka_unit_test(holes_on_both_sides),
        cmocka_unit_test(warning_before_the_server_hello),
        cmocka_unit_test(refused_by_alert),
        cmocka_unit_test(joined_in_the_middle),
        cmocka_unit_test(not_tls),
        cmocka_unit_test(version_text),
    };

    (void)doq_client;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
