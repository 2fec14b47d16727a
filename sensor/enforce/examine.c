#include "enforce/examine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/diff.h"
#include "enforce/print.h"
#include "enforce/readback.h"
#include "enforce/sets_only.h"
#include "enforce/transport.h"

/* The kernel counts timeouts down by a clock that nobody sets: in a year it goes hours off ours at
 * worst, minutes as a rule. */
#define SLACK_MS      60000
#define SLACK_OF      1000 /* and a thousandth of what is left */
#define SLACK_PAIR_MS 3000 /* pairs last minutes, and their times are counted by the same clock */

static int order(const struct set_element *a, const struct set_element *b)
{
    int by = addr_compare(&a->low, &b->low);

    if (by == 0)
        by = addr_compare(&a->high, &b->high);
    return by ? by : addr_compare(&a->server, &b->server);
}

static int order_of(const void *left, const void *right)
{
    return order(left, right);
}

static uint64_t slack(const struct set *s)
{
    return s->kind == SET_PAIRED ? SLACK_PAIR_MS : SLACK_MS;
}

static bool is_ending(const struct set *s, const struct set_element *e)
{
    return e->timeout_ms != 0 && e->timeout_ms <= slack(s);
}

static bool same_time(const struct set *s, uint64_t a, uint64_t b)
{
    uint64_t apart = a > b ? a - b : b - a;

    return (a == 0) == (b == 0) && apart <= slack(s) + b / SLACK_OF;
}

/* there, in the order of r's elements, against a copy of r's in that order. */
static int settle_elements(struct set *there, const struct set_element *want, size_t count)
{
    struct set settled = {.kind = there->kind, .v4 = there->v4};
    size_t i = 0, k = 0;
    int e = SD_OK;

    while (e == SD_OK && (i < there->count || k < count)) {
        struct set_element *have = there->elements + i;
        int by = i == there->count ? 1 : k == count ? -1 : order(have, want + k);

        if (by == 0 && same_time(there, have->timeout_ms, want[k].timeout_ms))
            have->timeout_ms = want[k].timeout_ms;
        if (by == 0 || (by < 0 && !is_ending(there, have)))
            e = set_add(&settled, have);
        else if (by > 0 && is_ending(there, want + k))
            e = set_add(&settled, want + k);
        i += by <= 0;
        k += by >= 0;
    }
    free(there->elements);
    there->elements = settled.elements;
    there->count = settled.count;
    there->capacity = settled.capacity;
    return e;
}

static int settle_set(struct set *there, const struct set *want)
{
    struct set_element *sorted;
    int e;

    if (!want->timed || there->kind != want->kind)
        return SD_OK;
    if (want->kind == SET_PAIRED) /* each of one client: both are in this order already */
        return settle_elements(there, want->elements, want->count);
    sorted = malloc((want->count + 1) * sizeof *sorted);
    if (!sorted)
        return SD_EMEM;
    if (want->count) {
        memcpy(sorted, want->elements, want->count * sizeof *sorted);
        qsort(sorted, want->count, sizeof *sorted, order_of);
    }
    if (there->count)
        qsort(there->elements, there->count, sizeof *sorted, order_of);
    e = settle_elements(there, sorted, want->count);
    free(sorted);
    set_sort(there);
    return e;
}

int ruleset_settle(struct ruleset *there, const struct ruleset *r)
{
    int e = r->sets_only && there->sets_only ? sets_only_keep(there, r) : SD_OK;

    for (size_t i = 0; i < r->set_count && e == SD_OK; i++) {
        int at = r->sets[i].timed ? ruleset_set_named(there, r->sets[i].name) : -1;

        if (at >= 0 && r->sets[i].kind == SET_PAIRED && !r->paired)
            there->sets[at].count = 0; /* the sensor knows, and looks after them */
        else if (at >= 0)
            e = settle_set(there->sets + at, r->sets + i);
    }
    return e;
}

static bool same_element(const struct set_element *a, const struct set_element *b)
{
    return order(a, b) == 0 && a->port == b->port && a->timeout_ms == b->timeout_ms;
}

/* Both in the order of set_sort(). */
static void drop_same(struct set *a, struct set *b)
{
    size_t i = 0, k = 0, left = 0, right = 0;

    while (i < a->count && k < b->count) {
        const struct set_element *x = a->elements + i, *y = b->elements + k;

        if (same_element(x, y)) {
            i++;
            k++;
        } else if (set_compare(x, y) <= 0) {
            a->elements[left++] = a->elements[i++];
        } else {
            b->elements[right++] = b->elements[k++];
        }
    }
    while (i < a->count)
        a->elements[left++] = a->elements[i++];
    while (k < b->count)
        b->elements[right++] = b->elements[k++];
    a->count = left;
    b->count = right;
}

