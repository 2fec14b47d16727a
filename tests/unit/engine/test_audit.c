/* What is known of who changed something: the kernel's word, and the process's own, made harmless.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/conf.h"
#include "engine/audit.h"

/* As the event will have it; to be json_decref()ed. */
static json_t *facts_of(const struct asker *who, const char *via)
{
    struct evidence e;
    char text[EVIDENCE_SIZE + 3];
    json_t *facts;

    evidence_clear(&e);
    audit_who(&e, who, via);
    snprintf(text, sizeof text, "{%s}", e.text);
    facts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(facts);
    return facts;
}

static const char *string(const json_t *facts, const char *key)
{
    const char *value = json_string_value(json_object_get(facts, key));

    return value ? value : "";
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* A child that has called itself so, and waits. */
static pid_t child_called(const char *name)
{
    int ready[2];
    char word;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, name);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &word, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

/* sleep, with this environment. */
static pid_t sleeper(char *const environment[])
{
    pid_t child = fork();

    if (child == 0) {
        execle("/bin/sleep", "sleep", "30", (char *)NULL, environment);
        _exit(1);
    }
    return child;
}

/* It has its name a moment before it has its environment. */
static bool has_environment(pid_t child)
{
    char path[64], octet;
    int file;
    bool has;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)child);
    file = open(path, O_RDONLY);
    has = file >= 0 && read(file, &octet, 1) == 1;
    if (file >= 0)
        close(file);
    return has;
}

static json_t *facts_of_sleeper(pid_t child)
{
    static const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    struct asker who = {.uid = getuid(), .pid = child};

    for (int i = 0; i < 500; i++) {
        bool named = has_environment(child);
        json_t *facts = facts_of(&who, "socket");

        if (strcmp(string(facts, "program"), "sleep") == 0 && named)
            return facts;
        json_decref(facts);
        nanosleep(&moment, NULL);
    }
    fail_msg("no sleep");
    return NULL;
}

static void the_kernel_says_who_it_is(void **unused)
{
    struct asker who = audit_self();
    json_t *facts = facts_of(&who, "socket");

    (void)unused;
    assert_string_equal(string(facts, "via"), "socket");
    assert_int_equal(json_integer_value(json_object_get(facts, "uid")), geteuid());
    assert_int_equal(json_integer_value(json_object_get(facts, "pid")), getpid());
    assert_string_equal(string(facts, "program"), "test_engine_aud");
    json_decref(facts);
}

static void a_hostile_name_is_only_a_name(void **unused)
{
    static const char *const names[][2] = {{") R 1 1 1 34816", ") R 1 1 1 34816"},
                                           {"a\"\\\n\x1b]0;\xff", "a\"\\\\\\010\\027]0;\\255"},
                                           {"(", "("},
                                           {"\n\n\nUid: 7 7", "\\010\\010\\010Uid: 7 7"}};

    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pid_t child = child_called(names[i][0]);
        struct asker who = {.uid = getuid(), .pid = child};
        json_t *facts = facts_of(&who, NULL);

        assert_string_equal(string(facts, "program"), names[i][1]);
        assert_int_equal(json_integer_value(json_object_get(facts, "uid")), getuid());
        json_decref(facts);
        end(child);
    }
}

static void from_where_is_an_address_or_nothing(void **unused)
{
    static const char *const values[][2] = {
        {"SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22", "192.0.2.7"},
        {"SSH_CONNECTION=2001:db8::7 50000 2001:db8::1 22", "2001:db8::7"},
        {"SSH_CONNECTION=fe80::7%eth0 50000 fe80::1 22", "fe80::7"},
        {"SSH_CONNECTION=\",\"uid\":0 1", ""},
        {"SSH_CONNECTION=", ""},
        {"SSH_CONNECTION=11111111111111111111111111111111111111111111111111111111111", ""},
        {"XSSH_CONNECTION=192.0.2.7 1 192.0.2.1 22", ""},
    };

    (void)unused;
    unsetenv("SSH_CONNECTION");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char first[] = "A=b", second[128], *environment[] = {first, second, NULL};
        pid_t child;
        json_t *facts;

        snprintf(second, sizeof second, "%s", values[i][0]);
        child = sleeper(environment);
        facts = facts_of_sleeper(child);
        assert_string_equal(string(facts, "from"), values[i][1]);
        json_decref(facts);
        end(child);
    }
}

/* The number of a process that has ended may be anybody's. */
static void nothing_is_said_of_somebody_else(void **unused)
{
    struct asker other = {.uid = getuid() + 1, .pid = getpid()}, gone = {.uid = 5, .pid = 0};
    pid_t child = child_called("gone");
    json_t *facts = facts_of(&other, NULL);

    (void)unused;
    assert_int_equal(json_object_size(facts), 2);
    json_decref(facts);
    gone.pid = child;
    end(child);
    facts = facts_of(&gone, NULL);
    assert_int_equal(json_object_size(facts), 2);
    json_decref(facts);
    gone.pid = 0;
    facts = facts_of(&gone, NULL);
    assert_int_equal(json_object_size(facts), 0);
    json_decref(facts);
    facts = facts_of(&gone, "socket"); /* the kernel knows no number of a process elsewhere */
    assert_int_equal(json_object_size(facts), 2);
    json_decref(facts);
}

static struct policy *load(const char *text)
{
    struct conf_source source = {.policy = {"p", text, strlen(text)}};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;

    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    return p;
}

static void an_event_says_what_became_of_the_policy(void **unused)
{
    struct policy *before = load("sensor: {mode: shadow}\n"),
                  *after = load("sensor: {mode: enforce}\n"),
                  *words = load("# only words\nsensor: {mode: shadow}\n");
    struct wiring w = {.policy = before};
    struct monitor m = {.wiring = &w};
    struct audit a = {.what = "policy changed", .who = audit_self(), .via = "signal"};
    struct channel parser;
    struct message told;
    int descriptor;

    (void)unused;
    assert_int_equal(channel_pair(&w.parser, &parser), SD_OK);
    audit_compare(&a, before, after);
    audit_tell(&m, &a);
    assert_int_equal(channel_receive(&parser, &told, &descriptor, 0), SD_OK);
    assert_int_equal(told.type, TELL_FINDING);
    assert_int_equal(told.finding.kind, KIND_ENFORCEMENT);
    assert_false(told.finding.evidence.truncated);
    assert_non_null(
        strstr(told.finding.evidence.text, "\"changes\":\"sensor mode: shadow -> enforce\""));
    assert_non_null(strstr(told.finding.evidence.text, before->digest));
    assert_non_null(strstr(told.finding.evidence.text, after->digest));
    audit_compare(&a, before, words);
    assert_string_equal(a.changes, "only comments, the catalogue or detections");
    audit_compare(&a, before, before);
    assert_string_equal(a.changes, "");
    channel_close(&w.parser);
    channel_close(&parser);
    policy_destroy(before);
    policy_destroy(after);
    policy_destroy(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_says_who_it_is),
        cmocka_unit_test(a_hostile_name_is_only_a_name),
        cmocka_unit_test(from_where_is_an_address_or_nothing),
        cmocka_unit_test(nothing_is_said_of_somebody_else),
        cmocka_unit_test(an_event_says_what_became_of_the_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
