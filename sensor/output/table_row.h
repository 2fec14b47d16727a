/* Rows of packaging/clickhouse/schema.sql that are made of no event, as JSON on one line. */
#ifndef SEALDNS_OUTPUT_TABLE_ROW_H
#define SEALDNS_OUTPUT_TABLE_ROW_H

#include "model/policy.h"
#include "model/record.h"

/* The sum of an hour of one conversation, or of a part of it. Of rows of one part the one that was
 * told last stands for all. Borrowed. */
struct hour_row {
    nsec_t hour, part, told;
    const struct conversation *conversation;
    const char *zone, *resolver;
};

/* To be freed. NULL: no memory, or a text that is no UTF-8. */
char *table_row_conversation(const struct hour_row *h, const char *host);
/* r: a RECORD_STATS; p: the policy in force. */
char *table_row_stats(const struct record *r, const struct policy *p);

#endif
