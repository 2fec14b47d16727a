/* All outputs that a policy names: each line goes to those whose severity and kinds it has, in the
 * format of each. */
#ifndef SEALDNS_ENGINE_FEEDS_H
#define SEALDNS_ENGINE_FEEDS_H

#include <jansson.h>

#include "output/output.h"
#include "output/table_row.h"

struct feeds;

/* The spools are folders beside the store. SD_ECONF: an output that does not open, error says
 * which. SD_EMEM. */
int feeds_open(const struct policy *policy, struct feeds **out, char error[OUTPUT_ERROR]);
/* The outputs of another policy: what is as before goes on. SD_ECONF, SD_EMEM: nothing changed. */
int feeds_use_policy(struct feeds *f, const struct policy *policy, char error[OUTPUT_ERROR]);
void feeds_close(struct feeds *f);

void feeds_event(struct feeds *f, const struct record *r, const char *eve_line);
/* A line of the query log, to those that take type dns: nothing else of the filter counts. */
void feeds_query(struct feeds *f, const struct record *r, const char *eve_line);
/* Whether an output is told of such. */
bool feeds_want(const struct feeds *f, enum event_type type);
/* Rows to those that take type conversation, or stats; r: a RECORD_STATS; host: the sensor's name;
 * p: the policy in force.
 */
void feeds_conversation(struct feeds *f, const struct hour_row *h, const char *host);
void feeds_stats(struct feeds *f, const struct record *r, const struct policy *p);
void feeds_flush(struct feeds *f);
void feeds_reopen(struct feeds *f);

uint64_t feeds_written(const struct feeds *f); /* lines, those that a spool took included */
uint64_t feeds_lost(struct feeds *f);
/* One object an output, for `status`. */
json_t *feeds_status(struct feeds *f);

#endif
