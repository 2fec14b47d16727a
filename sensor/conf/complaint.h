/* What is wrong with one file: gathered, put in the order of its lines, then written. */
#ifndef SEALDNS_CONF_COMPLAINT_H
#define SEALDNS_CONF_COMPLAINT_H

#include <stdbool.h>

#include "base/option.h"
#include "conf/conf.h"

#define COMPLAINTS 50 /* of one file; the rest is only counted */

struct node;

struct complaints {
    const char *file;
    unsigned errors, warnings;
    unsigned kept;
    struct complaint {
        unsigned line, column, order;
        bool warning;
        char text[2 * OPTION_ERROR];
    } list[COMPLAINTS];
};

void complain_at(struct complaints *c, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void complain(struct complaints *c, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void complain_softly(struct complaints *c, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* There is no use in looking on. */
bool complaints_full(const struct complaints *c);
/* "FILE:LINE:COLUMN: text" for each into report, whose counts grow. */
void complaints_tell(struct complaints *c, struct conf_report *report);

#endif
