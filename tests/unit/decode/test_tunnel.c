#include <stdio.h>

#include "hex.h"

#define OUTER "0a000001 0a000002 "
#define INNER ETHER WHOLE /* 46 octets */

/* One datagram of the protocol, or of UDP to the port, from 10.0.0.1 to 10.0.0.2. */
static const char *in_ip(unsigned protocol, const char *bytes)
{
    static char text[4000];
    size_t length = 0;

    for (const char *c = bytes; *c; c++)
        length += *c != ' ';
    snprintf(text, sizeof text, "4500 %04zx 0000 0000 40%02x 0000 " OUTER "%s", 20 + length / 2,
             protocol, bytes);
    return text;
}

static const char *in_udp(unsigned sport, unsigned dport, const char *bytes)
{
    static char text[4000];
    size_t length = 0;

    for (const char *c = bytes; *c; c++)
        length += *c != ' ';
    snprintf(text, sizeof text, "%04x %04x %04zx 0000 %s", sport, dport, 8 + length / 2, bytes);
    return in_ip(17, text);
}

static void ip_in_ip(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 101, in_ip(4, WHOLE));
    assert_whole(b, 101, in_ip(41, IP6 UDP));
    assert_whole(b, 101, in_ip(97, "3000 " INNER));
    assert_whole(b, 101, in_ip(137, "00065140 " WHOLE));
    assert_whole(b, 101, in_ip(4, "4500 0034 0000 0000 4004 0000 " OUTER WHOLE));
}

static void gre(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 101, in_ip(47, "0000 0800 " WHOLE));
    assert_int_equal(b->packet.tunnel, 0);
    assert_whole(b, 101, in_ip(47, "b000 86dd 0000 0000 00000009 00000001 " IP6 UDP));
    assert_int_equal(b->packet.tunnel, 9);
    assert_whole(b, 101, in_ip(47, "0000 6558 " INNER));
    assert_whole(b, 101, in_ip(47, "0000 88be " INNER));
    assert_whole(b, 101, in_ip(47, "1000 88be 00000001 1063 0001 00000000 " INNER));
    assert_int_equal(b->packet.vlan, 0x63);
    assert_whole(b, 101, in_ip(47, "1000 22eb 00000001 2000 0001 00000000 0000 0000 " INNER));
    assert_whole(b, 101,
                 in_ip(47, "1000 22eb 00000001 2000 0001 00000000 0000 0001 "
                           "0000000000000000 " INNER));
    assert_whole(b, 101, in_ip(47, "3001 880b 0024 0001 00000001 ff03 0021 " WHOLE));
    assert_whole(b, 101, in_ip(47, "2001 6400 002e 1900 " INNER));
    assert_int_equal(b->packet.tunnel, 25);
    assert_int_equal(decode_hex(b, 101, in_ip(47, "4000 0800 " WHOLE)), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 101, in_ip(47, "2000 08")), SD_EMALF);
    assert_int_equal(b->stats.malformed_tunnel, 1);
}

static void in_datagrams(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 101, in_udp(50000, 4789, "08000000 00002a00 " INNER));
    assert_int_equal(b->packet.tunnel, 42);
    assert_whole(b, 101, in_udp(50000, 4789, "0c000001 00002b00 " WHOLE));
    assert_int_equal(b->packet.tunnel, 43);
    assert_whole(b, 101, in_udp(50000, 4790, "0c000003 00002a00 " INNER));
    assert_whole(b, 101,
                 in_udp(50000, 4790,
                        "0c000004 00002a00 "
                        "0fc2 0201 00000001 " WHOLE));
    assert_whole(b, 101, in_udp(50000, 6081, "0000 6558 00002a00 " INNER));
    assert_whole(b, 101, in_udp(50000, 6081, "0200 0800 00002a00 01020304 05060708 " WHOLE));
    assert_whole(b, 101, in_udp(2152, 2152, "30ff 0020 00000001 " WHOLE));
    assert_whole(b, 101, in_udp(2152, 2152, "34ff 0028 00000001 0000 00 85 01 1000 00 " WHOLE));
    assert_whole(b, 101, in_udp(50000, 3544, IP6 UDP));
    assert_whole(b, 101,
                 in_udp(3544, 50000, "0001 0000 0000000000000000 00 0000 1234 0a000001 " IP6 UDP));
    assert_whole(b, 101, in_udp(50000, 4754, "0000 0800 " WHOLE));
    assert_whole(b, 101, in_udp(50000, 6635, "00065140 " WHOLE));
    assert_whole(b, 101, in_udp(1701, 1701, "4002 002c 0001 0001 ff03 0021 " WHOLE));
    assert_int_equal(decode_hex(b, 101, in_udp(50000, 6081, "0500 0800 00002a00 00")), SD_EMALF);
    assert_int_equal(b->stats.malformed_tunnel, 1);
}

/* The port alone is nothing: a client may have it as its own. */
static void no_tunnels(void **state)
{
    struct bench *b = *state;

    assert_int_equal(decode_hex(b, 101, in_udp(53, 4789, "1234 8180 0001 0000 0000 0000")), SD_OK);
    assert_int_equal(b->packet.dport, 4789);
    assert_int_equal(decode_hex(b, 101, in_udp(53, 3544, "1234 8180 0001 0000 0000 0000")), SD_OK);
    assert_int_equal(b->packet.dport, 3544);
    /* a query dressed up as one */
    assert_int_equal(decode_hex(b, 101, in_udp(4789, 53, "08000000 00000100 " INNER)), SD_OK);
    assert_int_equal(b->packet.sport, 4789);
    assert_int_equal(b->packet.payload_length, 54);
}

/* Live without tunnels the outer packet counts, and what is no UDP is not read. */
static void not_asked_for(void **state)
{
    struct bench *b = *state;

    decoder_destroy(b->decoder);
    b->decoder = decoder_create(false, 7, 0);
    assert_int_equal(decode_hex(b, 101, in_udp(50000, 4789, "08000000 00002a00 " INNER)), SD_OK);
    assert_int_equal(b->packet.dport, 4789);
    assert_int_equal(decode_hex(b, 101, in_ip(47, "0000 0800 " WHOLE)), SD_EUNSUP);
    assert_int_equal(decode_hex(b, 101, in_ip(4, WHOLE)), SD_EUNSUP);
    assert_whole(b, 1, MACS "8100 0007 8847 00065140 " WHOLE);
}

/* A VLAN outside of the tunnel is not the client's. */
static void outer_vlan(void **state)
{
    struct bench *b = *state;
    char text[4000];

    snprintf(text, sizeof text, MACS "8100 0007 0800 %s", in_ip(47, "0000 6558 " INNER));
    assert_whole(b, 1, text);
    assert_int_equal(b->packet.vlan, 0);
    snprintf(text, sizeof text, MACS "8100 0007 0800 %s",
             in_ip(47, "0000 6558 " MACS "8100 0008 0800 " WHOLE));
    assert_whole(b, 1, text);
    assert_int_equal(b->packet.vlan, 8);
}

static void without_end(void **state)
{
    struct bench *b = *state;
    char text[4096] = "";

    for (int i = 0; i < 60; i++)
        strcat(text, "4500 0000 0000 0000 4004 0000 " OUTER);
    assert_int_equal(decode_hex(b, 101, text), SD_EMALF);
    assert_int_equal(b->stats.malformed_tunnel, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ip_in_ip),      TEST(gre),        TEST(in_datagrams), TEST(no_tunnels),
        TEST(not_asked_for), TEST(outer_vlan), TEST(without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
