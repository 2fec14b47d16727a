/* What a probe asks and what it takes for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "model/dns.h"
#include "probe/probe.h"
#include "probe/question.h"

static const struct question svcb = {"_dns.resolver.arpa", DNS_TYPE_SVCB, 0x1234, true};

/* The question comes back with a head of our own and whatever is put behind it. */
static size_t answer_to(const struct question *q, uint8_t *out, uint8_t answers, uint8_t more,
                        const void *records, size_t length)
{
    struct question bare = *q;
    int n;

    bare.padded = false;
    n = question_write(&bare, out) - 11; /* without OPT */
    out[2] = 0x81;
    out[3] = 0x80;
    out[7] = answers;
    out[11] = more;
    memcpy(out + n, records, length);
    return (size_t)n + length;
}

static void a_question_is_padded_to_its_block(void **state)
{
    uint8_t out[QUESTION_BYTES];
    struct question q = svcb;

    (void)state;
    assert_int_equal(question_write(&q, out), QUESTION_BLOCK);
    q.name = "";
    q.type = DNS_TYPE_NS;
    assert_int_equal(question_write(&q, out), QUESTION_BLOCK);
    q.padded = false;
    assert_int_equal(question_write(&q, out), 12 + 5 + 11);
    q.name = "a..b";
    assert_int_equal(question_write(&q, out), SD_EINVAL);
}

static void a_designation_is_read(void **state)
{
    static const uint8_t records[] = {0xc0, 12,  0, 64,  0,   1,   0, 0,   0,   60,  0,   15,
                                      0,    1,   3, 'd', 'n', 's', 7, 'e', 'x', 'a', 'm', 'p',
                                      'l',  'e', 0, 0,   0,   41,  4, 208, 0,   0,   0,   0,
                                      0,    8,   0, 12,  0,   4,   0, 0,   0,   0};
    uint8_t message[QUESTION_BYTES];
    struct answer a;
    size_t n = answer_to(&svcb, message, 1, 1, records, sizeof records);

    (void)state;
    assert_int_equal(answer_read(&svcb, message, n, &a), SD_OK);
    assert_int_equal(a.records, 1);
    assert_string_equal(a.target, "dns.example");
    assert_true(a.padded);
    assert_int_equal(a.padding, 4);
    for (size_t cut = 1; cut < n;
         cut++) /* every shorter message is none, and none is read beyond */
        assert_int_equal(answer_read(&svcb, message, n - cut, &a), SD_EMALF);
}

static void what_answers_another_question_is_no_answer(void **state)
{
    uint8_t message[QUESTION_BYTES];
    struct question other = svcb;
    struct answer a;
    size_t n = answer_to(&svcb, message, 0, 0, "", 0);

    (void)state;
    assert_int_equal(answer_read(&svcb, message, n, &a), SD_OK);
    other.id++;
    assert_int_equal(answer_read(&other, message, n, &a), SD_EMALF);
    other = svcb;
    other.name = "_dns.resolver.arpb";
    assert_int_equal(answer_read(&other, message, n, &a), SD_EMALF);
    message[2] = 0x01; /* a question, not a response */
    assert_int_equal(answer_read(&svcb, message, n, &a), SD_EMALF);
}

static void a_pin_is_the_digest_in_base64(void **state)
{
    uint8_t spki[32];
    char text[PIN_TEXT];

    (void)state;
    for (int i = 0; i < 32; i++)
        spki[i] = (uint8_t)i;
    assert_string_equal(pin_text(spki, text),
                        "sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
}

static void what_no_probe_wrote_is_not_sound(void **state)
{
    struct probe_observation o = {.faults = FAULT(FAULT_EXPIRED), .encrypted = true};

    (void)state;
    assert_true(probe_is_sound(&o));
    o.faults = 1u << FAULT_COUNT;
    assert_false(probe_is_sound(&o));
    o.faults = 0;
    o.issuer[3] = '\n';
    assert_true(probe_is_sound(&o)); /* behind the end */
    memset(o.issuer, 'x', 3);
    assert_false(probe_is_sound(&o));
    memset(o.issuer, 'x', sizeof o.issuer);
    assert_false(probe_is_sound(&o));
    o.issuer[0] = '\0';
    o.canary[0] = CANARY_FAILED + 1;
    assert_false(probe_is_sound(&o));
    o.canary[0] = 0;
    memset(&o.reached, 7, 1);
    assert_false(probe_is_sound(&o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_padded_to_its_block),
        cmocka_unit_test(a_designation_is_read),
        cmocka_unit_test(what_answers_another_question_is_no_answer),
        cmocka_unit_test(a_pin_is_the_digest_in_base64),
        cmocka_unit_test(what_no_probe_wrote_is_not_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
