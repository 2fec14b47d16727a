/* ECS, OCSF and CEF, held against what their schemas require. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "event.h"
#include "output/member.h"
#include "output/output.h"

static struct policy *policy;

static int load(void **state)
{
    static const char text[] = "sensor: {name: gw-1, interfaces: [lan0]}\n";
    const struct conf_source source = {.policy = {"p", text, sizeof text - 1}};
    struct conf_report report = {.to = stderr};

    (void)state;
    return conf_load(&source, &report, &policy);
}

static int unload(void **state)
{
    (void)state;
    policy_destroy(policy);
    return 0;
}

/* The event in a format; to be freed. */
static char *in_format(const struct record *r, const char *format)
{
    char *eve_line = eve_render(r, policy), *line;
    json_t *eve = json_loads(eve_line, 0, NULL);

    assert_non_null(eve);
    line = output_format_named(format)->render(eve);
    assert_non_null(line);
    assert_null(strchr(line, '\n'));
    json_decref(eve);
    free(eve_line);
    return line;
}

static json_t *as_json(const struct record *r, const char *format)
{
    char *line = in_format(r, format);
    json_t *document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(document);
    free(line);
    return document;
}

struct required {
    const char *path;
    json_type type;
};

static void assert_required(const json_t *document, const struct required *list)
{
    for (; list->path; list++) {
        const json_t *at = member(document, list->path);

        if (!at || json_typeof(at) != list->type)
            fail_msg("%s is %s", list->path, at ? "of another type" : "not there");
    }
}

/* ECS 8.11: @timestamp and ecs.version are core and required; the rest is what detections of
 * Elastic Security read. */
static const struct required ecs[] = {{"@timestamp", JSON_STRING},
                                      {"ecs.version", JSON_STRING},
                                      {"message", JSON_STRING},
                                      {"event.id", JSON_STRING},
                                      {"event.kind", JSON_STRING},
                                      {"event.category", JSON_ARRAY},
                                      {"event.type", JSON_ARRAY},
                                      {"event.severity", JSON_INTEGER},
                                      {"rule.id", JSON_STRING},
                                      {"rule.name", JSON_STRING},
                                      {"source.ip", JSON_STRING},
                                      {"source.port", JSON_INTEGER},
                                      {"destination.ip", JSON_STRING},
                                      {"network.transport", JSON_STRING},
                                      {"network.community_id", JSON_STRING},
                                      {"dns.question.name", JSON_STRING},
                                      {"threat.technique.id", JSON_ARRAY},
                                      {"observer.name", JSON_STRING},
                                      {"related.ip", JSON_ARRAY},
                                      {NULL, 0}};

/* OCSF 1.3: what Detection Finding, metadata, finding_info, evidences, network_connection_info,
 * dns_query and observable require. */
static const struct required ocsf[] = {{"activity_id", JSON_INTEGER},
                                       {"category_uid", JSON_INTEGER},
                                       {"class_uid", JSON_INTEGER},
                                       {"type_uid", JSON_INTEGER},
                                       {"severity_id", JSON_INTEGER},
                                       {"time", JSON_INTEGER},
                                       {"metadata.version", JSON_STRING},
                                       {"metadata.product.name", JSON_STRING},
                                       {"metadata.product.vendor_name", JSON_STRING},
                                       {"finding_info.uid", JSON_STRING},
                                       {"finding_info.title", JSON_STRING},
                                       {"finding_info.analytic.type_id", JSON_INTEGER},
                                       {"evidences.0.src_endpoint.ip", JSON_STRING},
                                       {"evidences.0.connection_info.direction_id", JSON_INTEGER},
                                       {"evidences.0.query.hostname", JSON_STRING},
                                       {"observables.0.type_id", JSON_INTEGER},
                                       {"action_id", JSON_INTEGER},
                                       {"disposition_id", JSON_INTEGER},
                                       {NULL, 0}};

static void what_ecs_requires_is_there(void **state)
{
    struct record r = event("www.example.org");
    json_t *document = as_json(&r, "ecs");

    (void)state;
    assert_required(document, ecs);
    assert_string_equal(member_text(document, "event.type.0"), "allowed");
    assert_string_equal(member_text(document, "event.id"), "0123456789abcdef-1");
    assert_non_null(strchr(member_text(document, "@timestamp"), 'Z'));
    assert_string_equal(member_text(document, "observer.name"), "gw-1");
    json_decref(document);
    r.event.verdict = VERDICT_BLOCKED;
    document = as_json(&r, "ecs");
    assert_string_equal(member_text(document, "event.type.0"), "denied");
    json_decref(document);
}

static void what_ocsf_requires_is_there(void **state)
{
    struct record r = event("www.example.org");
    json_t *document;

    (void)state;
    r.event.finding.time = INT64_C(1795602578357) * NSEC_MS;
    document = as_json(&r, "ocsf");
    assert_required(document, ocsf);
    assert_int_equal(member_integer(document, "type_uid"), 200401);
    assert_int_equal(member_integer(document, "severity_id"), 3);
    assert_int_equal(member_integer(document, "time"), INT64_C(1795602578357));
    assert_int_equal(member_integer(document, "action_id"), 1);
    json_decref(document);
    r.event.verdict = VERDICT_BLOCKED;
    r.event.state = STATE_FINAL;
    document = as_json(&r, "ocsf");
    assert_int_equal(member_integer(document, "type_uid"), 200403);
    assert_int_equal(member_integer(document, "disposition_id"), 2);
    json_decref(document);
}

