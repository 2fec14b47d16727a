/* A list that lost half of its entries is told; the catalogue that a policy came with is kept with
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/conf.h"
#include "conf/files.h"

static struct policy *of(unsigned resolvers, unsigned zones, unsigned networks)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    struct conf_source source = {.policy = {"p", NULL, 0}};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;

    fprintf(to, "resolvers: [");
    for (unsigned i = 0; i < resolvers; i++)
        fprintf(to, "%s{id: r%u, addresses: [10.9.0.%u]}", i ? ", " : "", i, i + 1);
    fprintf(to, "]\nzones: [");
    for (unsigned i = 0; i < zones; i++) {
        fprintf(to, "%s{id: z%u, networks: [10.%u.0.0/24", i ? ", " : "", i, 20 + i);
        for (unsigned k = 1; k < networks; k++)
            fprintf(to, ", 10.%u.%u.0/24", 20 + i, k);
        fprintf(to, "]}");
    }
    fprintf(to, "]\n");
    fclose(to);
    source.policy.bytes = text;
    source.policy.length = size;
    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    free(text);
    return p;
}

static void assert_shrank(struct policy *old, struct policy *anew, const char *expected)
{
    char why[128] = "";

    assert_int_equal(conf_shrank(old, anew, why, sizeof why), expected != NULL);
    assert_string_equal(why, expected ? expected : "");
    policy_destroy(old);
    policy_destroy(anew);
}

static void half_is_told(void **state)
{
    (void)state;
    assert_shrank(of(8, 4, 1), of(8, 4, 1), NULL);
    assert_shrank(of(8, 4, 1), of(5, 4, 1), NULL);
    assert_shrank(of(8, 4, 1), of(4, 4, 1), "the policy's resolvers shrank from 8 to 4");
    assert_shrank(of(4, 4, 1), of(1, 4, 1), "the policy's resolvers shrank from 4 to 1");
    assert_shrank(of(3, 1, 3), of(0, 0, 1), NULL); /* few, of which half is soon gone on purpose */
    assert_shrank(of(2, 4, 1), of(2, 1, 1), "the zones shrank from 6 to 3");
    assert_shrank(of(2, 2, 5), of(2, 2, 2), "the zones' networks shrank from 10 to 4");
    assert_shrank(of(1, 1, 1), of(9, 9, 9), NULL);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *to;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static struct policy *load(const char *path, struct policy_files **files)
{
    struct policy *p = NULL;

    assert_int_equal(policy_files_read(path, path, stderr, files), SD_OK);
    assert_int_equal(policy_files_load(*files, NULL, 0, 0, stderr, &p), SD_OK);
    return p;
}

#define CATALOG                                                                                    \
    "version: 1\nresolvers:\n  - id: only\n    operator: Only\n    names: [dns.only.example]\n"    \
    "    addresses: []\n    transports: [dot]\n    filtering: none\n    source: test\n"

static void the_catalogue_is_kept_with_the_policy(void **state)
{
    char folder[] = "/tmp/shrank.XXXXXX", policy[256], kept[256], catalog[256], why[128];
    struct policy_files *files, *again;
    struct policy *with, *without, *back;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(policy, sizeof policy, "%s/policy.yaml", folder);
    snprintf(kept, sizeof kept, "%s/kept.yaml", folder);
    snprintf(catalog, sizeof catalog, "%s/kept.yaml.catalog", folder);
    write_file(folder, "policy.yaml", "sensor: {name: a}\n");
    without = load(policy, &files);
    policy_files_free(files);
    write_file(folder, "catalog.yaml", CATALOG);
    with = load(policy, &files);
    assert_true(conf_shrank(without, with, why, sizeof why));
    assert_non_null(strstr(why, "the catalogue's resolvers shrank from "));
    assert_int_equal(policy_files_keep(files, kept), SD_OK);
    write_file(folder, "catalog.yaml", "");
    back = load(kept, &again);
    assert_int_equal(back->resolver_count, with->resolver_count);
    policy_files_free(again);
    policy_files_free(files);
    policy_destroy(with);
    policy_destroy(without);
    policy_destroy(back);
    unlink(catalog);
    unlink(kept);
    unlink(policy);
    snprintf(catalog, sizeof catalog, "%s/catalog.yaml", folder);
    unlink(catalog);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_is_told),
        cmocka_unit_test(the_catalogue_is_kept_with_the_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
