#include "conf/complaint.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/text.h"
#include "conf/tree.h"

static void keep(struct complaints *c, struct complaint place, const char *format,
                 va_list arguments) __attribute__((format(printf, 3, 0)));

static void keep(struct complaints *c, struct complaint place, const char *format,
                 va_list arguments)
{
    struct complaint *kept = c->list + c->kept;

    *(place.warning ? &c->warnings : &c->errors) += 1;
    if (c->kept == COMPLAINTS)
        return;
    *kept = place;
    kept->order = c->kept++;
    vsnprintf(kept->text, sizeof kept->text, format, arguments);
}

void complain_at(struct complaints *c, unsigned line, unsigned column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(c, (struct complaint){.line = line, .column = column}, format, arguments);
    va_end(arguments);
}

void complain(struct complaints *c, const struct node *at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(c, (struct complaint){.line = at->line, .column = at->column}, format, arguments);
    va_end(arguments);
}

void complain_softly(struct complaints *c, const struct node *at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(c, (struct complaint){.line = at->line, .column = at->column, .warning = true}, format,
         arguments);
    va_end(arguments);
}

bool complaints_full(const struct complaints *c)
{
    return c->errors >= COMPLAINTS;
}

static int by_place(const void *left, const void *right)
{
    const struct complaint *a = left, *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void complaints_tell(struct complaints *c, struct conf_report *report)
{
    report->errors += c->errors;
    report->warnings += c->warnings;
    if (!report->to)
        return;
    qsort(c->list, c->kept, sizeof *c->list, by_place);
    for (unsigned i = 0; i < c->kept; i++)
        fprintf(report->to, "%s:%u:%u: %s%s\n", c->file, c->list[i].line, c->list[i].column,
                c->list[i].warning ? "warning: " : "", c->list[i].text);
    if (c->kept == COMPLAINTS)
        fprintf(report->to, "%s: there may be more; these are the first %u\n", c->file, c->kept);
}
