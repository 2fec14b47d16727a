/* The query log: what was asked and answered, as the policy wants it written. Sees observations
 * whose note is written. In the parser, so clients have their addresses still: pseudonyms are the
 * recorder's to make. */
#ifndef SEALDNS_ACCOUNT_QUERY_LOG_H
#define SEALDNS_ACCOUNT_QUERY_LOG_H

#include "model/bounds.h"
#include "model/observation.h"
#include "model/policy.h"
#include "model/record.h"
#include "model/stats.h"

struct query_log;

/* NULL: no memory. What the sink does not take is lost, and counted in queries_unlogged. bounds
 * NULL: the usual ones; some 6 MB of sums where the policy wants them. */
struct query_log *query_log_create(const struct policy *policy, const struct bounds *bounds,
                                   uint64_t seed, struct record_sink sink, struct stats *stats);
/* Sums that are open are told first. */
void query_log_destroy(struct query_log *l);
void query_log_observe(struct query_log *l, const struct observation *batch, size_t count);
/* Tells the sums whose interval is over. */
void query_log_tick(struct query_log *l, nsec_t now);

#endif
