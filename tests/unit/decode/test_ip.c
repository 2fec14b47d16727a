#include "hex.h"

#define ADDR4 "c0000201 c0000202 "
#define ADDR6 "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP   "0303 01bb 01020304 05060708 5012 1000 0000 0000 "

static void length_fields_decide(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 1, ETHER WHOLE "00000000000000000000ffff");
    assert_whole(b, 1, MACS "86dd " IP6 UDP "ffff");
    /* the UDP length ends before the datagram does */
    assert_whole(b, 1, ETHER "4500 0024 1234 0000 4011 0000 " ADDR4 UDP "ffffffff");
    /* 0: segmentation was left to the card */
    assert_whole(b, 1, ETHER "4500 0000 1234 0000 4011 0000 " ADDR4 UDP);
    assert_int_equal(b->packet.ttl, 64);
    assert_int_equal(b->packet.ip_id, 0x1234);
    assert_false(b->packet.cut);
}

static void options_and_extensions(void **state)
{
    struct bench *b = *state;

    assert_whole(b, 101, "4700 0028 0000 0000 4011 0000 " ADDR4 "9404000001010100 " UDP);
    assert_whole(b, 101,
                 "60000000 0024 00 40 " ADDR6 "2b00010400000000 3c00010400000000 "
                 "1100010400000000 " UDP);
    assert_whole(b, 101, "60000000 0014 2c 40 " ADDR6 "1100 0000 00000001 " UDP); /* atomic */
    assert_whole(b, 101, "60000000 001c 33 40 " ADDR6 "1102 0000 00000001 00000001 00000000 " UDP);
    assert_int_equal(decode_hex(b, 101, "60000000 0000 3b 40 " ADDR6), SD_EUNSUP);
}

static void tcp(void **state)
{
    struct bench *b = *state;
    const struct packet *p = &b->packet;

    assert_int_equal(decode_hex(b, 1, ETHER "4500 002a 0000 4000 4006 0000 " ADDR4 TCP "6869 0000"),
                     SD_OK);
    assert_int_equal(p->proto, IP_PROTO_TCP);
    assert_int_equal(p->sport, 771);
    assert_int_equal(p->dport, 443);
    assert_int_equal(p->seq, 0x01020304);
    assert_int_equal(p->ack, 0x05060708);
    assert_int_equal(p->tcp_flags, TCP_SYN | TCP_ACK);
    assert_int_equal(p->window, 0x1000);
    assert_int_equal(p->payload_length, 2);
    assert_memory_equal(p->payload, "hi", 2);
    assert_int_equal(decode_hex(b, 101,
                                "4500 002c 0000 4000 4006 0000 " ADDR4
                                "0303 01bb 01020304 05060708 6002 1000 0000 0000 02040218"),
                     SD_OK);
    assert_int_equal(p->payload_length, 0);
}

static void cut_by_snap_length(void **state)
{
    struct bench *b = *state;

    b->snap = 14 + 20 + 8 + 1;
    assert_int_equal(decode_hex(b, 1, ETHER WHOLE), SD_OK);
    assert_true(b->packet.cut);
    assert_int_equal(b->packet.payload_length, 1);
    assert_int_equal(b->packet.payload_missing, 3);
    assert_int_equal(b->stats.truncated, 1);
    b->snap = 14 + 20 + 4;
    assert_int_equal(decode_hex(b, 1, ETHER WHOLE), SD_ETRUNC);
    b->snap = 14 + 6;
    assert_int_equal(decode_hex(b, 1, ETHER WHOLE), SD_ETRUNC);
    b->snap = 3;
    assert_int_equal(decode_hex(b, 1, ETHER WHOLE), SD_ETRUNC);
    assert_int_equal(b->stats.truncated, 4);
    assert_int_equal(b->stats.malformed, 0);
    /* only padding was cut: nothing that mattered */
    b->snap = 14 + 32 + 2;
    assert_whole(b, 1, ETHER WHOLE "000000000000");
    assert_false(b->packet.cut);
    assert_int_equal(b->stats.truncated, 4);
}

