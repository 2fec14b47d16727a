/* The key of an installation: made once, its owner's alone, and what is not one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/signing.h"

static char folder[] = "/tmp/test_signing.XXXXXX", path[64], error[SIGNING_ERROR];

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int name_file(void **state)
{
    char store[64];

    (void)state;
    snprintf(store, sizeof store, "%s/x.db", folder);
    signing_beside(store, path, sizeof path);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static struct signing_key *opened(bool may_make)
{
    struct signing_key *k = NULL;

    assert_int_equal(signing_open(path, may_make, &k, error), SD_OK);
    return k;
}

static void lies_beside_the_store(void **state)
{
    char out[64];

    (void)state;
    signing_beside("/var/lib/sealdns/sealdns.db", out, sizeof out);
    assert_string_equal(out, "/var/lib/sealdns/installation.key");
    signing_beside("x.db", out, sizeof out);
    assert_string_equal(out, "./installation.key");
}

static void is_made_once_and_its_owners_alone(void **state)
{
    unsigned char public[SIGNING_KEY], half[SIGNING_KEY];
    struct signing_key *k = NULL;
    struct stat s;

    (void)state;
    assert_int_equal(signing_open(path, false, &k, error), SD_ENOENT);
    assert_non_null(strstr(error, path));
    k = opened(true);
    memcpy(public, signing_public(k), SIGNING_KEY);
    signing_close(k);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    k = opened(true);
    assert_memory_equal(public, signing_public(k), SIGNING_KEY);
    signing_close(k);
    assert_int_equal(signing_read_public(path, half, error), SD_OK);
    assert_memory_equal(public, half, SIGNING_KEY);
}

static void a_signature_is_of_its_text_and_key(void **state)
{
    static const char text[] = "what was seen";
    unsigned char signature[SIGNING_SIGNATURE], public[SIGNING_KEY];
    struct signing_key *k = opened(true);

    (void)state;
    memcpy(public, signing_public(k), SIGNING_KEY);
    assert_int_equal(signing_sign(k, text, sizeof text, signature), SD_OK);
    signing_close(k);
    assert_true(signing_is_by(public, text, sizeof text, signature));
    assert_false(signing_is_by(public, text, sizeof text - 1, signature));
    for (size_t i = 0; i < SIGNING_SIGNATURE; i++) {
        signature[i] ^= 1;
        assert_false(signing_is_by(public, text, sizeof text, signature));
        signature[i] ^= 1;
    }
    public[0] ^= 1;
    assert_false(signing_is_by(public, text, sizeof text, signature));
}

static void refuse(const char *contents)
{
    unsigned char half[SIGNING_KEY];
    struct signing_key *k = NULL;
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(contents, f);
    fclose(f);
    assert_int_equal(signing_open(path, true, &k, error), SD_EFORMAT);
    assert_null(k);
    assert_int_equal(signing_read_public(path, half, error), SD_EFORMAT);
}

/* An X25519 key, and an Ed25519 key under a password, as openssl makes them. */
static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    refuse("");
    refuse("no key");
    refuse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    refuse("-----BEGIN PRIVATE KEY-----\n"
           "MC4CAQAwBQYDK2VuBCIEIAgHBgUEAwIBCAcGBQQDAgEIBwYFBAMCAQgHBgUEAwIB\n"
           "-----END PRIVATE KEY-----\n");
    refuse("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_beside_the_store),
        cmocka_unit_test_setup_teardown(is_made_once_and_its_owners_alone, name_file, remove_file),
        cmocka_unit_test_setup_teardown(a_signature_is_of_its_text_and_key, name_file, remove_file),
        cmocka_unit_test_setup_teardown(what_is_no_key_is_refused, name_file, remove_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
