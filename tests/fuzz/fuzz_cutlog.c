/* Datagrams of nfnetlink_log: what is told of a line stays within the bytes, and its rule is a
 * word. */
#include <stdlib.h>
#include <string.h>

#include "enforce/cutlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct told {
    const uint8_t *from;
    size_t length;
    uint64_t lines;
};

static void take(void *context, const struct cut_line *line)
{
    struct told *t = context;
    size_t n = strnlen(line->rule, sizeof line->rule);

    t->lines++;
    if (n == 0 || n == sizeof line->rule || line->captured == 0 || line->packet < t->from ||
        line->packet + line->captured > t->from + t->length || line->station >> 48)
        abort();
    for (size_t i = 0; i < n; i++)
        if (line->rule[i] <= ' ' || line->rule[i] > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct cutlog log = {.begun = false};
    uint8_t *copy = malloc(length ? length : 1);
    struct told t = {copy, length, 0};

    if (!copy)
        return 0;
    memcpy(copy, bytes, length);
    cutlog_take(&log, copy, length, take, &t);
    free(copy);
    if (t.lines > log.lines || log.lines - t.lines > log.malformed)
        abort();
    return 0;
}
