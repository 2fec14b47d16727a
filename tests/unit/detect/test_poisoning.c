#include "scene.h"

#include "model/packet.h"

extern const struct detector detector_poisoning;

#define CLIENT "10.30.1.1"
#define SERVER "198.51.100.53"

static struct scene s;
static nsec_t now;

static int begin(void **state)
{
    (void)state;
    now = T0;
    scene_open(&s, &detector_poisoning);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static struct observation answer(nsec_t t, const char *name, enum answer_match match)
{
    struct observation o = scene_answer(t, CLIENT, SERVER, name, "192.0.2.66");

    o.dns.match = (uint8_t)match;
    o.dns.qname_hash = hash_bytes(o.dns.message.qname, o.dns.message.qname_length, 3);
    o.dns.message.counts[1] = 1;
    o.ttl = 60;
    return o;
}

/* The name, with `#` as a number. */
static void numbered(char *out, size_t size, const char *name, int n)
{
    const char *mark = strchr(name, '#');

    if (mark)
        snprintf(out, size, "%.*s%d%s", (int)(mark - name), name, n, mark + 1);
    else
        snprintf(out, size, "%s", name);
}

/* Each run of them a minute after the last. */
static void answers(const char *name, enum answer_match match, int count, nsec_t each)
{
    nsec_t begun = now;

    for (int i = 0; i < count; i++) {
        char text[64];
        struct observation o;

        numbered(text, sizeof text, name, i);
        o = answer(begun + i * each, text, match);
        o.client_port = (uint16_t)(1024 + i);
        scene_see(&s, &o);
    }
    now = begun + count * each + 60 * S;
    scene_flush(&s, now);
}

static const char *sign(void)
{
    assert_true(s.count > 0);
    return s.found[s.count - 1].evidence.text;
}

static void somebody_tries_ids(void **state)
{
    (void)state;
    answers("www.example.net", ANSWER_WRONG_ID, 20, 50 * MS);
    assert_non_null(strstr(sign(), "\"sign\":\"wrong ids\""));
    assert_int_equal(s.found[0].kind, KIND_POISONING);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_MEDIUM);
    assert_string_equal(s.found[0].name, "www.example.net");
}

static void a_flood_of_ids_is_graver(void **state)
{
    (void)state;
    answers("www.example.net", ANSWER_WRONG_ID, 400, 5 * MS);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_HIGH);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.found[i].key == s.found[0].key);
}

static void few_or_slow_or_late_is_no_guessing(void **state)
{
    (void)state;
    answers("a.example", ANSWER_WRONG_ID, 9, MS);
    answers("b#.example", ANSWER_WRONG_ID, 40, 100 * MS); /* each another */
    answers("c.example", ANSWER_WRONG_ID, 40, 300 * MS);
    answers("d.example", ANSWER_LATE, 400, MS);
    answers("e.example", ANSWER_MATCHED, 400, MS);
    assert_int_equal(s.count, 0);
}

static void somebody_answers_other_questions(void **state)
{
    (void)state;
    answers("a#.example", ANSWER_WRONG_QUESTION, 9, MS);
    assert_int_equal(s.count, 0);
    answers("a#.example", ANSWER_WRONG_QUESTION, 20, MS);
    assert_non_null(strstr(sign(), "\"sign\":\"wrong questions\""));
}

static struct observation second_answer(bool surplus, bool differs, uint8_t first_ttl)
{
    struct observation o = answer(T0, "www.example.net", ANSWER_AGAIN);

    o.dns.surplus = surplus;
    o.dns.differs = differs;
    o.dns.first_ttl = first_ttl;
    o.dns.latency_us = 31000;
    return o;
}

