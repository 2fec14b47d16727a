/* Reads the policy file, the resolver catalogue and the detections into one immutable
 * struct policy. Every error, also one of meaning, carries line and column. */
#ifndef SEALDNS_CONF_CONF_H
#define SEALDNS_CONF_CONF_H

#include <stddef.h>
#include <stdio.h>

#include "model/policy.h"

struct conf_text {
    const char *name; /* for messages: a path, or "(built in)" */
    const char *bytes;
    size_t length;
};

/* The texts a policy is made of. policy.bytes NULL: the built-in policy. catalog.bytes NULL: the
 * catalogue embedded at build. detections: NULL for the embedded ones. */
struct conf_source {
    struct conf_text policy, catalog;
    const struct conf_text *detections;
    size_t detection_count;
    const struct addr *gateway;
    size_t gateway_count;
    nsec_t now; /* for "this exception has ended" */
};

/* Errors and warnings as "FILE:LINE:COLUMN: what is wrong and what would be right". */
struct conf_report {
    FILE *to;
    unsigned errors, warnings;
};

/* SD_ECONF: at least one error was reported, *out is untouched. SD_EMEM. */
int conf_load(const struct conf_source *source, struct conf_report *report, struct policy **out);

/* The effective policy as YAML that conf_load() takes again. SD_EIO. */
int conf_print(const struct policy *p, FILE *to);

/* What differs between two policies, in a line of printable text of at most size (64 or more):
 * "sensor mode: shadow -> enforce; -zones guest; +exceptions client: 10.20.9.9, ...; 3 more".
 * SD_ENOENT: nothing that conf_print() shows. SD_EMEM. */
int conf_changes(const struct policy *old, const struct policy *anew, char *out, size_t size);

/* A list that the old policy or its catalogue had has half of its entries or fewer in the new one:
 * more likely cut off than meant. why: which, with both numbers. Lists of three are not looked at.
 */
bool conf_shrank(const struct policy *old, const struct policy *anew, char *why, size_t size);

/* The whole of a file, NUL-terminated, to be freed; at most 16 MiB. SD_ENOENT, SD_EIO, SD_ELIMIT.
 */
int conf_read_file(const char *path, char **bytes, size_t *length);

#endif
