#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/pseudonym.h"

#define DAY (86400 * NSEC_S)
#define NOW (1700000000 * NSEC_S)

static char folder[] = "/tmp/test_pseudonym.XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_key(void **state)
{
    (void)state;
    return unlink(path);
}

static struct addr of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), SD_OK);
    return a;
}

static struct pseudonyms *opened(nsec_t now)
{
    struct pseudonyms *p = NULL;
    char error[PSEUDONYM_ERROR] = "";

    assert_int_equal(pseudonyms_open(path, 30 * DAY, now, &p, error), SD_OK);
    return p;
}

static void stays_within_a_rotation_and_over_a_restart(void **state)
{
    struct addr client = of("10.20.0.5"), first, again, other;
    struct pseudonyms *p = opened(NOW);
    struct stat is;

    (void)state;
    first = pseudonym_of(p, &client);
    assert_int_equal(first.b[0], 0xfd);
    assert_true(pseudonym_is(p, &first));
    assert_false(pseudonym_is(p, &client));
    pseudonyms_close(p);
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    p = opened(NOW + 29 * DAY);
    again = pseudonym_of(p, &client);
    assert_true(addr_equal(&first, &again));
    client = of("10.20.0.6");
    other = pseudonym_of(p, &client);
    assert_false(addr_equal(&first, &other));
    assert_memory_equal(&first, &other, 8);
    pseudonyms_close(p);
}

static void nobody_is_nobody(void **state)
{
    struct pseudonyms *p = opened(NOW);
    struct addr zero = {.w = {0, 0}}, same = pseudonym_of(p, &zero);

    (void)state;
    assert_true(addr_is_zero(&same));
    pseudonyms_close(p);
}

static size_t file_has(const char *text)
{
    char all[1024];
    FILE *f = fopen(path, "r");
    size_t got, found = 0;

    assert_non_null(f);
    got = fread(all, 1, sizeof all - 1, f);
    fclose(f);
    all[got] = '\0';
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

static void is_unrelated_after_a_rotation_and_forgotten_after_two(void **state)
{
    struct addr client = of("2001:db8::5"), first, second, both[PSEUDONYM_KEYS];
    struct pseudonyms *p = opened(NOW);

    (void)state;
    first = pseudonym_of(p, &client);
    assert_int_equal(pseudonyms_turn(p, NOW + 30 * DAY), SD_OK);
    second = pseudonym_of(p, &client);
    assert_memory_equal(&first, &second, 6);       /* the installation */
    assert_memory_not_equal(&first, &second, 8);   /* the key's number */
    assert_int_not_equal(first.w[1], second.w[1]); /* the client */
    assert_int_equal(pseudonyms_of(p, &client, both), 2);
    assert_true(addr_equal(&both[0], &second) && addr_equal(&both[1], &first));
    assert_true(pseudonym_fits(p, &first, &client));
    assert_int_equal(file_has("key "), 2);
    assert_int_equal(pseudonyms_turn(p, NOW + 60 * DAY), SD_OK);
    assert_false(pseudonym_fits(p, &first, &client));
    assert_true(pseudonym_fits(p, &second, &client));
    assert_int_equal(file_has("key 1 "), 0);
    pseudonyms_close(p);
    p = opened(NOW + 200 * DAY); /* it was off: no key outlives two rotations */
    assert_int_equal(pseudonyms_of(p, &client, both), 1);
    assert_false(pseudonym_fits(p, &second, &client));
    pseudonyms_close(p);
}

static void is_resolved_over_the_networks(void **state)
{
    struct addr client = of("10.20.3.200"), made, found, stranger = of("192.0.2.1");
    struct pseudonyms *p = opened(NOW);
    struct prefix networks[2];

    (void)state;
    assert_int_equal(prefix_parse("192.168.0.0/24", &networks[0]), SD_OK);
    assert_int_equal(prefix_parse("10.20.0.0/16", &networks[1]), SD_OK);
    made = pseudonym_of(p, &client);
    assert_int_equal(pseudonym_resolve(p, &made, networks, 2, &found), SD_OK);
    assert_true(addr_equal(&found, &client));
    assert_int_equal(pseudonym_resolve(p, &made, networks, 1, &found), SD_ENOENT);
    made = pseudonym_of(p, &stranger);
    assert_int_equal(pseudonym_resolve(p, &made, networks, 2, &found), SD_ENOENT);
    pseudonyms_close(p);
}

static void a_file_that_others_read_or_is_none_of_ours_is_refused(void **state)
{
    struct pseudonyms *p = opened(NOW);
    char error[PSEUDONYM_ERROR] = "";
    FILE *f;

    (void)state;
    pseudonyms_close(p);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(pseudonyms_read(path, &p, error), SD_EPERM);
    assert_non_null(strstr(error, "0600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(pseudonyms_read(path, &p, error), SD_OK);
    pseudonyms_close(p);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("sealdns-pseudonyms 1\nkey 1 5 abc\n", f);
    fclose(f);
    assert_int_equal(pseudonyms_read(path, &p, error), SD_EFORMAT);
    assert_int_equal(pseudonyms_open(path, DAY, NOW, &p, error), SD_EFORMAT);
    assert_int_equal(pseudonyms_read("/nowhere/key", &p, error), SD_ENOENT);
    assert_int_equal(pseudonyms_open("/nowhere/key", DAY, NOW, &p, error), SD_EIO);
}

static bool is_ours(const void *context, const struct addr *a)
{
    (void)context;
    return addr_is_private(a);
}

static void a_text_is_rewritten_where_it_names_a_client(void **state)
{
    static const char text[] = "\"what\":\"10.20.0.5 asked 192.0.2.53 (02:00:00:00:00:09) at "
                               "12:30:00, see fe80::1.\",\"v\":\"1.2.3\",\"n\":10,\"x\":\"::\"";
    struct pseudonyms *p = opened(NOW);
    struct pseudonym_choice choice = {is_ours, NULL};
    struct addr client = of("10.20.0.5"), link = of("fe80::1");
    char out[512], want[512], a[ADDR_TEXT], b[ADDR_TEXT];

    (void)state;
    client = pseudonym_of(p, &client);
    link = pseudonym_of(p, &link);
    snprintf(want, sizeof want,
             "\"what\":\"%s asked 192.0.2.53 (-) at 12:30:00, see %s.\",\"v\":\"1.2.3\",\"n\":10,"
             "\"x\":\"::\"",
             addr_text(&client, a), addr_text(&link, b));
    assert_true(pseudonym_text(p, text, choice, out, sizeof out));
    assert_string_equal(out, want);
    assert_false(pseudonym_text(p, text, choice, out, sizeof text));
    assert_true(pseudonym_text(p, "", choice, out, 1));
    pseudonyms_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(stays_within_a_rotation_and_over_a_restart, remove_key),
        cmocka_unit_test_teardown(nobody_is_nobody, remove_key),
        cmocka_unit_test_teardown(is_unrelated_after_a_rotation_and_forgotten_after_two,
                                  remove_key),
        cmocka_unit_test_teardown(is_resolved_over_the_networks, remove_key),
        cmocka_unit_test_teardown(a_file_that_others_read_or_is_none_of_ours_is_refused,
                                  remove_key),
        cmocka_unit_test_teardown(a_text_is_rewritten_where_it_names_a_client, remove_key),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
