/* What differs between two policies, in a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/conf.h"

#define RESOLVERS                                                                                  \
    "resolvers: [{id: r, name: r.example, addresses: [192.0.2.1], transports: [dot]}]\n"
#define ZONE "{id: a, networks: [10.0.0.0/8], approve: [r], cleartext: alert}"
#define EXCEPTION                                                                                  \
    "exceptions: [{client: 10.1.1.1, until: 2035-01-31, owner: net, reason: \"a printer\"}]\n"

static struct policy *load(const char *text)
{
    struct conf_source source = {.policy = {"p", text, strlen(text)}};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;

    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    return p;
}

static int changes(const char *old, const char *anew, char *out, size_t size)
{
    struct policy *a = load(old), *b = load(anew);
    int status = conf_changes(a, b, out, size);

    policy_destroy(a);
    policy_destroy(b);
    return status;
}

static void assert_changes(const char *old, const char *anew, const char *expected)
{
    char out[512];

    assert_int_equal(changes(old, anew, out, sizeof out), SD_OK);
    assert_string_equal(out, expected);
}

static void what_changed_is_named(void **unused)
{
    (void)unused;
    assert_changes("sensor: {mode: shadow}\n", "sensor: {mode: enforce, on_exit: keep}\n",
                   "sensor mode: shadow -> enforce; sensor on_exit: remove -> keep");
    assert_changes(RESOLVERS "zones: [" ZONE "]\n",
                   RESOLVERS "zones: [{id: a, networks: [10.0.0.0/8], approve: [], cleartext: "
                             "reject}]\n",
                   "zones a approve: [r] -> []; zones a cleartext: alert -> reject");
    assert_changes("store: {max_age: 1d}\n", "store: {max_age: 2d}\n",
                   "store: {path: /var/lib/sealdns/sealdns.db, max_size: 2GiB, max_age: 1d} -> "
                   "{path: /var/lib/sealdns/sealdns.db, max_size: 2GiB, max_age: 2d}");
}

/* With a zone goes all that was said of it; what stands beside it is still told. */
static void what_came_and_went_is_one_thing_each(void **unused)
{
    (void)unused;
    assert_changes(RESOLVERS "zones: [" ZONE "]\n",
                   RESOLVERS "zones: [" ZONE ", {id: a-2, networks: [10.2.0.0/16]}]\n",
                   "+zones a-2");
    assert_changes(RESOLVERS "zones: [" ZONE "]\n", "zones: [{id: b, networks: [10.0.0.0/8]}]\n",
                   "-resolvers r; -zones a; +zones b");
    assert_changes("", EXCEPTION,
                   "+exceptions client: 10.1.1.1, until: 2035-01-31, owner: net, reason: \"a "
                   "printer\"");
    assert_changes(EXCEPTION,
                   "exceptions: [{client: 10.1.1.1, until: 2036-01-31, owner: net, "
                   "reason: \"a printer\"}]\n",
                   "-exceptions client: 10.1.1.1, until: 2035-01-31, owner: net, reason: \"a "
                   "printer\"; +exceptions client: 10.1.1.1, until: 2036-01-31, owner: net, "
                   "reason: \"a printer\"");
}

static void the_same_is_no_change(void **unused)
{
    char out[128];

    (void)unused;
    assert_int_equal(changes(RESOLVERS "zones: [" ZONE "]\n" EXCEPTION,
                             "# other words\n" RESOLVERS "zones: [" ZONE "]\n" EXCEPTION, out,
                             sizeof out),
                     SD_ENOENT);
    assert_string_equal(out, "");
}

/* Whatever was written into a reason, and however much. */
static void it_is_bounded_and_printable(void **unused)
{
    char text[40000] = "exceptions:\n", out[300];
    size_t used = strlen(text);

    (void)unused;
    for (int i = 0; i < 200; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "  - {client: 10.1.1.%d, until: 2035-01-31, owner: n, reason: "
                                 "\"\xc3\xa9\xe2\x80\xae %d ; -zones a\"}\n",
                                 i, i);
    for (size_t size = 64; size <= sizeof out; size += 59) {
        assert_int_equal(changes("", text, out, size), SD_OK);
        assert_true(strlen(out) < size);
        assert_non_null(strstr(out, " more"));
        for (const char *c = out; *c; c++)
            assert_in_range(*c, 0x20, 0x7e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changed_is_named),
        cmocka_unit_test(what_came_and_went_is_one_thing_each),
        cmocka_unit_test(the_same_is_no_change),
        cmocka_unit_test(it_is_bounded_and_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