/* What the sensor says of itself has no client, no server and no rule of detection. */
static void an_event_of_the_sensor_has_a_form_everywhere(void **state)
{
    struct record r = event("");
    json_t *document;
    char *line;

    (void)state;
    r.event.finding = (struct finding){.kind = KIND_SENSOR, .rule = "sensor"};
    evidence_string(&r.event.finding.evidence, "what", "started");
    document = as_json(&r, "ecs");
    assert_string_equal(member_text(document, "event.kind"), "event");
    assert_null(member(document, "source"));
    json_decref(document);
    document = as_json(&r, "ocsf");
    assert_int_equal(member_integer(document, "severity_id"), 1);
    assert_string_equal(member_text(document, "finding_info.title"), "sealdns sensor: started");
    json_decref(document);
    line = in_format(&r, "cef");
    assert_non_null(strstr(line, "|sensor|sealdns event|1|"));
    free(line);
}

static void cef_has_its_seven_bars(void **state)
{
    struct record r = event("www.example.org");
    char *line = in_format(&r, "cef"), *at = line;

    (void)state;
    assert_int_equal(strncmp(line, "CEF:0|sealdns|sealdns|", 22), 0);
    for (int bar = 0; bar < 7; bar++)
        at = strchr(at, '|') + 1;
    assert_non_null(strstr(at, "src=10.20.0.1 "));
    assert_non_null(strstr(at, "cs3Label=query cs3=www.example.org "));
    assert_null(strchr(at, '|'));
    free(line);
}

/* An equals sign or a bar of a stranger's begins no field of ours. */
static void cef_escapes_what_strangers_send(void **state)
{
    struct record r = event("a=b|c\\ act=blocked");
    char *line = in_format(&r, "cef");

    (void)state;
    assert_non_null(strstr(line, "cs3=a\\=b|c\\\\ act\\=blocked "));
    free(line);
    r.event.finding.qtype = 0;
    addr_parse("2001:db8::1", &r.event.finding.client);
    line = in_format(&r, "cef");
    assert_non_null(strstr(line, "c6a2=2001:db8::1 "));
    assert_null(strstr(line, " src="));
    free(line);
}

static void text_is_a_sentence(void **state)
{
    struct record r = event("www.example.org");
    char *line = in_format(&r, "text");

    (void)state;
    assert_non_null(strstr(line,
                           " medium        cleartext           10.20.0.1 (office) asked 9.9.9.9 "
                           "in clear text, for www.example.org x3 [names www.example.org]"));
    free(line);
    strcpy(r.event.finding.rule, "downgrade"); /* members of its sentence are missing */
    line = in_format(&r, "text");
    assert_non_null(strstr(line, ", client 10.20.0.1, server 9.9.9.9 x3"));
    evidence_string(&r.event.finding.evidence, "failed_server", "9.9.9.9");
    evidence_string(&r.event.finding.evidence, "clear_server", "1.1.1.1");
    evidence_string(&r.event.finding.evidence, "cause", "certificate");
    evidence_string(&r.event.finding.evidence, "origin", "unknown");
    free(line);
    line = in_format(&r, "text");
    assert_non_null(strstr(line,
                           "10.20.0.1 (office) gave up encrypted DNS with 9.9.9.9: the "
                           "certificate was refused; then it asked 1.1.1.1 in clear text, for "
                           "www.example.org x3"));
    free(line);
}

/* A terminal does nothing at DEL, which JSON does not escape. */
static bool is_obeyed(const char *o)
{
    return (iscntrl((unsigned char)*o) && *o != '\x7f') ||
           (o[0] == '\xc2' && (unsigned char)o[1] >= 0x80 && (unsigned char)o[1] < 0xa0);
}

static void hostile_octets_reach_no_terminal(void **state)
{
    static const char *const formats[] = {"ecs", "ocsf", "cef", "eve", "text"};
    char name[256];

    (void)state;
    for (int c = 1; c < 256; c++) {
        memset(name, c, sizeof name - 1);
        name[sizeof name - 1] = '\0';
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            struct record r = event(name);
            char *line = in_format(&r, formats[f]);

            for (const char *o = line; *o; o++)
                assert_false(is_obeyed(o));
            free(line);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ecs_requires_is_there),
        cmocka_unit_test(what_ocsf_requires_is_there),
        cmocka_unit_test(an_event_of_the_sensor_has_a_form_everywhere),
        cmocka_unit_test(cef_has_its_seven_bars),
        cmocka_unit_test(cef_escapes_what_strangers_send),
        cmocka_unit_test(text_is_a_sentence),
        cmocka_unit_test(hostile_octets_reach_no_terminal),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
