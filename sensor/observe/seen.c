#include "observe/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/pages.h"
#include "base/ways.h"

enum { WAYS = WAYS_EIGHT };

struct line {
    uint32_t tag[WAYS];
    uint32_t last[WAYS];
};

struct seen {
    struct line *lines;
    size_t mask;
};

struct seen *seen_create(size_t capacity)
{
    struct seen *s = calloc(1, sizeof *s);
    size_t lines = 1;

    if (!s)
        return NULL;
    while (lines * WAYS < capacity)
        lines *= 2;
    s->lines = pages_zeroed(lines * sizeof *s->lines);
    if (!s->lines) {
        free(s);
        return NULL;
    }
    pages_enlarge(s->lines, lines * sizeof *s->lines);
    s->mask = lines - 1;
    return s;
}

void seen_destroy(struct seen *s)
{
    if (s)
        pages_free(s->lines);
    free(s);
}

void seen_prefetch(const struct seen *s, uint64_t hash)
{
    fetch(&s->lines[hash & s->mask]);
}

/* The tag's lowest bit: taken; the next: a query was seen. */
enum { TAKEN = 1, ASKED = 2 };

struct seen_before seen_message(struct seen *s, uint64_t hash, uint32_t second, bool query)
{
    struct line *line = &s->lines[hash & s->mask];
    uint32_t tag = ((uint32_t)(hash >> 32) & ~(uint32_t)ASKED) | TAKEN;
    uint32_t asked = query ? ASKED : 0;
    unsigned ways = ways_of_word(line->tag, tag, ASKED);
    int oldest = 0;

    if (ways) {
        unsigned way = ways_first(ways);
        bool idle = second > line->last[way] && second - line->last[way] > SEEN_LIFETIME;

        line->tag[way] = idle ? tag | asked : line->tag[way] | asked;
        line->last[way] = second;
        return (struct seen_before){idle, (line->tag[way] & ASKED) != 0};
    }
    for (int way = 1; way < WAYS; way++)
        if (line->last[way] < line->last[oldest])
            oldest = way;
    line->tag[oldest] = tag | asked;
    line->last[oldest] = second;
    return (struct seen_before){true, query};
}
