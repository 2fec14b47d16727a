#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prefixes), cmocka_unit_test(names),
                                       cmocka_unit_test(times)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
