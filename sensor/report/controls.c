/* What of this report supports which control, and what it does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/build.h"

static const char *const covered_words[] = {
    [CONTROL_NONE] = "not covered", [CONTROL_PARTIAL] = "in part", [CONTROL_FULL] = "yes"};

static bool is_met(const struct control_measure *m, double value)
{
    return !(m->has_least && value < m->least) && !(m->has_most && value > m->most);
}

/* " 0.375 (wanted: at least 0.95)" */
static void add_value(FILE *to, const struct control_measure *m, const json_t *value)
{
    double number = json_number_value(value);

    if (json_is_integer(value))
        fprintf(to, " %lld", (long long)json_integer_value(value));
    else
        fprintf(to, " %.3f", number);
    if (is_met(m, number))
        return;
    if (m->has_least && number < m->least)
        fprintf(to, " (wanted: at least %g)", m->least);
    else
        fprintf(to, " (wanted: at most %g)", m->most);
}

struct finding_of {
    const char *word; /* what the period says of it */
    char *values;
};

/* A control is supported when all its measures are there and within bounds. */
static struct finding_of finding_of(const struct build *b, const struct control *c)
{
    struct finding_of f = {.word = c->measure_count ? "supported" : "described"};
    size_t size;
    FILE *to = open_memstream(&f.values, &size);

    for (size_t i = 0; to && i < c->measure_count; i++) {
        const json_t *value = json_object_get(b->measures, c->measures[i].name);

        fprintf(to, "%s%s", i ? ", " : "", c->measures[i].name);
        if (!value) {
            fputs(" no data", to);
            f.word = "no data";
            continue;
        }
        add_value(to, c->measures + i, value);
        if (!is_met(c->measures + i, json_number_value(value)) && strcmp(f.word, "no data") != 0)
            f.word = "not met";
    }
    if (to && fclose(to) != 0) {
        free(f.values);
        f.values = NULL;
    }
    if (c->covered == CONTROL_NONE)
        f.word = "-";
    return f;
}

static void put_control(const struct build *b, const struct control *c, json_t *rows)
{
    struct finding_of f = finding_of(b, c);

    json_array_append_new(rows,
                          json_pack("[s,s,s,s,s,s,s]", c->id, c->title, covered_words[c->covered],
                                    f.word, c->evidence, f.values ? f.values : "", c->limits));
    free(f.values);
}

int build_controls(struct build *b)
{
    const struct controls *all = b->ask->controls;
    json_t *s;

    if (!all || !all->count)
        return SD_OK;
    s = build_section(b, "controls", "Controls that this report supports");
    section_say(
        s, "What of this report speaks for a control, in this period; it does not replace an "
           "auditor's judgement. \"supported\" means that each measure named is there and within "
           "the bounds of the catalogue; a control that is not covered stands here so that nobody "
           "looks for it.");
    for (size_t i = 0; i < all->count; i++) {
        const struct control_catalog *c = all->catalogs + i;
        json_t *rows =
            section_table(s, c->id, c->title,
                          "id:Control;title:About;covered:Covered;finding:In this period;"
                          "evidence:Evidence;measures:Measures;limits:Limits");

        for (size_t k = 0; k < c->control_count; k++)
            put_control(b, c->controls + k, rows);
    }
    return SD_OK;
}
