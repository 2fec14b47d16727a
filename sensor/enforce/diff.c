#include "enforce/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct section {
    char *heading;
    char **lines;
    size_t count;
    bool matched;
};

struct sections {
    struct section *items;
    char **lines; /* of all */
    size_t count;
};

/* The tables of the longest common subsequence stay below this; beyond, the middle of a section
 * counts as replaced whole. */
#define MOST_CELLS ((size_t)4 << 20)

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static bool is_heading(const char *line)
{
    return line[0] == '\t' && line[1] != '\t' && line[1] != '}';
}

/* A section begins at a line of one tab and holds those of two and more. Lines before the first
 * (flags of the table) are a section of their own. */
static int cut_up(char *text, struct sections *s)
{
    size_t most = count_lines(text), used = 0;

    s->items = calloc(most + 1, sizeof *s->items);
    s->lines = calloc(most + 1, sizeof *s->lines);
    s->count = 0;
    if (!s->items || !s->lines)
        return SD_EMEM;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (is_heading(line)) {
            s->items[s->count++] = (struct section){.heading = line + 1, .lines = s->lines + used};
        } else if (s->count && line[0] == '\t' && line[1] == '\t') {
            s->lines[used++] = line + strspn(line, "\t");
            s->items[s->count - 1].count++;
        }
    }
    return SD_OK;
}

static struct section *find(const struct sections *s, const char *heading)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->items[i].matched && strcmp(s->items[i].heading, heading) == 0)
            return s->items + i;
    return NULL;
}

struct comparison {
    FILE *to;
    const char *heading; /* NULL once it is printed */
    int differing;
};

static void tell(struct comparison *c, char sign, const char *line)
{
    if (c->heading)
        fprintf(c->to, "  %s\n", c->heading);
    c->heading = NULL;
    fprintf(c->to, "%c     %s\n", sign, line);
    c->differing++;
}

/* length[i * (m + 1) + j]: of the longest common subsequence of a[i..] and b[j..]. */
static uint32_t *lengths(char **a, size_t n, char **b, size_t m)
{
    uint32_t *length = calloc((n + 1) * (m + 1), sizeof *length);

    for (size_t i = n; length && i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            uint32_t *at = length + i * (m + 1) + j;

            if (strcmp(a[i], b[j]) == 0)
                *at = at[m + 2] + 1;
            else
                *at = at[m + 1] > at[1] ? at[m + 1] : at[1];
        }
    return length;
}

static int compare_middle(struct comparison *c, char **a, size_t n, char **b, size_t m)
{
    uint32_t *length = (n + 1) <= MOST_CELLS / (m + 1) ? lengths(a, n, b, m) : NULL;
    size_t i = 0, j = 0;

    if (!length && (n + 1) <= MOST_CELLS / (m + 1))
        return SD_EMEM;
    while (i < n || j < m) {
        const uint32_t *at = length ? length + i * (m + 1) + j : NULL;

        if (i < n && j < m && at && strcmp(a[i], b[j]) == 0) {
            i++;
            j++;
        } else if (j == m || (i < n && (!at || at[m + 1] >= at[1])))
            tell(c, '-', a[i++]);
        else
            tell(c, '+', b[j++]);
    }
    free(length);
    return SD_OK;
}

static int compare_sections(struct comparison *c, const struct section *there,
                            const struct section *here)
{
    char **a = there->lines, **b = here->lines;
    size_t n = there->count, m = here->count;

    while (n && m && strcmp(a[0], b[0]) == 0)
        a++, b++, n--, m--;
    while (n && m && strcmp(a[n - 1], b[m - 1]) == 0)
        n--, m--;
    return compare_middle(c, a, n, b, m);
}

static void tell_whole(FILE *to, char sign, const struct section *s, int *differing)
{
    fprintf(to, "%c %s\n", sign, s->heading);
    for (size_t i = 0; i < s->count; i++)
        fprintf(to, "%c     %s\n", sign, s->lines[i]);
    *differing += (int)s->count + 1;
}

static int compare_all(struct sections *there, struct sections *here, FILE *to)
{
    int differing = 0, e = SD_OK;

    for (size_t i = 0; i < here->count && e == SD_OK; i++) {
        struct section *other = find(there, here->items[i].heading);
        struct comparison c = {.to = to, .heading = here->items[i].heading};

        if (!other) {
            tell_whole(to, '+', here->items + i, &differing);
            continue;
        }
        other->matched = true;
        e = compare_sections(&c, other, here->items + i);
        differing += c.differing;
    }
    for (size_t i = 0; i < there->count && e == SD_OK; i++)
        if (!there->items[i].matched)
            tell_whole(to, '-', there->items + i, &differing);
    return e == SD_OK ? differing : e;
}

int text_diff(char *there, char *here, FILE *to)
{
    struct sections a = {.count = 0}, b = {.count = 0};
    int e = cut_up(there, &a);

    if (e == SD_OK)
        e = cut_up(here, &b);
    if (e == SD_OK)
        e = compare_all(&a, &b, to);
    free(a.items);
    free(a.lines);
    free(b.items);
    free(b.lines);
    return e;
}
