/* Which of several readers of an interface a frame goes to: libpcap runs the program here, the
 * kernel does in tests/netns/live-capture.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap.h>

#include "base/error.h"
#include "capture/share.h"

enum { OF = 4, ROOM = 256 };

struct bytes {
    uint8_t at[ROOM];
    unsigned length;
};

static struct bpf_program program[OF];

static void build(int linktype)
{
    for (unsigned n = 0; n < OF; n++) {
        const struct capture_share share = {n, OF};

        free(program[n].bf_insns);
        assert_int_equal(share_build(linktype, &share, &program[n]), SD_OK);
    }
}

/* What follows the share's part: all that comes so far is taken. */
static bool takes(const struct bpf_program *p, const struct bytes *b)
{
    struct bpf_insn whole[ROOM];

    memcpy(whole, p->bf_insns, p->bf_len * sizeof *whole);
    whole[p->bf_len] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, 1);
    assert_true(bpf_validate(whole, (int)p->bf_len + 1));
    return bpf_filter(whole, b->at, b->length, b->length) == 1;
}

/* The one reader that takes it. */
static unsigned reader(const struct bytes *b)
{
    unsigned found = OF;

    for (unsigned n = 0; n < OF; n++) {
        if (!takes(&program[n], b))
            continue;
        assert_int_equal(found, OF);
        found = n;
    }
    assert_true(found < OF);
    return found;
}

static void put(struct bytes *b, const char *hex)
{
    unsigned octet;

    for (; *hex; hex += *hex == ' ' ? 1 : 2)
        if (*hex != ' ' && sscanf(hex, "%2x", &octet) == 1)
            b->at[b->length++] = (uint8_t)octet;
}

static void put16(struct bytes *b, unsigned value)
{
    b->at[b->length++] = (uint8_t)(value >> 8);
    b->at[b->length++] = (uint8_t)value;
}

static void put_address(struct bytes *b, bool v4, unsigned number)
{
    put(b, v4 ? "0a35" : "20010db8 00000000 00000000 0000");
    put16(b, number);
}

/* A header without options between two numbered addresses; fragment: flags and offset of IPv4. */
static void put_ip(struct bytes *b, bool v4, unsigned proto, unsigned fragment,
                   const unsigned end[2])
{
    if (v4) {
        put(b, "4500 0054 0001");
        put16(b, fragment);
        put16(b, 0x4000 | proto);
        put16(b, 0);
    } else {
        put(b, "60000000 0040");
        put16(b, proto << 8 | 64);
    }
    put_address(b, v4, end[0]);
    put_address(b, v4, end[1]);
}

static struct bytes frame(const char *link, bool v4, unsigned proto, const unsigned end[2])
{
    struct bytes b = {.length = 0};

    put(&b, link);
    put_ip(&b, v4, proto, 0, end);
    put(&b, "d431 0035 0020 0000 1234 0100 0001 0000 0000 0000");
    return b;
}

#define MACS "02000000 0001 02000000 0002 "

static const char *const links[2][6] = {
    {MACS "86dd", MACS "8100 0007 86dd", MACS "88a8 0064 8100 0007 86dd",
     MACS "8864 1100 0005 0042 0057", MACS "8100 0007 8864 1100 0005 0042 0057",
     MACS "8100 0064 8100 0007 8864 1100 0005 0042 0057"},
    {MACS "0800", MACS "8100 0007 0800", MACS "88a8 0064 8100 0007 0800",
     MACS "8864 1100 0005 0042 0021", MACS "8100 0007 8864 1100 0005 0042 0021",
     MACS "8100 0064 8100 0007 8864 1100 0005 0042 0021"},
};

static void both_directions_and_all_framings_meet(void **state)
{
    (void)state;
    build(DLT_EN10MB);
    for (int v4 = 0; v4 < 2; v4++)
        for (unsigned client = 1; client < 200; client++) {
            const unsigned out[2] = {client, 1000 + client % 7}, in[2] = {out[1], out[0]};
            struct bytes b = frame(links[v4][0], v4, 17, out);
            unsigned r = reader(&b);

            for (size_t i = 0; i < sizeof links[0] / sizeof *links[0]; i++) {
                b = frame(links[v4][i], v4, 6, in);
                assert_int_equal(reader(&b), r);
            }
        }
}

/* Clients of one resolver, and of hosts whose addresses differ in any octet. */
static void shares_are_even(void **state)
{
    (void)state;
    build(DLT_EN10MB);
    for (unsigned shift = 0; shift <= 8; shift += 8)
        for (int v4 = 0; v4 < 2; v4++) {
            unsigned count[OF] = {0};

            for (unsigned client = 0; client < 256; client++) {
                const unsigned end[2] = {client << shift, 0x3535};
                struct bytes b = frame(links[v4][0], v4, 17, end);

                count[reader(&b)]++;
            }
            for (unsigned n = 0; n < OF; n++)
                assert_in_range(count[n], 256 / OF / 2, 256 / OF * 2);
        }
}

