#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "event.h"
#include "model/mute.h"
#include "output/community.h"
#include "output/output.h"

static json_t *render(const struct record *r)
{
    char *line = eve_render(r, NULL);
    json_t *eve;

    assert_non_null(line);
    assert_null(strchr(line, '\n'));
    for (const char *c = line; *c; c++)
        assert_in_range(*c, 0x20, 0x7e);
    eve = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(eve);
    free(line);
    return eve;
}

static const char *text_at(const json_t *eve, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(eve, object), key));
}

static void an_alert_is_shaped_as_eve(void **state)
{
    struct record r = event("www.example.org");
    json_t *eve = render(&r);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(eve, "event_type")), "alert");
    assert_string_equal(json_string_value(json_object_get(eve, "src_ip")), "10.20.0.1");
    assert_string_equal(text_at(eve, "alert", "action"), "allowed");
    assert_string_equal(text_at(eve, "sealdns", "kind"), "cleartext");
    assert_string_equal(text_at(eve, "sealdns", "zone"), "office");
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(json_object_get(json_object_get(eve, "dns"), "queries"), 0), "rrtype")),
        "AAAA");
    json_decref(eve);
    r.event.verdict = VERDICT_BLOCKED;
    eve = render(&r);
    assert_string_equal(text_at(eve, "alert", "action"), "blocked");
    json_decref(eve);
}

/* Names, SNIs and certificates are a stranger's: quotes, control characters, bytes above ASCII. */
static void hostile_text_stays_text(void **state)
{
    char name[256];

    (void)state;
    for (int c = 1; c < 256; c++) {
        struct record r;
        json_t *eve;

        memset(name, c, sizeof name - 1);
        name[sizeof name - 1] = '\0';
        r = event(name);
        eve = render(&r);
        assert_non_null(json_object_get(eve, "sealdns"));
        json_decref(eve);
    }
}

static void what_is_too_long_is_left_out_whole(void **state)
{
    struct record r = event("a");
    json_t *eve, *evidence;
    char long_text[EVIDENCE_SIZE];

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    evidence_string(&r.event.finding.evidence, "too_long", long_text);
    evidence_integer(&r.event.finding.evidence, "after", 7);
    eve = render(&r);
    evidence = json_object_get(json_object_get(eve, "sealdns"), "evidence");
    assert_null(json_object_get(evidence, "too_long"));
    assert_int_equal(json_integer_value(json_object_get(evidence, "after")), 7);
    assert_true(json_is_true(json_object_get(evidence, "truncated")));
    json_decref(eve);
}

/* The example of the Community ID specification, both directions. */
static void community_id_is_that_of_others(void **state)
{
    struct finding f = {.proto = 6, .client_port = 34855, .server_port = 80};
    char id[64];

    (void)state;
    assert_int_equal(addr_parse("128.232.110.120", &f.client), SD_OK);
    assert_int_equal(addr_parse("66.35.250.204", &f.server), SD_OK);
    assert_true(community_id(&f, id));
    assert_string_equal(id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    f = (struct finding){.proto = 6,
                         .client = f.server,
                         .server = f.client,
                         .client_port = 80,
                         .server_port = 34855};
    assert_true(community_id(&f, id));
    assert_string_equal(id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    f.proto = 1;
    assert_false(community_id(&f, id));
}

static void a_sentence_has_no_control_characters(void **state)
{
    struct record r = event("\x1b[31mred\x07.example");
    json_t *eve = render(&r);
    char *line = output_format_named("text")->render(eve);

    (void)state;
    assert_non_null(line);
    for (const char *c = line; *c; c++)
        assert_in_range(*c, 0x20, 0x7e);
    assert_non_null(strstr(line, "10.20.0.1 (office) asked 9.9.9.9 in clear text"));
    free(line);
    json_decref(eve);
}

static void a_muted_event_says_who_muted_it(void **state)
{
    struct policy_mute mute = {.kind = KIND_CLEARTEXT, .until = 9, .owner = "netops"};
    struct policy policy = {.mutes = &mute, .mute_count = 1};
    struct record r = event("a.example");
    json_t *eve, *muted;
    char *line;

    (void)state;
    strcpy(mute.reason, "a \"printer\"");
    r.event.finding.severity = SEVERITY_INFORMATIONAL;
    r.event.finding.muted = SEVERITY_MEDIUM;
    line = eve_render(&r, &policy);
    eve = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    muted = json_object_get(json_object_get(eve, "sealdns"), "muted");
    assert_string_equal(json_string_value(json_object_get(muted, "owner")), "netops");
    assert_string_equal(json_string_value(json_object_get(muted, "reason")), "a \"printer\"");
    assert_int_equal(json_integer_value(json_object_get(muted, "severity")), SEVERITY_MEDIUM);
    free(line);
    line = output_format_named("text")->render(eve);
    assert_non_null(strstr(line, "muted by netops"));
    free(line);
    json_decref(eve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_alert_is_shaped_as_eve),
                                       cmocka_unit_test(hostile_text_stays_text),
                                       cmocka_unit_test(what_is_too_long_is_left_out_whole),
                                       cmocka_unit_test(community_id_is_that_of_others),
                                       cmocka_unit_test(a_muted_event_says_who_muted_it),
                                       cmocka_unit_test(a_sentence_has_no_control_characters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
