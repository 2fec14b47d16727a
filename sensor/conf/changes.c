/* Two policies as conf_print() writes them, taken apart into facts ("zones office cleartext:
 * reject"), sorted and held against each other: every key that is printed is compared, also those
 * that come later. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "conf/conf.h"

#define VALUE 160 /* characters of a value that are shown */

struct fact {
    char *text;
    size_t path; /* so many octets say what it is about, the rest is its value */
};

struct facts {
    struct fact *list;
    size_t count, room;
    bool failed;
    char *section, *item; /* where the next line belongs, "" nowhere */
};

static void add(struct facts *f, char *text, bool valued)
{
    const char *colon = text && valued ? strstr(text, ": ") : NULL;
    struct fact *more = f->list;

    if (text && f->count == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        more = realloc(f->list, f->room * sizeof *more);
    }
    if (!text || !more) {
        f->failed = true;
        free(text);
        return;
    }
    f->list = more;
    f->list[f->count++] = (struct fact){text, colon ? (size_t)(colon - text) : strlen(text)};
}

static char *join(const char *a, const char *between, const char *b)
{
    size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
    char *all = malloc(size);

    if (all)
        snprintf(all, size, "%s%s%s", a, between, b);
    return all;
}

/* "  - id: office": what follows is about zones office. Any other entry of a list is one fact. */
static void begin_item(struct facts *f, const char *line)
{
    bool named = strncmp(line, "id: ", 4) == 0;

    free(f->item);
    f->item = named ? join(f->section, " ", line + 4) : NULL;
    f->failed |= named && !f->item;
    add(f, join(f->section, " ", named ? line + 4 : line), false);
}

/* A line of an entry without a name goes to the fact that the entry is. */
static void append(struct facts *f, const char *line)
{
    struct fact *last = f->count ? f->list + f->count - 1 : NULL;
    char *longer = last ? join(last->text, ", ", line) : NULL;

    if (!longer) {
        f->failed = true;
        return;
    }
    free(last->text);
    *last = (struct fact){longer, strlen(longer)};
}

static void begin_section(struct facts *f, char *line)
{
    size_t length = strlen(line);

    free(f->section);
    free(f->item);
    f->section = f->item = NULL;
    if (length && line[length - 1] == ':') {
        line[length - 1] = '\0';
        f->section = strdup(line);
        f->failed |= !f->section;
    } else if (strstr(line, ": []") == NULL) {
        add(f, strdup(line), true);
    }
}

static void take_line(struct facts *f, char *line)
{
    size_t indent = strspn(line, " ");
    const char *rest = line + indent;

    if (indent == 0)
        begin_section(f, line);
    else if (!f->section)
        f->failed = true;
    else if (strncmp(rest, "- ", 2) == 0)
        begin_item(f, rest + 2);
    else if (indent > 2 && f->item)
        add(f, join(f->item, " ", rest), true);
    else if (indent > 2)
        append(f, rest);
    else
        add(f, join(f->section, " ", rest), true);
}

static int by_path(const struct fact *a, const struct fact *b)
{
    int order = memcmp(a->text, b->text, a->path < b->path ? a->path : b->path);

    return order ? order : (a->path > b->path) - (a->path < b->path);
}

static int by_text(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    int order = by_path(x, y);

    return order ? order : strcmp(x->text, y->text);
}

static void forget(struct facts *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->list[i].text);
    free(f->list);
    free(f->section);
    free(f->item);
}

static void read_facts(const struct policy *p, struct facts *f)
{
    char *all = NULL, *line, *rest;
    size_t size;
    FILE *to = open_memstream(&all, &size);

    *f = (struct facts){.failed = !to};
    if (!to)
        return;
    f->failed = conf_print(p, to) != SD_OK;
    f->failed |= fclose(to) != 0;
    for (rest = all; !f->failed && (line = strsep(&rest, "\n"));)
        if (*line)
            take_line(f, line);
    free(all);
    if (!f->failed && f->count)
        qsort(f->list, f->count, sizeof *f->list, by_text);
}

struct summary {
    char *out;
    size_t size, used, left_out;
    const struct fact *whole; /* added or removed with all that is said of it */
    char sign;
};

static const char *value_of(const struct fact *f)
{
    const char *value = f->text + f->path;

    return *value ? value + 2 : value;
}

static void put(struct summary *s, const char *text)
{
    char clean[2 * VALUE + 256];
    size_t length = text_printable(text, strlen(text), clean, sizeof clean);
    const char *between = s->used ? "; " : "";

    /* Room for "; 4294967295 more" stays. */
    if (s->left_out || s->used + strlen(between) + length + 20 >= s->size) {
        s->left_out++;
        return;
    }
    s->used += (size_t)snprintf(s->out + s->used, s->size - s->used, "%s%s", between, clean);
}

static void put_one(struct summary *s, char sign, const struct fact *f)
{
    char text[VALUE + 1];

    if (s->whole && s->sign == sign && f->path > s->whole->path &&
        memcmp(f->text, s->whole->text, s->whole->path) == 0 && f->text[s->whole->path] == ' ')
        return;
    s->whole = f->text[f->path] ? NULL : f;
    s->sign = sign;
    snprintf(text, sizeof text, "%c%s", sign, f->text);
    put(s, text);
}

static void put_change(struct summary *s, const struct fact *old, const struct fact *anew)
{
    char text[2 * VALUE + 256];

    snprintf(text, sizeof text, "%.*s: %.*s -> %.*s", (int)(old->path < 200 ? old->path : 200),
             old->text, VALUE, value_of(old), VALUE, value_of(anew));
    put(s, text);
}

static size_t compare(const struct facts *old, const struct facts *anew, struct summary *s)
{
    size_t i = 0, k = 0, differ = 0;

    while (i < old->count || k < anew->count) {
        int order = i == old->count    ? 1
                    : k == anew->count ? -1
                                       : by_path(old->list + i, anew->list + k);

        if (order < 0)
            put_one(s, '-', old->list + i++);
        else if (order > 0)
            put_one(s, '+', anew->list + k++);
        else if (strcmp(old->list[i].text, anew->list[k].text) != 0)
            put_change(s, old->list + i++, anew->list + k++);
        else {
            i++;
            k++;
            continue;
        }
        differ++;
    }
    return differ;
}

int conf_changes(const struct policy *old, const struct policy *anew, char *out, size_t size)
{
    struct summary s = {.out = out, .size = size};
    struct facts before, after;
    int status = SD_EMEM;

    out[0] = '\0';
    read_facts(old, &before);
    read_facts(anew, &after);
    if (!before.failed && !after.failed) {
        status = compare(&before, &after, &s) ? SD_OK : SD_ENOENT;
        if (s.left_out)
            snprintf(out + s.used, size - s.used, "%s%zu more", s.used ? "; " : "", s.left_out);
    }
    forget(&before);
    forget(&after);
    return status;
}
