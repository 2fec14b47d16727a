/* What is taken at one go is what the walk from layer to layer gives; anything else is left to it.
 */
#include "decode/plain.h"

#include "hex.h"

#define ADDR4 "c0000201 c0000202 "
#define ADDR6 "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP   "0303 01bb 01020304 05060708 5012 1000 0000 0000 "

static bool is_plain(struct bench *b, const char *text)
{
    struct packet plain, walked;
    struct stats none = {0};
    uint32_t length = from_hex(text, b->bytes, sizeof b->bytes);
    struct frame frame = {.bytes = b->bytes,
                          .captured = length,
                          .length = length + 9,
                          .time = b->now,
                          .linktype = 1,
                          .iface = 5};

    if (!plain_frame(&frame, true, &plain))
        return false;
    assert_int_equal(walk_frame(b->decoder, &frame, &walked, &b->stats), SD_OK);
    assert_memory_equal(&plain, &walked, offsetof(struct packet, quote));
    assert_int_equal(plain.quote.proto, 0);
    assert_memory_equal(&b->stats, &none, sizeof none);
    return true;
}

static void usual(void **state)
{
    struct bench *b = *state;

    assert_true(is_plain(b, ETHER WHOLE));
    assert_true(is_plain(b, ETHER WHOLE "000000000000ffff")); /* padding of Ethernet */
    assert_true(is_plain(b, MACS "86dd " IP6 UDP));
    assert_true(is_plain(b, MACS "86dd " IP6 UDP "ffff"));
    assert_true(is_plain(b, ETHER "4500 0024 1234 4000 4011 0000 " ADDR4 UDP "ffffffff"));
    assert_true(is_plain(b, ETHER "4500 002a 0000 4000 4006 0000 " ADDR4 TCP "6869 0000"));
    assert_true(is_plain(b, ETHER "4500 002c 0000 4000 4006 0000 " ADDR4
                                  "0303 01bb 01020304 05060708 6002 1000 0000 0000 02040218"));
    assert_true(is_plain(b, MACS "86dd 60000000 0014 06 40 " ADDR6 TCP));
}

static void left_to_the_walk(void **state)
{
    static const char *const frames[] = {
        MACS "8100 0001 0800 " WHOLE,                                 /* a tag */
        MACS "0806 0001",                                             /* ARP */
        ETHER "4600 0024 0000 0000 4011 0000 " ADDR4 "01010100 " UDP, /* an option */
        ETHER "4500 0020 1234 2000 4011 0000 " ADDR4 UDP,             /* a fragment */
        ETHER "4500 0020 1234 0001 4011 0000 " ADDR4 UDP,             /* ... */
        ETHER "4500 0000 1234 0000 4011 0000 " ADDR4 UDP,             /* left to the card */
        ETHER "4500 0013 1234 0000 4011 0000 " ADDR4 UDP,             /* shorter than a header */
        ETHER "4500 0021 1234 0000 4011 0000 " ADDR4 UDP,             /* longer than the frame */
        ETHER "4500 0020 1234 0000 4001 0000 " ADDR4 "0800 0000 00000000", /* ICMP */
        ETHER IP6 UDP,                                                     /* the type says IPv4 */
        MACS "86dd " WHOLE,                                                /* the type says IPv6 */
        MACS "86dd 60000000 0000 11 40 " ADDR6 UDP,                        /* a jumbogram */
        MACS "86dd 60000000 000d 11 40 " ADDR6 UDP,                     /* longer than the frame */
        MACS "86dd 60000000 0014 00 40 " ADDR6 "1100010400000000 " UDP, /* an extension */
        ETHER IP4 "0303 0035 0000 0000 61626364",                       /* no length */
        ETHER IP4 "0303 0035 0007 0000 61626364",                       /* less than a header */
        ETHER IP4 "0303 0035 000d 0000 61626364",                       /* beyond the datagram */
        ETHER "4500 002a 0000 4000 4006 0000 " ADDR4
              "0303 01bb 01020304 05060708 4012 1000 0000 0000 6869", /* TCP without a header */
        ETHER "4500 002a 0000 4000 4006 0000 " ADDR4
              "0303 01bb 01020304 05060708 6012 1000 0000 0000 6869", /* ... or half an option */
    };

    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        assert_false(is_plain(*state, frames[i]));
}

/* Cut anywhere, the frame is not taken, and nothing is read beyond its end. */
static void cut_short(void **state)
{
    struct bench *b = *state;
    uint32_t whole = from_hex(ETHER WHOLE, b->bytes, sizeof b->bytes);

    for (uint32_t captured = 0; captured < whole; captured++) {
        uint8_t *copy = test_malloc(captured ? captured : 1);
        struct frame frame = {.bytes = copy, .captured = captured, .length = whole, .linktype = 1};

        memcpy(copy, b->bytes, captured);
        assert_false(plain_frame(&frame, true, &b->packet));
        test_free(copy);
    }
}

/* VXLAN in UDP: a tunnel only for who looks into tunnels, and only when it looks like one. */
static void tunnels(void **state)
{
    static const char vxlan[] = ETHER "4500 0052 1234 0000 4011 0000 " ADDR4
                                      "0303 12b5 003e 0000 08000000 00000100 " ETHER WHOLE;
    struct bench *b = *state;
    uint32_t length = from_hex(vxlan, b->bytes, sizeof b->bytes);
    struct frame frame = {.bytes = b->bytes, .captured = length, .length = length, .linktype = 1};

    assert_false(plain_frame(&frame, true, &b->packet));
    assert_true(plain_frame(&frame, false, &b->packet));
    assert_int_equal(b->packet.dport, 4789);
    assert_true(is_plain(b, ETHER IP4 "0303 12b5 000c 0000 61626364"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(usual),
        TEST(left_to_the_walk),
        TEST(cut_short),
        TEST(tunnels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
