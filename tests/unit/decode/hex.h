/* Frames written as hexadecimal text, for the tests of decode/. */
#ifndef TESTS_DECODE_HEX_H
#define TESTS_DECODE_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "decode/decode.h"

/* 192.0.2.1:771 -> 192.0.2.2:53 and the same over IPv6, payload "abcd". */
#define UDP   "0303 0035 000c 0000 61626364 "
#define IP4   "4500 0020 1234 0000 4011 0000 c0000201 c0000202 "
#define IP6   "60000000 000c 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define MACS  "020000000002 020000000001 "
#define ETHER MACS "0800 "
#define WHOLE IP4 UDP

struct bench {
    struct decoder *decoder;
    struct stats stats;
    struct packet packet;
    nsec_t now;
    uint32_t snap; /* of the wire's bytes these are captured, 0: all */
    uint8_t bytes[4096];
};

static inline uint32_t from_hex(const char *text, uint8_t *out, size_t room)
{
    uint32_t count = 0;

    for (; *text; text++) {
        static const char digits[] = "0123456789abcdef";

        if (*text == ' ')
            continue;
        assert_non_null(strchr(digits, text[0]));
        assert_non_null(strchr(digits, text[1]));
        assert_true(count < room);
        out[count++] =
            (uint8_t)((strchr(digits, text[0]) - digits) * 16 + (strchr(digits, text[1]) - digits));
        text++;
    }
    return count;
}

/* The frame is copied into a block of exactly its size, so that a read beyond it is seen. */
static inline int decode_hex(struct bench *b, int linktype, const char *text)
{
    uint32_t length = from_hex(text, b->bytes, sizeof b->bytes);
    uint32_t captured = b->snap && b->snap < length ? b->snap : length;
    uint8_t *copy = test_malloc(captured ? captured : 1);
    struct frame frame = {.bytes = copy,
                          .captured = captured,
                          .length = length,
                          .time = b->now,
                          .linktype = linktype,
                          .iface = 5};
    int result;

    memcpy(copy, b->bytes, captured);
    result = decode_frame(b->decoder, &frame, &b->packet, &b->stats);
    if (result == 0 && b->packet.payload_length <= sizeof b->bytes) {
        memcpy(b->bytes, b->packet.payload, b->packet.payload_length);
        b->packet.payload = b->bytes;
    }
    test_free(copy);
    return result;
}

/* The frame holds the datagram that WHOLE or its IPv6 twin is. */
static inline void assert_whole(struct bench *b, int linktype, const char *text)
{
    assert_int_equal(decode_hex(b, linktype, text), SD_OK);
    assert_int_equal(b->packet.proto, IP_PROTO_UDP);
    assert_int_equal(b->packet.sport, 771);
    assert_int_equal(b->packet.dport, 53);
    assert_int_equal(b->packet.payload_length, 4);
    assert_memory_equal(b->packet.payload, "abcd", 4);
    assert_int_equal(b->packet.iface, 5);
    assert_int_equal(b->packet.time, b->now);
    assert_int_equal(b->packet.src.b[15], 1);
    assert_int_equal(b->packet.dst.b[15], 2);
}

static inline int bench_set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    bench.now = 1000 * NSEC_S;
    bench.decoder = decoder_create(true, 7, 0);
    assert_non_null(bench.decoder);
    *state = &bench;
    return 0;
}

static inline int bench_tear_down(void **state)
{
    decoder_destroy(((struct bench *)*state)->decoder);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

#endif
