#include "scene.h"

extern const struct detector detector_dga;

#define C "10.30.1.1"

static struct scene s;
static uint64_t dice;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_dga);
    dice = 2463534242;
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static unsigned roll(unsigned faces)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 33) % faces;
}

static void answer(nsec_t t, const char *client, const char *name, unsigned rcode)
{
    struct observation o = scene_answer(t, client, "9.9.9.9", name, "198.51.100.1");

    o.dns.message.rcode = (uint8_t)rcode;
    scene_see(&s, &o);
}

static void answer_of_type(nsec_t t, const char *name, uint16_t qtype)
{
    struct observation o = scene_answer(t, C, "9.9.9.9", name, "198.51.100.1");

    o.dns.message.rcode = 3;
    o.dns.message.qtype = qtype;
    scene_note(s.policy, &o);
    if (qtype == 12) { /* in-addr.arpa and ip6.arpa are public suffixes */
        unsigned at = 0, labels = 0, skip;

        for (unsigned i = 0; o.dns.message.qname[i]; i += o.dns.message.qname[i] + 1U)
            labels++;
        for (skip = labels - 3; skip; skip--)
            at += o.dns.message.qname[at] + 1U;
        o.note.domain = (uint8_t)at;
        o.note.domain_hash =
            hash_bytes(o.dns.message.qname + at, (size_t)o.dns.message.qname_length - at, 0);
    }
    s.detector->observe(s.state, &o);
}

static const char *made_up(char name[64], unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        name[i] = (char)('a' + roll(26));
    memcpy(name + length, ".com", 5);
    return name;
}

static void of_letters_is_found_and_graver(void **state)
{
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 60; i++)
        answer(T0 + i * 2 * S, C, made_up(name, 14), 3);
    scene_flush(&s, T0 + 200 * S);
    assert_true(s.count >= 1);
    assert_string_equal(s.found[0].rule, "dga");
    assert_true(s.found[0].time <= T0 + 80 * S);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_MEDIUM);
    assert_non_null(strstr(s.found[s.count - 1].evidence.text, "\"domains_missing\":6"));
    for (size_t f = 1; f < s.count; f++)
        assert_int_equal(s.found[f].key, s.found[0].key);
}

static void of_words_is_found_by_what_is_missing(void **state)
{
    static const char *const words[] = {"table",  "river",  "melon",  "castle", "dinner",
                                        "orange", "gentle", "winter", "animal", "office"};
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%s%s%c.com", words[i % 10], words[i / 10],
                 'a' + (char)(i % 5));
        answer(T0 + i * S, C, name, 3);
    }
    assert_true(s.count >= 1);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
}

static void one_that_asks_for_much_else_is_silent(void **state)
{
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        answer(T0 + i * S, C, made_up(name, 12), 3);
        for (unsigned k = 0; k < 4; k++)
            answer(T0 + i * S, C, "www.example.org", 0);
    }
    assert_int_equal(s.count, 0);
}

static void suffixes_block_lists_and_probes_are_silent(void **state)
{
    char name[128], random[64];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        made_up(random, 10);
        snprintf(name, sizeof name, "%s.corp-zone.test", random); /* a search suffix */
        answer(T0 + i * S, C, name, 3);
        snprintf(name, sizeof name, "%u.2.3.4.zen.blocklist.test", i);
        answer(T0 + i * S, C, name, 3);
        random[10] = '\0'; /* Chromium's probe */
        answer(T0 + i * S, C, random, 3);
        snprintf(name, sizeof name, "%s.lan", random);
        answer(T0 + i * S, C, name, 3);
        snprintf(name, sizeof name, "%s.intra.example", random);
        answer(T0 + i * S, C, name, 3);
    }
    assert_int_equal(s.count, 0);
}

static void reverse_look_ups_and_mail_domains_are_silent(void **state)
{
    char name[64], random[64];

    (void)state;
    for (unsigned i = 0; i < 200; i++) { /* a report over a log, at night: each /8 is a domain */
        snprintf(name, sizeof name, "%u.%u.%u.%u.in-addr.arpa", roll(256), roll(256), roll(256),
                 roll(223) + 1);
        answer_of_type(T0 + i * S, name, 12);
        snprintf(name, sizeof name, "1.0.0.0.%x.%x.%x.2.ip6.arpa", roll(16), roll(16), roll(16));
        answer_of_type(T0 + i * S, name, 12);
        made_up(random, 10); /* senders of spam: a relay asks whether they take mail */
        answer_of_type(T0 + i * S, random, 15);
        answer_of_type(T0 + i * S, random, 16);
    }
    assert_int_equal(s.count, 0);
}

static void a_list_that_was_asked_for_before_is_silent(void **state)
{
    char names[60][64];

    (void)state;
    for (unsigned i = 0; i < 60; i++)
        made_up(names[i], 12);
    for (unsigned i = 0; i < 60; i++) /* slowly, over an hour */
        answer(T0 + i * 60 * S, "10.30.2.2", names[i], 3);
    for (unsigned i = 0; i < 60; i++)
        answer(T0 + 3600 * S + i * S, C, names[i], 3);
    assert_int_equal(s.count, 0);
}

static void a_forwarder_needs_ten_times_as_many(void **state)
{
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct observation o = scene_answer(T0 + i * S, C, "9.9.9.9", made_up(name, 12), "::1");

        o.dns.message.rcode = 3;
        scene_note(s.policy, &o);
        o.note.roles = ROLE_FORWARDER;
        s.detector->observe(s.state, &o);
    }
    assert_int_equal(s.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_letters_is_found_and_graver),
        TEST(of_words_is_found_by_what_is_missing),
        TEST(one_that_asks_for_much_else_is_silent),
        TEST(suffixes_block_lists_and_probes_are_silent),
        TEST(reverse_look_ups_and_mail_domains_are_silent),
        TEST(a_list_that_was_asked_for_before_is_silent),
        TEST(a_forwarder_needs_ten_times_as_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