static void every_fragment_goes_with_the_first(void **state)
{
    (void)state;
    build(DLT_EN10MB);
    for (unsigned client = 1; client < 100; client++) {
        const unsigned end[2] = {client, 0x3535};
        struct bytes whole = frame(links[1][0], true, 17, end), b = {.length = 0};

        put(&b, links[1][0]);
        put_ip(&b, true, 17, 0x2000 | 3, end);
        assert_int_equal(reader(&b), reader(&whole));
        /* Of ICMP, where the octets behind are no header. */
        b.length = 0;
        put(&b, links[1][0]);
        put_ip(&b, true, 1, 3, end);
        put(&b, "0303 0000 00000000 45 ffff");
        assert_int_equal(reader(&b), reader(&whole));
    }
}

/* From a router on the way, about a client's packet to a server. */
static void errors_go_with_what_they_quote(void **state)
{
    static const char *const types[2][3] = {{"01", "03", "04"}, {"03", "0b", "0c"}};

    (void)state;
    build(DLT_EN10MB);
    for (int v4 = 0; v4 < 2; v4++)
        for (unsigned n = 0; n < 300; n++) {
            const unsigned flow[2] = {n, 0x3535}, error[2] = {0x7700 + n, n};
            struct bytes b = {.length = 0}, f = frame(links[v4][0], v4, 6, flow);

            put(&b, links[v4][n % 6]);
            put_ip(&b, v4, v4 ? 1 : 58, v4 && n % 2 ? 0x4000 : 0, error);
            put(&b, types[v4][n % 3]);
            put(&b, "01 0000 00000000");
            put_ip(&b, v4, 6, 0, flow);
            put(&b, "d431 0355 00000001");
            assert_int_equal(reader(&b), reader(&f));
        }
}

static void an_echo_and_a_short_quote_go_by_their_own_addresses(void **state)
{
    (void)state;
    build(DLT_EN10MB);
    for (int v4 = 0; v4 < 2; v4++)
        for (unsigned n = 0; n < 100; n++) {
            const unsigned end[2] = {n, 0x3535}, other[2] = {n, 0x1212};
            struct bytes f = frame(links[v4][0], v4, 17, end), b = {.length = 0};

            put(&b, links[v4][0]);
            put_ip(&b, v4, v4 ? 1 : 58, 0, end);
            put(&b, v4 ? "08" : "80");
            put(&b, "00 0000 00000000");
            put_ip(&b, v4, 17, 0, other);
            assert_int_equal(reader(&b), reader(&f));
            b.length = 14 + (v4 ? 20 : 40);
            put(&b, v4 ? "03" : "01");
            put(&b, "00 0000 00000000 4500 0000 0000");
            assert_int_equal(reader(&b), reader(&f));
        }
}

static void the_first_has_what_is_no_address(void **state)
{
    struct bytes b = {.length = 0};

    (void)state;
    build(DLT_EN10MB);
    put(&b, MACS "8847 00001 1ff 4500 0054 0000 0000");
    assert_int_equal(reader(&b), 0);
    b.length = 0;
    put(&b, MACS "0806 0001 0800 0604 0001");
    assert_int_equal(reader(&b), 0);
    build(DLT_IEEE802_11);
    assert_int_equal(reader(&b), 0);
}

static void links_without_ethernet(void **state)
{
    static const char *const cooked[] = {"0000 0001 0006 0200 0000 0001 0000 86dd",
                                         "0000 0001 0006 0200 0000 0001 0000 0800"};

    (void)state;
    for (int v4 = 0; v4 < 2; v4++)
        for (unsigned n = 0; n < 100; n++) {
            const unsigned end[2] = {n, 0x3535};
            struct bytes b = frame(links[v4][0], v4, 17, end);
            unsigned r;

            build(DLT_EN10MB);
            r = reader(&b);
            build(DLT_LINUX_SLL);
            b = frame(cooked[v4], v4, 17, end);
            assert_int_equal(reader(&b), r);
            build(DLT_RAW);
            b = frame("", v4, 17, end);
            assert_int_equal(reader(&b), r);
        }
}

static int finish(void **state)
{
    (void)state;
    for (unsigned n = 0; n < OF; n++)
        free(program[n].bf_insns);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_and_all_framings_meet),
        cmocka_unit_test(shares_are_even),
        cmocka_unit_test(every_fragment_goes_with_the_first),
        cmocka_unit_test(errors_go_with_what_they_quote),
        cmocka_unit_test(an_echo_and_a_short_quote_go_by_their_own_addresses),
        cmocka_unit_test(the_first_has_what_is_no_address),
        cmocka_unit_test(links_without_ethernet),
    };

    return cmocka_run_group_tests(tests, NULL, finish);
}
