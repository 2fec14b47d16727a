/* What may be left out when there is no time, and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decode/glance.h"

enum { ETHERNET = 1, BARE = 101, COOKED = 113, ROOM = 256 };

static uint32_t bytes_of(const char *hex, uint8_t *out)
{
    uint32_t length = 0;
    unsigned octet;

    for (; *hex; hex += *hex == ' ' ? 1 : 2)
        if (*hex != ' ' && sscanf(hex, "%2x", &octet) == 1)
            out[length++] = (uint8_t)octet;
    return length;
}

static enum glance of(int linktype, const char *link, const char *ip, const char *rest)
{
    char hex[3 * ROOM];
    uint8_t bytes[ROOM];
    struct frame f = {.bytes = bytes, .linktype = linktype};

    snprintf(hex, sizeof hex, "%s %s %s", link, ip, rest);
    f.captured = f.length = bytes_of(hex, bytes);
    return glance(&f);
}

#define MACS  "020000000001 020000000002 "
#define ENDS4 " 0000 0a350101 c6336435"
#define ENDS6 " 20010db8000000000000000000000001 20010db8000000000000000000000002"

static const char *const four[2] = {"4500 0054 0001 4000 4011" ENDS4,
                                    "4500 0054 0001 4000 4006" ENDS4};
static const char *const six[2] = {"60000000 0040 11 40" ENDS6, "60000000 0040 06 40" ENDS6};

#define ACK  " 00000001 00000001 5010 0400 0000 0000 "
#define PUSH " 00000001 00000001 5018 0400 0000 0000 "

static const struct {
    bool tcp;
    const char *rest;
    enum glance want;
} cases[] = {
    {true, "d431 01bb" PUSH "170303 0100", GLANCE_443},
    {true, "01bb d431" PUSH "170303 0100", GLANCE_443},
    {true, "d431 01bb" ACK, GLANCE_443},
    {true, "d431 0355" PUSH "170303 0100", GLANCE_853},
    {true, "0355 d431" ACK, GLANCE_853},
    {true, "d431 01bb" PUSH "160301 0200", GLANCE_KEEP},
    {true, "d431 01bb 00000001 00000000 5002 0400 0000 0000", GLANCE_KEEP},
    {true, "01bb d431 00000001 00000001 5011 0400 0000 0000", GLANCE_KEEP},
    {true, "0355 d431 00000001 00000001 5014 0400 0000 0000", GLANCE_KEEP},
    {true, "d431 0035" PUSH "0020 1234", GLANCE_KEEP},
    {true, "01bb 0035" PUSH "0020 1234", GLANCE_KEEP},
    {true, "d431 0050" PUSH "474554", GLANCE_KEEP},
    {true, "d431 01bb" PUSH, GLANCE_443},
    {true, "d431 01bb 0000", GLANCE_KEEP},
    {true, "d431 01bb 00000001 00000001 4010 0400 0000 0000", GLANCE_KEEP},
    {true, "d431 01bb 00000001 00000001 f010 0400 0000 0000", GLANCE_KEEP},
    {false, "d431 01bb 0020 0000 4a00 0000", GLANCE_443},
    {false, "d431 01bb 0020 0000 c300 0001", GLANCE_KEEP},
    {false, "0355 d431 0020 0000 4a00 0000", GLANCE_853},
    {false, "d431 0035 0020 0000 1234 0100", GLANCE_KEEP},
    {false, "d431 01bb 0008 0000", GLANCE_KEEP},
    {false, "d431", GLANCE_KEEP},
};

static void payload_is_told_from_what_matters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *ip4 = four[cases[i].tcp], *ip6 = six[cases[i].tcp], *rest = cases[i].rest;

        assert_int_equal(of(ETHERNET, MACS "0800", ip4, rest), cases[i].want);
        assert_int_equal(of(ETHERNET, MACS "86dd", ip6, rest), cases[i].want);
        assert_int_equal(of(ETHERNET, MACS "8100 0007 0800", ip4, rest), cases[i].want);
        assert_int_equal(of(ETHERNET, MACS "88a8 0064 8100 0007 86dd", ip6, rest), cases[i].want);
        assert_int_equal(of(COOKED, "0000 0001 0006 0200 0000 0001 0000 0800", ip4, rest),
                         cases[i].want);
        assert_int_equal(of(BARE, "", ip6, rest), cases[i].want);
        assert_int_equal(of(BARE, "", ip4, rest), cases[i].want);
    }
}

/* With a payload that would be left out in a place that is understood. */
static void what_is_not_understood_is_kept(void **state)
{
    static const char data[] = "d431 01bb" PUSH "170303 0100";

    (void)state;
    assert_int_equal(of(ETHERNET, MACS "0800", "4500 0054 0001 2000 4006" ENDS4, data),
                     GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, MACS "0800", "4500 0054 0001 0003 4006" ENDS4, data),
                     GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, MACS "0800", "4400 0054 0001 4000 4006" ENDS4, data),
                     GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, MACS "86dd", "60000000 0040 2c 40" ENDS6, data), GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, MACS "8864", four[1], data), GLANCE_KEEP);
    assert_int_equal(of(105, MACS "0800", four[1], data), GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, MACS "0800", "4500", ""), GLANCE_KEEP);
    assert_int_equal(of(ETHERNET, "02", "", ""), GLANCE_KEEP);
}

static void options_of_ipv4_are_passed(void **state)
{
    (void)state;
    assert_int_equal(of(ETHERNET, MACS "0800", "4600 0054 0001 4000 4006" ENDS4 " 01010100",
                        "d431 01bb" PUSH "170303 0100"),
                     GLANCE_443);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_is_told_from_what_matters),
        cmocka_unit_test(what_is_not_understood_is_kept),
        cmocka_unit_test(options_of_ipv4_are_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
