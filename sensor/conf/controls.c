#include "conf/controls.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/embedded.h"
#include "conf/reader.h"

enum { CATALOGS_MOST = 64, CONTROLS_MOST = 500 };

static const char *covered_name(unsigned value)
{
    static const char *const names[] = {"none", "partial", "full"};

    return value < sizeof names / sizeof *names ? names[value] : "?";
}

/* A number with a fraction: digits, for strtod() also takes 0x10, 1e9 and blanks. False: complained
 * about. */
static bool read_bound(struct reader *r, const struct node *n, double *out)
{
    char *end;

    if (n->kind == NODE_TEXT && *n->text && n->text[strspn(n->text, "0123456789.")] == '\0') {
        *out = strtod(n->text, &end);
        if (end != n->text && *end == '\0' && isfinite(*out))
            return true;
    }
    complain(r->complaints, n, "a bound is a number, as 0.95 or 0");
    return false;
}

static void read_least(struct reader *r, const struct node *n, void *object)
{
    struct control_measure *m = object;

    m->has_least = read_bound(r, n, &m->least);
}

static void read_most(struct reader *r, const struct node *n, void *object)
{
    struct control_measure *m = object;

    m->has_most = read_bound(r, n, &m->most);
}

static void read_measures(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("measure", OPTION_TEXT, .required = true, FIELD(struct control_measure, name)),
        PART("least", read_least),
        PART("most", read_most),
        KEYS_END,
    };
    struct control *c = object;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (c->measure_count == CONTROL_MEASURES) {
            complain(r->complaints, e, "too many measures: at most %d", CONTROL_MEASURES);
            return;
        }
        read_map(r, e, keys, c->measures + c->measure_count++, "a measure");
    }
}

static void read_control(struct reader *r, const struct node *n, struct control_catalog *catalog)
{
    static const struct key keys[] = {
        KEY("id", OPTION_TEXT, .required = true, FIELD(struct control, id)),
        KEY("title", OPTION_TEXT, .required = true, FIELD(struct control, title)),
        KEY("covered", OPTION_WORD, .required = true, FIELD(struct control, covered),
            .word = covered_name),
        KEY("evidence", OPTION_TEXT, FIELD(struct control, evidence)),
        KEY("limits", OPTION_TEXT, .required = true, FIELD(struct control, limits)),
        PART("measures", read_measures),
        KEYS_END,
    };
    struct control *c = reader_grow(r, &catalog->controls, &catalog->control_count, sizeof *c);

    if (!c)
        return;
    read_map(r, n, keys, c, "a control");
    for (size_t i = 0; i + 1 < catalog->control_count; i++)
        if (strcmp(catalog->controls[i].id, c->id) == 0)
            complain(r->complaints, n, "`%s` is there twice", c->id);
    if (c->covered != CONTROL_NONE && !c->evidence[0])
        complain(r->complaints, n, "a control that is covered names its `evidence`");
}

static void read_list(struct reader *r, const struct node *n, void *object)
{
    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (((struct control_catalog *)object)->control_count == CONTROLS_MOST) {
            complain(r->complaints, e, "too many controls: at most %d", CONTROLS_MOST);
            return;
        }
        read_control(r, e, object);
    }
}

static void read_root(struct reader *r, const struct node *root, struct control_catalog *c)
{
    static const struct key keys[] = {
        KEY("id", OPTION_TEXT, .required = true, FIELD(struct control_catalog, id)),
        KEY("title", OPTION_TEXT, .required = true, FIELD(struct control_catalog, title)),
        KEY("source", OPTION_TEXT, .required = true, FIELD(struct control_catalog, source)),
        PART("controls", read_list, .required = true),
        KEYS_END,
    };

    read_map(r, root, keys, c, "a catalogue of controls");
}

/* In the place of one that has the same id, else behind the others. */
static int keep(struct controls *all, struct control_catalog *c)
{
    struct control_catalog *grown;

    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->catalogs[i].id, c->id) != 0)
            continue;
        free(all->catalogs[i].controls);
        all->catalogs[i] = *c;
        return SD_OK;
    }
    grown = realloc(all->catalogs, (all->count + 1) * sizeof *grown);
    if (!grown)
        return SD_EMEM;
    all->catalogs = grown;
    grown[all->count++] = *c;
    return SD_OK;
}

static int load_one(struct controls *all, const struct conf_text *text, struct conf_report *report)
{
    struct complaints complaints = {.file = text->name};
    struct reader reader = {.complaints = &complaints};
    struct control_catalog c = {.id = ""};
    struct tree *tree = NULL;
    int status = tree_parse(text, &complaints, &tree);

    if (status == SD_OK)
        read_root(&reader, tree_root(tree), &c);
    tree_destroy(tree);
    if (status == SD_OK && complaints.errors)
        status = SD_ECONF;
    complaints_tell(&complaints, report);
    if (status == SD_OK && reader.out_of_memory)
        status = SD_EMEM;
    if (status == SD_OK)
        status = keep(all, &c);
    if (status != SD_OK)
        free(c.controls);
    return status;
}

static int is_yaml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int load_file(struct controls *all, const char *folder, const char *name,
                     struct conf_report *report)
{
    struct conf_text text;
    char path[4096], *bytes;
    int status;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    status = conf_read_file(path, &bytes, &text.length);
    if (status != SD_OK) {
        fprintf(report->to, "%s: %s\n", path, sd_strerror(status));
        return status;
    }
    text.name = path;
    text.bytes = bytes;
    status = load_one(all, &text, report);
    free(bytes);
    return status;
}

static int cannot_list(const char *folder, int why, struct conf_report *report)
{
    if (why == ENOENT)
        return SD_OK; /* nothing is overridden */
    fprintf(report->to, "%s: %s\n", folder, strerror(why));
    return why == ENOMEM ? SD_EMEM : SD_EIO;
}

static int load_folder(struct controls *all, const char *folder, struct conf_report *report)
{
    struct dirent **found;
    int count = scandir(folder, &found, is_yaml, alphasort), status = SD_OK;

    if (count < 0)
        return cannot_list(folder, errno, report);
    if (count > CATALOGS_MOST) {
        fprintf(report->to, "%s: %d files, at most %d\n", folder, count, CATALOGS_MOST);
        status = SD_ELIMIT;
    }
    for (int i = 0; i < count; i++) {
        if (status == SD_OK)
            status = load_file(all, folder, found[i]->d_name, report);
        free(found[i]);
    }
    free(found);
    return status;
}

int controls_load(const char *folder, FILE *to, struct controls **out)
{
    struct conf_report report = {.to = to};
    struct controls *all = calloc(1, sizeof *all);
    int status = all ? SD_OK : SD_EMEM;

    for (size_t i = 0; i < embedded_control_count && status == SD_OK; i++)
        status = load_one(all, embedded_controls + i, &report);
    if (status == SD_OK && folder)
        status = load_folder(all, folder, &report);
    if (status == SD_OK)
        *out = all;
    else
        controls_free(all);
    return status;
}

void controls_free(struct controls *c)
{
    for (size_t i = 0; c && i < c->count; i++)
        free(c->catalogs[i].controls);
    if (c)
        free(c->catalogs);
    free(c);
}
