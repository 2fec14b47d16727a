/* Catalogues of controls: those that are built in, an operator's own in their place, and what is
 * wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/controls.h"

static char folder[] = "/tmp/sealdns-controls-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/own.yaml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static const struct control_catalog *catalog_of(const struct controls *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->catalogs[i].id, id) == 0)
            return c->catalogs + i;
    return NULL;
}

/* What is told of this file, beside those built in; to be freed. */
static char *told(const char *text, int want, struct controls **out)
{
    FILE *file = fopen(path, "w"), *to;
    char *said = NULL;
    size_t size;

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    to = open_memstream(&said, &size);
    assert_int_equal(controls_load(folder, to, out), want);
    fclose(to);
    return said;
}

static void eight_are_built_in(void **state)
{
    struct controls *c = NULL;
    const struct control_catalog *cis;

    (void)state;
    assert_int_equal(controls_load(NULL, stderr, &c), SD_OK);
    assert_int_equal(c->count, 8);
    cis = catalog_of(c, "cis-v8.1");
    assert_non_null(cis);
    assert_string_equal(cis->controls[0].id, "4.9");
    assert_int_equal(cis->controls[0].covered, CONTROL_PARTIAL);
    assert_string_equal(cis->controls[0].measures[2].name, "unapproved_queries");
    assert_true(cis->controls[0].measures[2].has_most);
    assert_false(cis->controls[0].measures[2].has_least);
    controls_free(c);
}

static void an_operators_own_takes_the_place(void **state)
{
    struct controls *c = NULL;
    char *said = told(
        "id: cis-v8.1\ntitle: ours\nsource: us\ncontrols:\n  - {id: x, title: y, covered: none, "
        "limits: all}\n",
        SD_OK, &c);

    (void)state;
    assert_string_equal(said, "");
    assert_int_equal(c->count, 8);
    assert_int_equal(catalog_of(c, "cis-v8.1")->control_count, 1);
    controls_free(c);
    free(said);
    said = told("id: ours\ntitle: ours\nsource: us\ncontrols: []\n", SD_OK, &c);
    assert_int_equal(c->count, 9);
    controls_free(c);
    free(said);
}

#define HEAD "id: a\ntitle: b\nsource: c\ncontrols:\n"

static void what_is_wrong_has_its_place(void **state)
{
    static const char *const wrong[][2] = {
        {"id: a\n", ":1:1: a catalogue of controls needs `title`"},
        {HEAD "  - {id: x, title: y, covered: yes, limits: z}\n",
         ":5:32: `covered` cannot be `yes`"},
        {HEAD "  - {id: x, title: y, covered: full, limits: z}\n",
         ":5:5: a control that is covered names its `evidence`"},
        {HEAD
         "  - {id: x, title: y, covered: none, limits: z}\n  - {id: x, title: y, covered: none, "
         "limits: z}\n",
         ":6:5: `x` is there twice"},
        {HEAD
         "  - {id: x, title: y, covered: none, limits: z, measures: [{measure: m, least: much}]}\n",
         ":5:"},
        {HEAD
         "  - {id: x, title: y, covered: none, limits: z, measures: [{measure: m, most: 1e9}]}\n",
         "a bound is a number"},
        {HEAD "  - {id: x, title: y, covered: none, limits: z, colour: red}\n", "no key `colour`"},
        {"- 1\n", ":1:1: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct controls *c = NULL;
        char *said = told(wrong[i][0], SD_ECONF, &c);

        if (!strstr(said, wrong[i][1]))
            fail_msg("%s\nis told: %s", wrong[i][0], said);
        assert_null(c);
        free(said);
    }
}

static void a_folder_that_cannot_be_read_is_told(void **state)
{
    struct controls *c = NULL;
    char *said = NULL;
    size_t size;
    FILE *file = fopen(path, "w"), *to = open_memstream(&said, &size);

    (void)state;
    assert_non_null(file);
    fclose(file);
    assert_int_equal(controls_load(path, to, &c), SD_EIO);
    fclose(to);
    assert_non_null(strstr(said, path));
    assert_null(c);
    free(said);
    assert_int_equal(controls_load("/nowhere/at/all", stderr, &c), SD_OK);
    controls_free(c);
}

static void too_many_files_are_told(void **state)
{
    struct controls *c = NULL;
    char many[96];
    char *said;

    (void)state;
    for (int i = 0; i < 64; i++) {
        snprintf(many, sizeof many, "%s/%d.yaml", folder, i);
        fclose(fopen(many, "w"));
    }
    said = told("", SD_ELIMIT, &c);
    assert_non_null(strstr(said, "65 files, at most 64"));
    assert_null(c);
    free(said);
    for (int i = 0; i < 64; i++) {
        snprintf(many, sizeof many, "%s/%d.yaml", folder, i);
        unlink(many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_are_built_in),
        cmocka_unit_test(an_operators_own_takes_the_place),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(a_folder_that_cannot_be_read_is_told),
        cmocka_unit_test(too_many_files_are_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