static int copy_set(const struct set *from, struct set *to)
{
    *to = *from;
    to->elements = malloc((from->count + 1) * sizeof *to->elements);
    if (!to->elements)
        return SD_EMEM;
    if (from->count)
        memcpy(to->elements, from->elements, from->count * sizeof *to->elements);
    return SD_OK;
}

/* Sets of its own, so that what is compared stays as it is. */
static int copy_sets(const struct ruleset *from, struct ruleset *to)
{
    int e = SD_OK;

    *to = *from;
    to->sets = calloc(from->set_count + 1, sizeof *to->sets);
    if (!to->sets)
        return SD_EMEM;
    for (size_t i = 0; i < from->set_count && e == SD_OK; i++)
        e = copy_set(from->sets + i, to->sets + i);
    return e;
}

static void free_sets(const struct ruleset *r)
{
    for (size_t i = 0; r->sets && i < r->set_count; i++)
        free(r->sets[i].elements);
    free(r->sets);
}

void comparison_end(struct comparison *c)
{
    free_sets(&c->there);
    free_sets(&c->wanted);
}

/* Chains have numbers of their own in each ruleset: verdict maps stay as they are. */
int comparison_begin(struct comparison *c, struct ruleset *there, const struct ruleset *r)
{
    int e = there ? ruleset_settle(there, r) : SD_OK;

    *c = (struct comparison){.gone = !there};
    if (e == SD_OK && there)
        e = copy_sets(there, &c->there);
    if (e == SD_OK)
        e = copy_sets(r, &c->wanted);
    for (size_t i = 0; i < r->set_count && there && e == SD_OK; i++) {
        int at = ruleset_set_named(there, r->sets[i].name);

        if (at >= 0 && there->sets[at].kind == r->sets[i].kind && r->sets[i].kind != SET_ZONES)
            drop_same(c->there.sets + at, c->wanted.sets + i);
    }
    return e;
}

/* To be freed; NULL: out of memory. r NULL: no table, no text. */
static char *structure_of(const struct ruleset *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    int e = to && r ? ruleset_print_as(r, PRINT_STRUCTURE, to) : SD_OK;

    if (!to || fclose(to) != 0 || e != SD_OK) {
        free(text);
        return NULL;
    }
    return text;
}

bool comparison_is_same(const struct comparison *c)
{
    char *one = structure_of(c->gone ? NULL : &c->there), *other = structure_of(&c->wanted);
    bool same = one && other && strcmp(one, other) == 0;

    free(one);
    free(other);
    return same && c->there.digest == c->wanted.digest && c->there.flags == c->wanted.flags;
}

bool ruleset_is(struct ruleset *there, const struct ruleset *r)
{
    struct comparison c;
    bool same = comparison_begin(&c, there, r) == SD_OK && comparison_is_same(&c);

    comparison_end(&c);
    return same;
}

static int differences(const struct comparison *c, FILE *to)
{
    char *left = structure_of(c->gone ? NULL : &c->there), *right = structure_of(&c->wanted);
    int e = left && right ? text_diff(left, right, to) : SD_EMEM;

    free(left);
    free(right);
    return e;
}

int ruleset_diff(const struct ruleset *r, FILE *to, char error[ENFORCE_ERROR])
{
    struct ruleset *kernel = NULL;
    struct comparison c;
    int e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_read(fd, r->family, &kernel, error);
    close(fd);
    if (e != SD_OK && e != SD_ENOENT)
        return e;
    e = comparison_begin(&c, kernel, r);
    if (e == SD_OK)
        e = differences(&c, to);
    comparison_end(&c);
    ruleset_destroy(kernel);
    if (e == SD_EMEM)
        snprintf(error, ENFORCE_ERROR, "out of memory while comparing the rulesets");
    return ferror(to) ? SD_EIO : e;
}

struct telling {
    struct enforce_drift *drift;
    const char *part; /* what was said last: more of it is only listed */
    size_t used;
    bool full;
};

static __attribute__((format(printf, 3, 4))) void say(struct telling *t, const char *part,
                                                      const char *format, ...)
{
    char item[160], *to = t->drift->text + t->used;
    size_t room = sizeof t->drift->text - t->used;
    va_list arguments;
    int length;

    va_start(arguments, format);
    vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    if (t->full)
        return;
    if (t->part && strcmp(t->part, part) == 0)
        length = snprintf(to, room, ", %s", item);
    else
        length = snprintf(to, room, "%s%s: %s", t->used ? "; " : "", part, item);
    if (length < 0 || (size_t)length + sizeof ", ..." > room) {
        strcpy(to, t->used ? ", ..." : "...");
        t->full = true;
        return;
    }
    t->used += (size_t)length;
    t->part = part;
}

