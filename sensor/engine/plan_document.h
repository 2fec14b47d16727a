/* What `sealdns plan` found, as one JSON document, and the same for people. */
#ifndef SEALDNS_ENGINE_PLAN_DOCUMENT_H
#define SEALDNS_ENGINE_PLAN_DOCUMENT_H

#include <stdio.h>

#include "decide/plan.h"

struct plan_document {
    const struct policy *policy;
    const struct plan *plan;
    const char *file, *store; /* of the policy and of the conversations */
    char *const *hosts;       /* by machine, what each calls itself; NULL: not known */
    size_t moved;             /* addresses that only the record calls the gateway's */
    nsec_t since, until;
};

/* SD_EIO. */
int plan_json(const struct plan_document *d, FILE *to);
int plan_text(const struct plan_document *d, FILE *to);

/* The name of the client's machine as it was recorded (hostile text), or NULL. */
const char *plan_host(const struct plan_document *d, const struct plan_client *c);

/* What a plan cannot know, as sentences; NULL beyond the last that applies. Valid until the next
 * call with the same text. */
enum { PLAN_DOUBT = 256 };
const char *plan_doubt(const struct plan_document *d, unsigned number, char text[PLAN_DOUBT]);

#endif