static void malformed(void **state)
{
    struct bench *b = *state;

    assert_int_equal(decode_hex(b, 101, "4400 0020 1234 0000 4011 0000 " ADDR4 UDP), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, "4500 0010 1234 0000 4011 0000 " ADDR4 UDP), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, "5500 0020 1234 0000 4011 0000 " ADDR4 UDP), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, "4500 0020 1234 0000"), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, "60000000 000c 00 40 " ADDR6 "11ff010400000000 01020304"),
                     SD_EMALF);
    assert_int_equal(b->stats.malformed_ip, 5);
    assert_int_equal(decode_hex(b, 101, IP4 "0303 0035 0007 0000 61626364"), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, IP4 "0303 0035 000d 0000 61626364"), SD_EMALF);
    assert_int_equal(decode_hex(b, 101, "4500 0018 0000 0000 4011 0000 " ADDR4 "0303 0035"),
                     SD_EMALF);
    assert_int_equal(decode_hex(b, 101,
                                "4500 0028 0000 4000 4006 0000 " ADDR4
                                "0303 01bb 01020304 05060708 4012 1000 0000 0000"),
                     SD_EMALF);
    assert_int_equal(decode_hex(b, 101,
                                "4500 0028 0000 4000 4006 0000 " ADDR4
                                "0303 01bb 01020304 05060708 6012 1000 0000 0000"),
                     SD_EMALF);
    assert_int_equal(b->stats.malformed_transport, 5);
    assert_int_equal(b->stats.malformed, 10);
}

static void icmp_quotes(void **state)
{
    struct bench *b = *state;
    const struct packet_quote *q = &b->packet.quote;

    assert_int_equal(
        decode_hex(b, 101,
                   "4500 0038 0000 0000 4001 0000 c0000209 c0000201 030d 0000 00000000 "
                   "4500 0040 1234 0000 4011 0000 " ADDR4 "0303 0035 0020 0000"),
        SD_OK);
    assert_int_equal(b->packet.proto, IP_PROTO_ICMP);
    assert_int_equal(b->packet.icmp_type, 3);
    assert_int_equal(b->packet.icmp_code, 13);
    assert_int_equal(q->proto, IP_PROTO_UDP);
    assert_int_equal(q->sport, 771);
    assert_int_equal(q->dport, 53);
    assert_int_equal(q->src.b[15], 1);
    assert_int_equal(decode_hex(b, 101,
                                "60000000 0038 3a 40 " ADDR6 "0101 0000 00000000 "
                                "60000000 0020 06 40 " ADDR6 "0303 0355 01020304"),
                     SD_OK);
    assert_int_equal(b->packet.proto, IP_PROTO_ICMPV6);
    assert_int_equal(q->proto, IP_PROTO_TCP);
    assert_int_equal(q->dport, 853);
    assert_int_equal(q->seq, 0x01020304);
    /* an echo quotes nothing, a short quote is none, nor is a later fragment */
    assert_int_equal(
        decode_hex(b, 101, "4500 001c 0000 0000 4001 0000 " ADDR4 "0800 0000 00000000"), SD_OK);
    assert_int_equal(q->proto, 0);
    assert_int_equal(decode_hex(b, 101,
                                "4500 0024 0000 0000 4001 0000 " ADDR4 "0300 0000 00000000 "
                                "4500 0040 1234 0000"),
                     SD_OK);
    assert_int_equal(q->proto, 0);
    assert_int_equal(decode_hex(b, 101,
                                "4500 0038 0000 0000 4001 0000 " ADDR4 "030d 0000 00000000 "
                                "4500 0040 1234 0009 4011 0000 " ADDR4 "0303 0035 0020 0000"),
                     SD_OK);
    assert_int_equal(q->proto, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(length_fields_decide),
        TEST(options_and_extensions),
        TEST(tcp),
        TEST(cut_by_snap_length),
        TEST(malformed),
        TEST(icmp_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
