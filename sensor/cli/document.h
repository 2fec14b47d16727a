/* The analyze document, and the same for people. */
#ifndef SEALDNS_CLI_DOCUMENT_H
#define SEALDNS_CLI_DOCUMENT_H

#include <stdio.h>

#include "engine/offline.h"

/* The last revision of every event of a run, in order: first, client, server, port, transport. */
struct event_list;
struct event_list *event_list_create(void);
void event_list_destroy(struct event_list *l);
/* SD_EMEM. */
int event_list_add(struct event_list *l, const struct record *r);

struct document {
    const struct policy *policy;
    const struct offline_result *result;
    size_t files;
    struct event_list *events;
};

/* SD_EMEM, SD_EIO. */
int document_json(const struct document *d, FILE *to);
int document_text(const struct document *d, FILE *to);

#endif
