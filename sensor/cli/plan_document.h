/* What `sealdns plan` found, as one JSON document, and the same for people. */
#ifndef SEALDNS_CLI_PLAN_DOCUMENT_H
#define SEALDNS_CLI_PLAN_DOCUMENT_H

#include <stdio.h>

#include "decide/plan.h"

struct plan_document {
    const struct policy *policy;
    const struct plan *plan;
    const char *file, *store; /* of the policy and of the conversations */
    size_t moved;             /* addresses that only the record calls the gateway's */
    nsec_t since, until;
};

/* SD_EIO. */
int plan_json(const struct plan_document *d, FILE *to);
int plan_text(const struct plan_document *d, FILE *to);

/* What a plan cannot know, as sentences; NULL beyond the last that applies. Valid until the next
 * call with the same text. */
enum { PLAN_DOUBT = 256 };
const char *plan_doubt(const struct plan_document *d, unsigned number, char text[PLAN_DOUBT]);

#endif
