/* When a sensor ran, and what it could not see, by the counters it leaves every minute. As
 * store/summary.h. */
#ifndef SEALDNS_STORE_COVERAGE_H
#define SEALDNS_STORE_COVERAGE_H

#include "store/summary.h"

/* Nothing was counted between these two. */
struct gap_row {
    nsec_t from, to;
};
/* Those of `least` and longer, also at both ends of the period. */
int store_gaps(struct store_reader *r, const struct summary_period *p, nsec_t least,
               int (*fn)(void *context, const struct gap_row *row), void *context);

/* The last counters of each hour; they begin at zero with each start. */
struct counters_row {
    nsec_t time;
    const char *json; /* {"packets": ...}, the names of model/stats.h */
};
int store_counters(struct store_reader *r, const struct summary_period *p,
                   int (*fn)(void *context, const struct counters_row *row), void *context);

/* Events of a kind and severity that were told in the period: how many, how many of them have
 * ended, and how long those took from the first to the last sight. */
struct closure_row {
    const char *kind;
    int severity;
    int64_t events, ended;
    nsec_t mean, longest;
};
int store_closures(struct store_reader *r, const struct summary_period *p,
                   int (*fn)(void *context, const struct closure_row *row), void *context);

#endif