static void two_answers_contradict(void **state)
{
    struct observation o = second_answer(true, true, 60);

    (void)state;
    scene_see(&s, &o);
    assert_non_null(strstr(sign(), "\"sign\":\"conflicting answers\""));
    assert_non_null(strstr(sign(), "\"said\":\"192.0.2.66\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    o.dns.first_ttl = 47;
    scene_see(&s, &o);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.found[s.count - 1].severity, SEVERITY_HIGH);
    assert_non_null(strstr(sign(), "\"other_way\":true"));
}

static void answers_that_only_look_doubled(void **state)
{
    struct observation o = second_answer(false, true, 60); /* the client asked twice */

    (void)state;
    scene_see(&s, &o);
    o = second_answer(true, false, 59); /* one packet, seen at two places */
    scene_see(&s, &o);
    o = second_answer(true, true, 60);
    o.transport = TRANSPORT_DO53_TCP; /* a zone in several messages */
    scene_see(&s, &o);
    o = second_answer(true, true, 60);
    o.dns.message.flags |= 0x0200; /* cut to its header: says nothing */
    scene_see(&s, &o);
    scene_flush(&s, T0 + 10 * S);
    assert_int_equal(s.count, 0);
}

static void a_name_is_sprayed_over_ports(void **state)
{
    (void)state;
    answers("www.example.net", ANSWER_UNASKED, 900, MS);
    assert_non_null(strstr(sign(), "\"sign\":\"port spray\""));
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
}

static void answers_alone_are_no_spray(void **state)
{
    (void)state;
    answers("n#.example", ANSWER_UNASKED, 3000, MS); /* one direction of a busy forwarder */
    answers("www.example.net", ANSWER_UNASKED, 400, MS);
    assert_int_equal(s.count, 0);
}

static void in_letters(int count, bool differs)
{
    for (int i = 0; i < count; i++) {
        struct observation o = answer(now += MS, "www.example.net", ANSWER_MATCHED);

        o.dns.mixed_case = true;
        o.dns.case_differs = differs;
        scene_see(&s, &o);
    }
    scene_flush(&s, now);
}

static void somebody_does_not_know_the_letters(void **state)
{
    (void)state;
    in_letters(20, false);
    assert_int_equal(s.count, 0);
    in_letters(1, true);
    assert_non_null(strstr(sign(), "\"sign\":\"other letters\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
}

static void a_server_that_never_keeps_letters(void **state)
{
    (void)state;
    in_letters(200, true);
    in_letters(19, false); /* too little to know it by */
    in_letters(1, true);
    assert_int_equal(s.count, 0);
}

static void strays(int count, int ports, nsec_t each)
{
    for (int i = 0; i < count; i++) {
        struct observation o = answer(now += each, "www.example.net", ANSWER_UNASKED);

        o.kind = OBSERVE_STRAY;
        o.proto = IP_PROTO_UDP;
        o.client_port = (uint16_t)(30000 + i % ports);
        s.detector->strayed(s.state, &o);
    }
    scene_flush(&s, now + 10 * S);
}

static void somebody_looks_for_the_port(void **state)
{
    (void)state;
    strays(300, 300, MS);
    assert_non_null(strstr(sign(), "\"sign\":\"port probing\""));
    assert_null(strstr(sign(), "\"said\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
}

static void errors_about_a_spray_are_part_of_it(void **state)
{
    (void)state;
    for (int i = 0; i < 900; i++) {
        struct observation o = answer(now += MS, "www.example.net", ANSWER_UNASKED);

        o.client_port = (uint16_t)(1024 + i);
        scene_see(&s, &o);
        o.kind = OBSERVE_STRAY;
        o.proto = IP_PROTO_ICMP;
        s.detector->strayed(s.state, &o);
    }
    scene_flush(&s, now + 10 * S);
    for (size_t i = 0; i < s.count; i++)
        assert_null(strstr(s.found[i].evidence.text, "port probing"));
}

static void few_or_slow_strays(void **state)
{
    (void)state;
    strays(150, 150, MS);
    strays(2000, 50, MS); /* the same ports over and over */
    strays(1000, 1000, 10 * MS);
    assert_int_equal(s.count, 0);
}

static void a_zone_that_was_not_asked_about(void **state)
{
    struct observation o = answer(T0, "www.example.net", ANSWER_MATCHED);

    (void)state;
    o.dns.message.foreign = true;
    scene_see(&s, &o);
    assert_non_null(strstr(sign(), "\"sign\":\"foreign zone\""));
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
}

static void resolve(int count, int ports, unsigned step, bool recursion)
{
    for (int i = 0; i < count; i++) {
        struct observation o = scene_query(T0 + i * MS, CLIENT, SERVER, "www.example.net");

        o.dns.message.flags = recursion ? 0x0100 : 0;
        o.dns.message.id = (uint16_t)((unsigned)i * step);
        o.client_port = (uint16_t)(1024 + i * 7919 % ports);
        scene_see(&s, &o);
    }
    scene_flush(&s, T0 + 10 * S);
}

static void a_resolver_that_is_easy_to_guess(void **state)
{
    (void)state;
    resolve(1000, 20, 7919, false);
    assert_non_null(strstr(sign(), "\"sign\":\"weak source\""));
    assert_non_null(strstr(sign(), "\"distinct_ports\":20"));
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
}

static void a_resolver_that_counts_its_ids(void **state)
{
    (void)state;
    resolve(1000, 60000, 1, false);
    assert_non_null(strstr(sign(), "\"sequential_ids\":"));
}

static void a_sound_resolver_and_a_stub(void **state)
{
    (void)state;
    resolve(3000, 60000, 7919, false);
    resolve(3000, 1, 1, true); /* a load generator, or a stub: not ours to judge */
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(somebody_tries_ids, begin, end),
        cmocka_unit_test_setup_teardown(a_flood_of_ids_is_graver, begin, end),
        cmocka_unit_test_setup_teardown(few_or_slow_or_late_is_no_guessing, begin, end),
        cmocka_unit_test_setup_teardown(somebody_answers_other_questions, begin, end),
        cmocka_unit_test_setup_teardown(two_answers_contradict, begin, end),
        cmocka_unit_test_setup_teardown(answers_that_only_look_doubled, begin, end),
        cmocka_unit_test_setup_teardown(a_name_is_sprayed_over_ports, begin, end),
        cmocka_unit_test_setup_teardown(answers_alone_are_no_spray, begin, end),
        cmocka_unit_test_setup_teardown(somebody_does_not_know_the_letters, begin, end),
        cmocka_unit_test_setup_teardown(a_server_that_never_keeps_letters, begin, end),
        cmocka_unit_test_setup_teardown(somebody_looks_for_the_port, begin, end),
        cmocka_unit_test_setup_teardown(errors_about_a_spray_are_part_of_it, begin, end),
        cmocka_unit_test_setup_teardown(few_or_slow_strays, begin, end),
        cmocka_unit_test_setup_teardown(a_zone_that_was_not_asked_about, begin, end),
        cmocka_unit_test_setup_teardown(a_resolver_that_is_easy_to_guess, begin, end),
        cmocka_unit_test_setup_teardown(a_resolver_that_counts_its_ids, begin, end),
        cmocka_unit_test_setup_teardown(a_sound_resolver_and_a_stub, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
