/* A public list of resolvers, as DNS stamps in whatever text, made entries of a catalogue. */
#ifndef SEALDNS_CONF_IMPORT_H
#define SEALDNS_CONF_IMPORT_H

#include "conf/conf.h"

struct import_counts {
    unsigned stamps;  /* that were found */
    unsigned entries; /* that were written */
    unsigned known;   /* stamps of what `policy` knows already */
    unsigned relays;  /* which are no resolvers */
    unsigned wrong;   /* told of to report->to, by line and column */
};

/* Any DNS stamp stands in it. */
bool import_is_list(const struct conf_text *list);

/* Writes what `policy` does not know to `to`, as entries to stand behind those of its catalogue. An
 * entry is what stands below one heading ("## NAME") of the list. Addresses of DNS over HTTPS may
 * be others' too and are written as `shared`. SD_ELIMIT: more entries than a catalogue holds;
 * SD_EMEM. */
int import_stamps(const struct conf_text *list, const struct policy *policy,
                  struct conf_report *report, FILE *to, struct import_counts *counts);

#endif
