/* DNS stamps of every protocol, spoilt ones, and those of relays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/stamp.h"

/* As a generator of our own wrote them. */
#define DOH_STAMP                                                                                  \
    "sdns://AgcAAAAAAAAAEVsyMDAxOmRiODo6N106NDQzhGFhYWEEYmJiYhNET0guZXhhbXBsZS5uZXQ6NDQzAi9x"
#define DOT_STAMP "sdns://AwcAAAAAAAAAEDIwMy4wLjExMy44Ojg4NTMAD2RvdC5leGFtcGxlLm5ldA"
#define CRYPT_STAMP                                                                                \
    "sdns://AQcAAAAAAAAAETIwMy4wLjExMy4xMDo1NDQzBGtra2sbMi5kbnNjcnlwdC1jZXJ0LmV4YW1wbGUubmV0"
#define RELAY_STAMP "sdns://gQ8yMDMuMC4xMTMuOTo0NDM"
#define PLAIN_STAMP "sdns://AAcAAAAAAAAADDIwMy4wLjExMy4xMQ"

static struct stamp s;
static char error[STAMP_ERROR];

static int parse(const char *text)
{
    return stamp_parse(text, strlen(text), &s, error);
}

static void at(const char *address)
{
    char text[ADDR_TEXT];

    assert_true(s.has_address);
    assert_string_equal(addr_text(&s.address, text), address);
}

static void test_what_each_protocol_says(void **state)
{
    (void)state;
    assert_int_equal(parse(DOH_STAMP), SD_OK);
    assert_int_equal(s.transport, TRANSPORT_DOH2);
    assert_string_equal(s.name, "doh.example.net");
    at("2001:db8::7");
    assert_int_equal(parse(DOT_STAMP), SD_OK);
    assert_int_equal(s.transport, TRANSPORT_DOT);
    assert_string_equal(s.name, "dot.example.net");
    at("203.0.113.8");
    assert_int_equal(parse(CRYPT_STAMP), SD_OK);
    assert_int_equal(s.transport, TRANSPORT_DNSCRYPT);
    assert_string_equal(s.name, "");
    at("203.0.113.10");
    assert_int_equal(parse(PLAIN_STAMP), SD_OK);
    assert_int_equal(s.transport, TRANSPORT_DO53_UDP);
    at("203.0.113.11");
}

static void test_a_relay_is_no_resolver(void **state)
{
    (void)state;
    assert_int_equal(parse(RELAY_STAMP), SD_EUNSUP);
}

/* Every beginning of a stamp ends too early, and every one of them is told. */
static void test_cut_anywhere(void **state)
{
    const char *whole = DOT_STAMP;

    (void)state;
    for (size_t length = 0; length < strlen(whole); length++) {
        char *part = malloc(length ? length : 1);

        assert_non_null(part);
        memcpy(part, whole, length);
        error[0] = '\0';
        assert_int_equal(stamp_parse(part, length, &s, error), SD_EMALF);
        assert_true(strlen(error) > 0);
        free(part);
    }
}

static void test_what_is_none(void **state)
{
    char long_one[5000] = STAMP_BEGIN;

    (void)state;
    memset(long_one + strlen(STAMP_BEGIN), 'A', sizeof long_one - strlen(STAMP_BEGIN) - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_int_equal(parse("https://example.net"), SD_EMALF);
    assert_int_equal(parse(STAMP_BEGIN), SD_EMALF);
    assert_int_equal(parse(STAMP_BEGIN "A!"), SD_EMALF);
    assert_int_equal(parse(STAMP_BEGIN "fwcAAAAA"), SD_EMALF); /* 0x7f: no protocol */
    assert_int_equal(parse(long_one), SD_EMALF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_each_protocol_says),
        cmocka_unit_test(test_a_relay_is_no_resolver),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
