#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

static void prefixes(void **state)
{
    struct prefix p;
    struct addr a;
    char text[ADDR_TEXT + 4];

    (void)state;
    assert_int_equal(prefix_parse("10.20.0.0/16", &p), SD_OK);
    assert_string_equal(prefix_text(&p, text), "10.20.0.0/16");
    assert_int_equal(addr_parse("10.20.255.1", &a), SD_OK);
    assert_true(prefix_holds(&p, &a));
    assert_int_equal(addr_parse("10.21.0.1", &a), SD_OK);
    assert_false(prefix_holds(&p, &a));
    assert_int_equal(prefix_parse("2001:db8:20::/48", &p), SD_OK);
    assert_string_equal(prefix_text(&p, text), "2001:db8:20::/48");
    assert_int_equal(prefix_parse("10.20.1.0/16", &p), SD_EMALF);
    assert_int_equal(prefix_parse("10.20.0.0/33", &p), SD_EINVAL);
    assert_int_equal(prefix_parse("10.20.0.0/", &p), SD_EINVAL);
    assert_int_equal(prefix_parse("0.0.0.0/0", &p), SD_OK);
    assert_int_equal(addr_parse("2001:db8::1", &a), SD_OK);
    assert_false(prefix_holds(&p, &a));
}

static void names(void **state)
{
    static const uint8_t wire[] = "\3wWw\7exa.ple\2\xff\\";
    char out[64];

    (void)state;
    assert_int_equal(text_name(wire, sizeof wire, out, sizeof out), 19);
    assert_string_equal(out, "www.exa\\.ple.\\255\\\\");
    assert_int_equal(text_name(wire, sizeof wire - 1, out, sizeof out), SD_EMALF);
    assert_true(text_name_below("a.corp.example", "corp.example"));
    assert_false(text_name_below("acorp.example", "corp.example"));
}

static void times(void **state)
{
    char text[TIME_TEXT];
    nsec_t t;

    (void)state;
    assert_int_equal(time_parse("2035-01-31", 1, &t), SD_OK);
    assert_string_equal(time_text(t, text), "2035-01-31T23:59:59.999999Z");
    assert_int_equal(time_parse("2035-02-30", 1, &t), SD_EINVAL);
    assert_int_equal(duration_parse("400d", &t), SD_OK);
    assert_true(t == 400 * 86400 * NSEC_S);
    assert_int_equal(duration_parse("400", &t), SD_EINVAL);
    assert_string_equal(time_text(-1, text), "1969-12-31T23:59:59.999999Z");
    for (nsec_t day = -36500; day < 100000; day++) { /* 1870 to 2243 */
        time_t second = (time_t)day * 86400 + 86399;
        char other[TIME_TEXT];
        struct tm tm;

        strftime(other, sizeof other, "%Y-%m-%dT%H:%M:%S.000000Z", gmtime_r(&second, &tm));
        assert_string_equal(time_text((nsec_t)second * NSEC_S, text), other);
    }
}

/* Every place of every octet in words of all lengths, against the rule itself. */
static void strings_are_quoted(void **state)
{
    (void)state;
    for (unsigned length = 1; length <= 20; length++)
        for (unsigned at = 0; at < length; at++)
            for (unsigned c = 1; c < 256; c++) {
                char value[24] = {0}, text[64], wanted[64], quoted[8];
                struct json_writer w = json_writer_over(text, sizeof text);

                memset(value, 'a', length);
                value[at] = (char)c;
                snprintf(quoted, sizeof quoted,
                         c == '"' || c == '\\'  ? "\\%c"
                         : c < 0x20 || c > 0x7e ? "\\u%04x"
                                                : "%c",
                         c);
                json_string_member(&w, NULL, value);
                snprintf(wanted, sizeof wanted, "\"%.*s%s%s\"", (int)at, value, quoted,
                         value + at + 1);
                assert_string_equal(text, wanted);
            }
}

/* Nothing is written beyond the end, and that it is full is said. */
static void writer_knows_its_end(void **state)
{
    static const char whole[] = "{\"key\":\"value\",\"b\":1}";
    char text[sizeof whole + 1];

    (void)state;
    for (size_t size = 1; size <= sizeof whole; size++) {
        struct json_writer w = json_writer_over(text, size);

        memset(text, '#', sizeof text);
        json_open(&w, NULL, '{');
        json_string_member(&w, "key", "value");
        json_integer_member(&w, "b", 1);
        json_close(&w, '}');
        assert_int_equal(w.full, size < sizeof whole);
        for (size_t i = size; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
    }
    assert_memory_equal(text, whole, sizeof whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes), cmocka_unit_test(names), cmocka_unit_test(times),
        cmocka_unit_test(strings_are_quoted), cmocka_unit_test(writer_knows_its_end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
