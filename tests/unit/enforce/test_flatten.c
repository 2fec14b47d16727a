/* flatten.h against a search through all prefixes, on many small random sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "enforce/flatten.h"

enum { SPANS = 12, ROUNDS = 2000 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static struct addr v4(uint32_t number)
{
    uint8_t b[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                    (uint8_t)number};

    return addr_v4(b);
}

/* A prefix within 255.255.255.192/26: the end of the address space is where ranges go wrong. */
static struct prefix random_prefix(uint64_t *state)
{
    struct prefix p = {.length = (uint8_t)(96 + 26 + next_random(state) % 7)};
    uint32_t number = 0xffffffc0u + (uint32_t)(next_random(state) % 64);

    p.addr = v4(number & (0xffffffffu << (128 - p.length)));
    return p;
}

static int64_t by_search(const struct prefix *p, const int64_t *values, size_t count,
                         enum flatten_rule rule, const struct addr *a)
{
    int64_t best = -1;
    int longest = -1;

    for (size_t i = 0; i < count; i++) {
        if (!prefix_holds(p + i, a))
            continue;
        if (rule == FLATTEN_GREATEST ? values[i] > best : p[i].length > longest)
            best = values[i];
        if (p[i].length > longest)
            longest = p[i].length;
    }
    return best;
}

static int64_t by_spans(const struct span *s, size_t count, const struct addr *a)
{
    int64_t found = -1;

    for (size_t i = 0; i < count; i++)
        if (addr_compare(&s[i].low, a) <= 0 && addr_compare(a, &s[i].high) <= 0) {
            assert_int_equal(found, -1); /* disjoint */
            found = s[i].value;
        }
    return found;
}

static void check_order(const struct span *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(addr_compare(&s[i].low, &s[i].high) <= 0);
        if (i == 0)
            continue;
        assert_true(addr_compare(&s[i - 1].high, &s[i].low) < 0);
        if (s[i - 1].value == s[i].value) {
            struct addr next = addr_next(&s[i - 1].high);

            assert_false(addr_equal(&next, &s[i].low)); /* joined */
        }
    }
}

static void one_round(uint64_t *state, enum flatten_rule rule)
{
    struct prefix p[SPANS];
    int64_t values[SPANS];
    struct span spans[SPANS], *flat;
    size_t count = next_random(state) % (SPANS + 1), flat_count;

    for (size_t i = 0; i < count; i++) {
        p[i] = random_prefix(state);
        values[i] = (int64_t)(next_random(state) % 5);
        spans[i] = span_of_prefix(p + i, values[i]);
    }
    assert_int_equal(flatten(spans, count, rule, &flat, &flat_count), SD_OK);
    check_order(flat, flat_count);
    for (uint32_t n = 0xffffffc0u; n != 0; n++) {
        struct addr a = v4(n);

        assert_int_equal(by_spans(flat, flat_count, &a), by_search(p, values, count, rule, &a));
    }
    free(flat);
}

static void agrees_with_search(void **unused)
{
    uint64_t state = 853;

    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        one_round(&state, FLATTEN_LONGEST);
        one_round(&state, FLATTEN_GREATEST);
    }
}

static struct span of(const char *text, int64_t value)
{
    struct prefix p;

    assert_int_equal(prefix_parse(text, &p), SD_OK);
    return span_of_prefix(&p, value);
}

static void whole_of_ipv6(void **unused)
{
    struct span spans[] = {of("ff00::/8", 2), of("::/0", 1), of("::/128", 3)}, *flat;
    size_t count;
    char text[ADDR_TEXT];

    (void)unused;
    assert_int_equal(flatten(spans, 3, FLATTEN_LONGEST, &flat, &count), SD_OK);
    assert_int_equal(count, 3);
    assert_int_equal(flat[0].value, 3);
    assert_string_equal(addr_text(&flat[1].low, text), "::1");
    assert_string_equal(addr_text(&flat[1].high, text), "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_int_equal(flat[2].value, 2);
    free(flat);
}

static void ranges_as_prefixes(void **unused)
{
    struct span s = of("10.20.0.0/15", 0);

    (void)unused;
    assert_int_equal(prefix_length_of(&s.low, &s.high), 111);
    s.low = addr_next(&s.low);
    assert_int_equal(prefix_length_of(&s.low, &s.high), -1);
    assert_int_equal(prefix_length_of(&s.low, &s.low), 128);
    s = of("::/0", 0);
    assert_int_equal(prefix_length_of(&s.low, &s.high), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_search),
        cmocka_unit_test(whole_of_ipv6),
        cmocka_unit_test(ranges_as_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
