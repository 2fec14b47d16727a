/* The guard of a change, in a network namespace of its own (needs root, else skipped): who is heard
 * and when, that there is one only, and that the rules come back whoever dies. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/conf.h"
#include "engine/guard.h"

static const char strict[] = "zones: [{id: a, networks: [10.0.0.0/8], cleartext: reject}]\n"
                             "exceptions: [{client: 10.1.1.1, until: 2099-01-01, owner: o, "
                             "reason: r}]\n",
                  loose[] = "zones: [{id: a, networks: [10.0.0.0/8], cleartext: drop}]\n";

static struct ruleset *rules_of(const char *text)
{
    char error[ENFORCE_ERROR] = "";
    struct conf_source source = {.policy = {"test", text, strlen(text)}, .now = 1};
    struct conf_report report = {.to = stderr};
    struct policy *p;
    struct ruleset *r;

    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    assert_int_equal(ruleset_compile(p, MODE_ENFORCE, 1, &r, error), SD_OK);
    policy_destroy(p);
    return r;
}

static void install(const char *text)
{
    char error[ENFORCE_ERROR] = "";
    struct ruleset *r = rules_of(text);

    if (ruleset_install(r, error) != SD_OK)
        fail_msg("%s", error);
    ruleset_destroy(r);
}

static bool holds(const char *text)
{
    char error[ENFORCE_ERROR] = "";
    struct ruleset *r = rules_of(text);
    int status = ruleset_verify(r, error);

    ruleset_destroy(r);
    return status == SD_OK;
}

static bool holds_nothing(void)
{
    struct enforce_status s;
    char error[ENFORCE_ERROR];

    return ruleset_status(&s, error) == SD_ENOENT;
}

static void start(struct guard *g, unsigned seconds)
{
    char error[ENFORCE_ERROR] = "";

    if (guard_start(seconds, g, error) != SD_OK)
        fail_msg("%s", error);
}

static uint32_t end_of(struct guard *g)
{
    struct guard_message m = {.word = 0};

    assert_int_equal(guard_hear(g, &m, 5000), SD_OK);
    guard_leave(g);
    return m.word;
}

static void confirmed_rules_stay(void **state)
{
    struct guard_message m;
    struct guard g;
    char error[ENFORCE_ERROR];

    (void)state;
    install(strict);
    start(&g, 30);
    install(loose);
    assert_int_equal(guard_arm(&g), SD_OK);
    assert_int_equal(guard_ask(GUARD_CONFIRM, &m, error), SD_OK);
    assert_int_equal(m.word, GUARD_CONFIRMED);
    assert_int_equal(m.pid, getpid());
    assert_int_equal(end_of(&g), GUARD_CONFIRMED);
    assert_true(holds(loose));
    assert_int_equal(guard_ask(GUARD_CONFIRM, &m, error), SD_ENOENT);
}

static void the_time_rolls_back(void **state)
{
    struct guard g;

    (void)state;
    install(strict);
    start(&g, 1);
    install(loose);
    assert_true(holds(loose)); /* armed, it might be over before that was read */
    assert_int_equal(guard_arm(&g), SD_OK);
    assert_int_equal(end_of(&g), GUARD_ROLLED_BACK);
    assert_true(holds(strict));
}

static void nothing_comes_back_too(void **state)
{
    struct guard g;
    char error[ENFORCE_ERROR];

    (void)state;
    assert_int_equal(ruleset_remove(error), SD_OK);
    start(&g, 1);
    install(loose);
    assert_int_equal(guard_arm(&g), SD_OK);
    assert_int_equal(end_of(&g), GUARD_ROLLED_BACK);
    assert_true(holds_nothing());
}

static void one_at_a_time(void **state)
{
    struct guard g, second;
    char error[ENFORCE_ERROR];

    (void)state;
    start(&g, 30);
    assert_int_equal(guard_start(30, &second, error), SD_EEXIST);
    guard_undo(&g);
    guard_leave(&g);
    start(&g, 30);
    guard_undo(&g);
    guard_leave(&g);
}

/* Who installs is not disturbed; the time does not run, and nobody else is heard. */
static void unarmed_hears_its_starter_only(void **state)
{
    struct guard_message m;
    struct guard g;
    char error[ENFORCE_ERROR];
    int other;

    (void)state;
    install(strict);
    start(&g, 1);
    other = guard_connect(error);
    assert_true(other >= 0);
    assert_int_equal(guard_say(other, GUARD_ROLL_BACK), SD_OK);
    assert_int_equal(guard_hear(&g, &m, 1500), SD_EAGAIN);
    install(loose);
    assert_int_equal(guard_arm(&g), SD_OK);
    assert_int_equal(guard_listen(other, &m, 5000), SD_OK);
    assert_int_equal(m.word, GUARD_ROLLED_BACK);
    close(other);
    assert_int_equal(end_of(&g), GUARD_ROLLED_BACK);
    assert_true(holds(strict));
}

/* It starts the guard, installs, and dies on the way. */
static void dying_starter(bool armed)
{
    struct guard g;
    char error[ENFORCE_ERROR];
    struct ruleset *r = rules_of(loose);

    if (guard_start(1, &g, error) != SD_OK || ruleset_install(r, error) != SD_OK ||
        (armed && guard_arm(&g) != SD_OK))
        _exit(1);
    kill(getpid(), SIGKILL);
}

static void a_dead_starter_is_no_harm(void **state)
{
    static const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
    int how;

    (void)state;
    for (int armed = 0; armed < 2; armed++) {
        pid_t child;

        install(strict);
        child = fork();
        if (child == 0)
            dying_starter(armed);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        for (int i = 0; i < 200 && !holds(strict); i++)
            nanosleep(&moment, NULL);
        assert_true(holds(strict));
    }
}

static int own_namespace(void **state)
{
    char error[ENFORCE_ERROR];
    int descriptor = -1;

    (void)state;
    if (unshare(CLONE_NEWNET) == 0)
        descriptor = enforce_open(error);
    if (descriptor < 0)
        exit(77);
    close(descriptor);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirmed_rules_stay),
        cmocka_unit_test(the_time_rolls_back),
        cmocka_unit_test(nothing_comes_back_too),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(unarmed_hears_its_starter_only),
        cmocka_unit_test(a_dead_starter_is_no_harm),
    };

    return cmocka_run_group_tests(tests, own_namespace, NULL);
}
