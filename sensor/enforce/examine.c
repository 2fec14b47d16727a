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
#define SLACK_MS 60000
#define SLACK_OF 1000 /* and a thousandth of what is left */

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

static bool is_ending(const struct set_element *e)
{
    return e->timeout_ms != 0 && e->timeout_ms <= SLACK_MS;
}

static bool same_time(uint64_t a, uint64_t b)
{
    uint64_t apart = a > b ? a - b : b - a;

    return (a == 0) == (b == 0) && apart <= SLACK_MS + b / SLACK_OF;
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

        if (by == 0 && same_time(have->timeout_ms, want[k].timeout_ms))
            have->timeout_ms = want[k].timeout_ms;
        if (by == 0 || (by < 0 && !is_ending(have)))
            e = set_add(&settled, have);
        else if (by > 0 && is_ending(want + k))
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

        if (at >= 0)
            e = settle_set(there->sets + at, r->sets + i);
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

static bool same_text(const struct ruleset *a, const struct ruleset *b)
{
    char *one = structure_of(a), *other = structure_of(b);
    bool same = one && other && strcmp(one, other) == 0;

    free(one);
    free(other);
    return same;
}

bool ruleset_is(struct ruleset *there, const struct ruleset *r)
{
    return ruleset_settle(there, r) == SD_OK && there->digest == r->digest &&
           there->flags == r->flags && same_text(there, r);
}

/* Settled already. there NULL: no table. */
static int differences(const struct ruleset *there, const struct ruleset *r, FILE *to)
{
    char *left = structure_of(there), *right = structure_of(r);
    int e = left && right ? text_diff(left, right, to) : SD_EMEM;

    free(left);
    free(right);
    return e;
}

int ruleset_diff(const struct ruleset *r, FILE *to, char error[ENFORCE_ERROR])
{
    struct ruleset *kernel = NULL;
    int e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_read(fd, &kernel, error);
    close(fd);
    if (e != SD_OK && e != SD_ENOENT)
        return e;
    e = kernel ? ruleset_settle(kernel, r) : SD_OK;
    if (e == SD_OK)
        e = differences(kernel, r, to);
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

static void describe_all(const struct ruleset *there, const struct ruleset *r,
                         struct enforce_drift *drift)
{
    char *lines = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&lines, &size);

    drift->dormant = there->flags & TABLE_DORMANT;
    drift->another = there->digest != r->digest || there->flags != r->flags;
    if (to && differences(there, r, to) >= 0 && fflush(to) == 0)
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
    int e, fd = transport_open(error);

    *drift = (struct enforce_drift){.gone = false};
    if (fd < 0)
        return fd;
    e = ruleset_read(fd, &there, error);
    close(fd);
    if (e == SD_ENOENT) {
        drift->gone = true;
        snprintf(drift->text, sizeof drift->text, "the table is gone");
    }
    if (e != SD_OK)
        return e;
    there->flags |= r->flags & TABLE_OWNER; /* a persistent one may have lost its owner */
    if (!ruleset_is(there, r)) {
        snprintf(error, ENFORCE_ERROR, "table inet " RULESET_TABLE " is not what the policy says");
        describe_all(there, r, drift);
        e = SD_ESTATE;
        if (r->sets_only && there->sets_only && there->set_count == 0) {
            drift->gone = true;
            e = SD_ENOENT;
        }
    }
    ruleset_destroy(there);
    return e;
}

int ruleset_verify(const struct ruleset *r, char error[ENFORCE_ERROR])
{
    struct enforce_drift drift;

    return ruleset_examine(r, &drift, error);
}
