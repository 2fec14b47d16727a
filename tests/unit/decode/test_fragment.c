#include <stdio.h>

#include "hex.h"

/* The datagram of WHOLE with eight more octets of payload, in three pieces of eight. */
#define HEAD    "0303 0035 0018 0000"
#define MIDDLE  "6162636465666768"
#define TAIL    "696a6b6c6d6e6f70"
#define PAYLOAD "abcdefghijklmnop"

enum { MORE = 0x2000 };

static int four(struct bench *b, unsigned id, unsigned flags, const char *bytes)
{
    char text[3000];
    size_t length = 0;

    for (const char *c = bytes; *c; c++)
        length += *c != ' ';
    snprintf(text, sizeof text, "4500 %04zx %04x %04x 4011 0000 c0000201 c0000202 %s",
             20 + length / 2, id, flags, bytes);
    return decode_hex(b, 101, text);
}

static int six(struct bench *b, unsigned next, unsigned offset, const char *bytes)
{
    char text[3000];
    size_t length = 0;

    for (const char *c = bytes; *c; c++)
        length += *c != ' ';
    snprintf(text, sizeof text,
             "60000000 %04zx 2c 40 20010db8000000000000000000000001 "
             "20010db8000000000000000000000002 %02x00 %04x 00000007 %s",
             8 + length / 2, next, offset, bytes);
    return decode_hex(b, 101, text);
}

static void assert_joined(const struct bench *b)
{
    assert_int_equal(b->packet.dport, 53);
    assert_int_equal(b->packet.payload_length, 16);
    assert_memory_equal(b->packet.payload, PAYLOAD, 16);
    assert_int_equal(b->packet.time, b->now);
}

static void in_any_order(void **state)
{
    struct bench *b = *state;

    assert_int_equal(four(b, 1, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 1, MORE | 1, MIDDLE), SD_EAGAIN);
    b->now += NSEC_S;
    assert_int_equal(four(b, 1, 2, TAIL), SD_OK);
    assert_joined(b);
    assert_int_equal(four(b, 2, 2, TAIL), SD_EAGAIN);
    assert_int_equal(four(b, 2, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 3, MORE | 1, MIDDLE), SD_EAGAIN); /* of another datagram */
    assert_int_equal(four(b, 2, MORE | 1, MIDDLE), SD_OK);
    assert_joined(b);
    assert_int_equal(b->stats.fragments, 7);
    assert_int_equal(b->stats.fragments_joined, 2);
    assert_int_equal(b->stats.fragments_dropped, 0);
    decoder_finish(b->decoder, &b->stats);
    assert_int_equal(b->stats.fragments_dropped, 1);
}

static void of_ipv6(void **state)
{
    struct bench *b = *state;

    assert_int_equal(six(b, 99, 17, TAIL + 0), SD_EAGAIN); /* offset 16 and more: not the end */
    assert_int_equal(b->stats.fragments, 1);
    decoder_finish(b->decoder, &b->stats);
    assert_int_equal(six(b, 99, 16, TAIL), SD_EAGAIN);
    assert_int_equal(six(b, 99, 9, MIDDLE), SD_EAGAIN);
    assert_int_equal(six(b, 17, 1, HEAD), SD_OK); /* the first one's next header counts */
    assert_joined(b);
}

static void duplicates_and_overlaps(void **state)
{
    struct bench *b = *state;

    assert_int_equal(four(b, 1, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 1, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 1, MORE | 1, MIDDLE), SD_EAGAIN);
    assert_int_equal(four(b, 1, 2, TAIL), SD_OK);
    assert_joined(b);
    assert_int_equal(b->stats.fragments_dropped, 1);
    /* the same place with other bytes, and a piece across two */
    assert_int_equal(four(b, 2, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 2, MORE, TAIL), SD_EMALF);
    assert_int_equal(four(b, 2, MORE | 1, MIDDLE), SD_ELIMIT); /* given up as a whole */
    assert_int_equal(four(b, 2, 2, TAIL), SD_ELIMIT);
    assert_int_equal(four(b, 3, MORE | 1, MIDDLE), SD_EAGAIN);
    assert_int_equal(four(b, 3, MORE, HEAD MIDDLE), SD_EMALF);
    assert_int_equal(b->stats.fragments,
                     b->stats.fragments_joined * 3 + b->stats.fragments_dropped);
    assert_int_equal(b->stats.malformed_ip, 2);
}

static void odd_lengths(void **state)
{
    struct bench *b = *state;

    assert_int_equal(four(b, 1, MORE, HEAD "00"), SD_EMALF);     /* not a multiple of 8 */
    assert_int_equal(four(b, 2, 0x1fff, HEAD MIDDLE), SD_EMALF); /* beyond 64 KiB */
    assert_int_equal(four(b, 3, 2, TAIL), SD_EAGAIN);
    assert_int_equal(four(b, 3, MORE | 3, MIDDLE), SD_EMALF); /* behind the last */
    assert_int_equal(four(b, 4, MORE | 2, MIDDLE), SD_EAGAIN);
    assert_int_equal(four(b, 4, 1, TAIL), SD_EMALF); /* the last before another */
    b->snap = 20 + 4;
    assert_int_equal(four(b, 5, MORE, HEAD), SD_ETRUNC);
    assert_int_equal(b->stats.fragments, b->stats.fragments_dropped);
}

static void in_time(void **state)
{
    struct bench *b = *state;

    assert_int_equal(four(b, 1, MORE, HEAD), SD_EAGAIN);
    b->now += 31 * NSEC_S;
    assert_int_equal(four(b, 1, MORE | 1, MIDDLE), SD_EAGAIN);
    assert_int_equal(four(b, 1, 2, TAIL), SD_EAGAIN);
    assert_int_equal(four(b, 1, MORE, HEAD), SD_OK);
    assert_joined(b);
    assert_int_equal(b->stats.fragments_dropped, 1);
}

/* A flood of datagrams without an end keeps neither the memory nor others out. */
static void within_bounds(void **state)
{
    struct bench *b = *state;
    char large[2 * 1400 + 1];

    memset(large, '0', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    decoder_destroy(b->decoder);
    b->decoder = decoder_create(true, 7, 16384);
    for (unsigned id = 0; id < 10000; id++)
        assert_int_equal(four(b, id, MORE | 1, large), SD_EAGAIN);
    assert_true(b->stats.fragments_dropped >= 10000 - 12);
    assert_int_equal(four(b, 20000, MORE, HEAD), SD_EAGAIN);
    assert_int_equal(four(b, 20000, MORE | 1, MIDDLE), SD_EAGAIN);
    assert_int_equal(four(b, 20000, 2, TAIL), SD_OK);
    assert_joined(b);
    decoder_finish(b->decoder, &b->stats);
    assert_int_equal(b->stats.fragments, 3 + b->stats.fragments_dropped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_any_order), TEST(of_ipv6), TEST(duplicates_and_overlaps),
        TEST(odd_lengths),  TEST(in_time), TEST(within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