/* A rule by its id, one of somebody else by its words. */
static void say_rule(struct telling *t, const char *part, const char *chain, const char *line)
{
    static const char mark[] = "comment \"sealdns: ";
    const char *id = strstr(line, mark);

    if (id)
        say(t, part, "%.*s", (int)strcspn(id + sizeof mark - 1, "\""), id + sizeof mark - 1);
    else
        say(t, part, "%.*s (in %s)", (int)strlen(line) - 1, line, chain); /* ends in a blank */
}

static void take_line(struct telling *t, bool missing, const char *heading, const char *line)
{
    struct enforce_drift *d = t->drift;
    bool chain = strncmp(heading, "chain ", 6) == 0;
    const char *name = strchr(heading, ' ');
    char section[RULESET_NAME + 1] = "";

    if (name)
        snprintf(section, sizeof section, "%.*s", (int)strcspn(name + 1, " "), name + 1);
    if (strncmp(line, "type ", 5) == 0 || strncmp(line, "flags ", 6) == 0) {
        d->changed++;
        if (missing)
            say(t, "made otherwise", "%s", section);
    } else if (chain) {
        missing ? d->rules_missing++ : d->rules_foreign++;
        say_rule(t, missing ? "rules missing" : "foreign rules", section, line);
    } else if (strcmp(line, "}") != 0 && strcmp(line, "elements = {") != 0) {
        const char *timeout = strstr(line, " timeout ");

        missing ? d->elements_missing++ : d->elements_foreign++;
        say(t, missing ? "elements missing" : "foreign elements", "%.*s of %s",
            (int)(timeout ? (size_t)(timeout - line) : strcspn(line, ",")), line, section);
    }
}

void drift_describe(char *lines, struct enforce_drift *drift)
{
    struct telling t = {.drift = drift};
    const char *heading = "";

    for (char *rest = lines, *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *words = line[0] ? line + 1 + strspn(line + 1, " ") : line;

        if (line[0] && strncmp(line + 1, "     ", 5) == 0)
            take_line(&t, line[0] == '+', heading, words);
        else if (line[0])
            heading = words;
    }
}

void comparison_describe(const struct comparison *c, struct enforce_drift *drift)
{
    const struct ruleset *there = &c->there, *r = &c->wanted;
    char *lines = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&lines, &size);

    drift->dormant = there->flags & TABLE_DORMANT;
    drift->another = there->digest != r->digest || there->flags != r->flags;
    if (to && differences(c, to) >= 0 && fflush(to) == 0)
        drift_describe(lines, drift);
    if (to)
        fclose(to);
    free(lines);
    if (!drift->text[0])
        snprintf(drift->text, sizeof drift->text, "%s",
                 drift->dormant   ? "the table is dormant"
                 : drift->another ? "the table is another policy's"
                                  : "chains, sets or the order of rules differ");
}

int ruleset_examine(const struct ruleset *r, struct enforce_drift *drift, char error[ENFORCE_ERROR])
{
    struct ruleset *there;
    struct comparison c;
    int e, fd = transport_open(error);

    *drift = (struct enforce_drift){.gone = false};
    if (fd < 0)
        return fd;
    e = ruleset_read(fd, r->family, &there, error);
    close(fd);
    if (e == SD_ENOENT) {
        drift->gone = true;
        snprintf(drift->text, sizeof drift->text, "the table is gone");
    }
    if (e != SD_OK)
        return e;
    there->flags |= r->flags & TABLE_OWNER; /* a persistent one may have lost its owner */
    e = comparison_begin(&c, there, r);
    if (e == SD_OK && !comparison_is_same(&c)) {
        snprintf(error, ENFORCE_ERROR, "table %s " RULESET_TABLE " is not what the policy says",
                 ruleset_family(r));
        comparison_describe(&c, drift);
        e = SD_ESTATE;
        if (r->sets_only && there->sets_only && there->set_count == 0) {
            drift->gone = true;
            e = SD_ENOENT;
        }
    } else if (e != SD_OK) {
        snprintf(error, ENFORCE_ERROR, "out of memory while comparing the rulesets");
    }
    comparison_end(&c);
    ruleset_destroy(there);
    return e;
}

int ruleset_verify(const struct ruleset *r, char error[ENFORCE_ERROR])
{
    struct enforce_drift drift;

    return ruleset_examine(r, &drift, error);
}
