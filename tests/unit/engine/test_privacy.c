#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/conf.h"
#include "engine/privacy.h"
#include "output/output.h"

#define NOW (1700000000 * NSEC_S)

static char folder[] = "/tmp/test_privacy.XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/key", folder);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    return unlink(path) == 0 && rmdir(folder) == 0 ? 0 : 1;
}

static struct policy *policy_of(const char *privacy)
{
    static const char zones[] =
        "resolvers: [{id: corp, addresses: [10.20.0.53], transports: [do53]}]\n"
        "zones: [{id: office, networks: [10.20.0.0/16], approve: [corp]}]\n";
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;
    char text[512];
    struct conf_source source = {.policy = {"p", text, 0}};

    source.policy.length = (size_t)snprintf(text, sizeof text, "%s%s", zones, privacy);
    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    return p;
}

static struct policy *pseudonyms_in(const char *places)
{
    char text[256];

    snprintf(text, sizeof text, "privacy: {clients: pseudonym, key: %s, in: [%s]}\n", path, places);
    return policy_of(text);
}

static struct privacy *started(const struct policy *p)
{
    char error[PSEUDONYM_ERROR] = "";
    struct privacy *v = NULL;

    assert_int_equal(privacy_open(p, NOW, &v, error), SD_OK);
    return v;
}

static struct record event(void)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office"};
    struct finding *f = &r.event.finding;

    strcpy(r.event.id, "0123456789abcdef");
    strcpy(r.client.host, "annas-laptop");
    r.client.station = f->station = 0x020000000009;
    strcpy(f->rule, "cleartext");
    f->kind = KIND_CLEARTEXT;
    f->severity = SEVERITY_LOW;
    f->flow_id = 77;
    assert_int_equal(addr_parse("10.20.0.5", &f->client), SD_OK);
    assert_int_equal(addr_parse("10.20.0.66", &f->server), SD_OK);
    evidence_clear(&f->evidence);
    evidence_string(&f->evidence, "said", "10.20.0.5 and 10.20.0.7 asked 10.20.0.53, not 9.9.9.9");
    evidence_string(&f->evidence, "station", "02:00:00:00:00:09");
    return r;
}

static void what_is_written_names_no_client(void **state)
{
    struct policy *p = pseudonyms_in("store, feed");
    struct privacy *v = started(p);
    struct record r = event();
    const struct record *shown = privacy_record(v, &r, PRIVACY_STORE);
    char *line = eve_render(shown, p), pseudonym[ADDR_TEXT];

    (void)state;
    assert_ptr_not_equal(shown, &r);
    assert_non_null(strstr(line, privacy_text(v, &r.event.finding.client, pseudonym)));
    assert_null(strstr(line, "10.20.0.5\""));
    assert_null(strstr(line, "10.20.0.5 "));
    assert_null(strstr(line, "10.20.0.7"));
    assert_null(strstr(line, "annas"));
    assert_null(strstr(line, "02:00:00"));
    assert_null(strstr(line, "flow_id"));
    assert_non_null(strstr(line, "asked 10.20.0.53, not 9.9.9.9")); /* resolvers stay */
    assert_non_null(strstr(line, "\"10.20.0.66\""));                /* and who acts as server */
    assert_string_equal(r.client.host, "annas-laptop");             /* what detects keeps all */
    free(line);
    privacy_close(v);
    policy_destroy(p);
}

static void it_goes_by_place(void **state)
{
    struct policy *p = pseudonyms_in("feed"), *plain = policy_of("");
    struct privacy *v = started(p);
    struct record r = event();

    (void)state;
    assert_ptr_equal(privacy_record(v, &r, PRIVACY_STORE), &r);
    assert_ptr_not_equal(privacy_record(v, &r, PRIVACY_FEED), &r);
    privacy_use_policy(v, plain, NOW);
    assert_ptr_equal(privacy_record(v, &r, PRIVACY_FEED), &r);
    privacy_close(v);
    policy_destroy(p);
    policy_destroy(plain);
}

static void who_changed_a_policy_is_told_all_the_same(void **state)
{
    struct policy *p = pseudonyms_in("store");
    struct privacy *v = started(p);
    struct record r = event();

    (void)state;
    r.event.finding.kind = KIND_ENFORCEMENT;
    memset(&r.event.finding.client, 0, sizeof r.event.finding.client);
    assert_ptr_equal(privacy_record(v, &r, PRIVACY_STORE), &r);
    privacy_close(v);
    policy_destroy(p);
}

static const struct record *memory_of(struct privacy *v, struct record *r, const char *key)
{
    memset(r, 0, sizeof *r);
    r->kind = RECORD_MEMORY;
    strcpy(r->memory.topic, "profile");
    strcpy(r->memory.key, key);
    return privacy_record(v, r, PRIVACY_STORE);
}

static void what_was_learned_of_a_client_is_not_kept(void **state)
{
    struct policy *p = pseudonyms_in("store");
    struct privacy *v = started(p);
    struct record r;

    (void)state;
    assert_null(memory_of(v, &r, "10.20.0.5 9.9.9.9 dot"));
    assert_null(memory_of(v, &r, "02:00:00:00:00:09"));
    assert_ptr_equal(memory_of(v, &r, "9.9.9.9 853 dot"), &r);
    assert_ptr_equal(memory_of(v, &r, "10.20.0.53 53 do53-udp"), &r);
    privacy_close(v);
    policy_destroy(p);
}

static void the_query_log_has_its_own_word(void **state)
{
    char text[256];
    struct policy *p;
    struct privacy *v;
    struct record r = {.kind = RECORD_QUERY};
    struct addr client;
    const struct record *shown;

    (void)state;
    snprintf(text, sizeof text,
             "privacy: {key: %s}\nquery_log: {mode: all, clients: pseudonym, store: true}\n", path);
    p = policy_of(text);
    v = started(p);
    assert_int_equal(addr_parse("10.20.0.5", &client), SD_OK);
    r.query.client = client;
    shown = privacy_record(v, &r, PRIVACY_FEED);
    assert_int_equal(shown->query.client.b[0], 0xfd);
    r = event();
    assert_ptr_equal(privacy_record(v, &r, PRIVACY_FEED), &r); /* events are plain */
    privacy_close(v);
    policy_destroy(p);
}

static void without_a_key_nobody_is_named(void **state)
{
    struct policy *p = pseudonyms_in("store"),
                  *lost = policy_of("privacy: {clients: pseudonym, key: /nowhere/key}\n");
    struct privacy *v = started(p), *none = NULL;
    struct record r = event();
    char error[PSEUDONYM_ERROR] = "", *line;

    (void)state;
    assert_int_equal(privacy_open(lost, NOW, &none, error), SD_ECONF);
    assert_non_null(strstr(error, "/nowhere/key"));
    privacy_use_policy(v, lost, NOW);
    line = eve_render(privacy_record(v, &r, PRIVACY_STORE), lost);
    assert_null(strstr(line, "10.20.0.5"));
    assert_non_null(strstr(line, "\"client\":null"));
    free(line);
    privacy_close(v);
    policy_destroy(p);
    policy_destroy(lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_names_no_client),
        cmocka_unit_test(it_goes_by_place),
        cmocka_unit_test(who_changed_a_policy_is_told_all_the_same),
        cmocka_unit_test(what_was_learned_of_a_client_is_not_kept),
        cmocka_unit_test(the_query_log_has_its_own_word),
        cmocka_unit_test(without_a_key_nobody_is_named),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_all);
}
