#include "hex.h"

static void ethernet_and_tags(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 1, ETHER WHOLE);
    assert_int_equal(b->packet.vlan, 0);
    assert_whole(b, 1, MACS "86dd " IP6 UDP);
    assert_false(addr_is_v4(&b->packet.src));
    assert_whole(b, 1, MACS "8100 2007 0800 " WHOLE);
    assert_int_equal(b->packet.vlan, 7);
    assert_whole(b, 1, MACS "88a8 0064 8100 0008 0800 " WHOLE);
    assert_int_equal(b->packet.vlan, 8);
    assert_whole(b, 1, MACS "0028 aaaa03 000000 0800 " WHOLE);
    assert_whole(b, 1, MACS "8864 1100 0001 0022 0021 " WHOLE);
    assert_whole(b, 1, MACS "8100 0009 8864 1100 0001 0036 0057 " IP6 UDP);
    assert_int_equal(b->packet.vlan, 9);
    assert_whole(b, 1, MACS "8847 00064040 00065140 " WHOLE);
    assert_whole(b, 1, MACS "88e7 00000001 " ETHER WHOLE);
}

static void other_links(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 113, "0000 0001 0006 0200000000010000 0800 " WHOLE);
    assert_whole(b, 276, "86dd 0000 00000003 0001 00 06 0200000000010000 " IP6 UDP);
    assert_whole(b, 113, "0000 0001 0006 0200000000010000 8100 0005 0800 " WHOLE);
    assert_int_equal(b->packet.vlan, 5);
    assert_whole(b, 101, WHOLE);
    assert_whole(b, 101, IP6 UDP);
    assert_whole(b, 228, IP6 UDP); /* the version decides */
    assert_whole(b, 0, "02000000 " WHOLE);
    assert_whole(b, 0, "00000002 " WHOLE);
    assert_whole(b, 0, "1e000000 " IP6 UDP);
    assert_whole(b, 108, "0000001c " IP6 UDP);
    assert_whole(b, 9, "ff03 0021 " WHOLE);
    assert_whole(b, 9, "21 " WHOLE);
    assert_whole(b, 50, "0f00 0800 " WHOLE);
    assert_whole(b, 10, "50 " MACS "aaaa03 000000 0800 " WHOLE);
    assert_whole(b, 129, "01 02 0000 f0 " WHOLE);
    assert_whole(b, 129, "01 02 0000 d4 00 0001 " WHOLE);
    assert_whole(b, 239, "02 00 0001 0500 0a00 6100 0000 2400 0900 " WHOLE);
    assert_whole(b, 258, "0c000000 01000000 01000000 " ETHER WHOLE);
    assert_whole(b, 127,
                 "0000 0800 00000000 0801 0000 " MACS "020000000003 0000 "
                 "aaaa03 000000 0800 " WHOLE);
    assert_whole(b, 127,
                 "0000 0800 00000000 8803 0000 " MACS "020000000003 0000 020000000004 0000 "
                 "aaaa03 000000 0800 " WHOLE);
}

static void what_is_not_ours(void **state)
{
    struct bench *b = *state;

    assert_int_equal(decode_hex(b, 1, MACS "0806 0001"), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 1, MACS "0026 424203 0000"), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 9999, WHOLE), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 1, MACS "8864 1109 0001 0000"), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 1, ETHER "4500 0014 0000 0000 4059 0000 c0000201 c0000202"),
                     SD_EUNSUP);
    assert_int_equal(b->stats.unsupported, 5);
    assert_int_equal(b->stats.malformed, 0);
}

static void malformed_by_reason(void **state)
{
    struct bench *b = *state;

    assert_int_equal(decode_hex(b, 1, "0200000000"), SD_EMALF);
    assert_int_equal(decode_hex(b, 1, MACS "8100 00"), SD_EMALF);
    assert_int_equal(decode_hex(b, 1, MACS "8864 2200 0001 0022 0021 " WHOLE), SD_EMALF);
    assert_int_equal(decode_hex(b, 239, "02 00 0001 0200 0a00"), SD_EMALF);
    assert_int_equal(b->stats.malformed_link, 4);
    assert_int_equal(decode_hex(b, 1, ""), SD_EMALF);
    assert_int_equal(b->stats.malformed, 5);
}

/* Any number of tags ends in an error, never in the stack. */
static void tags_without_end(void **state)
{
    struct bench *b = *state;
    char text[4096] = MACS;

    for (int i = 0; i < 200; i++)
        strcat(text, "81000001");
    assert_int_equal(decode_hex(b, 1, text), SD_EMALF);
    assert_int_equal(b->stats.malformed_tunnel, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ethernet_and_tags),   TEST(other_links),      TEST(what_is_not_ours),
        TEST(malformed_by_reason), TEST(tags_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
