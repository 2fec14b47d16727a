/* When a sensor ran, and what it could not see, by the counters it leaves every minute. As
 * store/summary.h. */
#ifndef SEALDNS_STORE_COVERAGE_H
#define SEALDNS_STORE_COVERAGE_H

#include "store/summary.h"

/* Nothing was counted between these two. */
struct gap_row {
    nsec_t from, to;
    const char *sensor; /* of a fleet; NULL: there is one */
};
/* Those of `least` and longer, also at both ends of the period. */
int store_gaps(struct store_reader *r, const struct summary_period *p, nsec_t least,
               int (*fn)(void *context, const struct gap_row *row), void *context);

/* The last counters of each hour; they begin at zero with each start. */
struct counters_row {
    nsec_t time;
    const char *json;   /* {"packets": ...}, the names of model/stats.h */
    const char *sensor; /* as above; those of one come together */
};
int store_counters(struct store_reader *r, const struct summary_period *p,
                   int (*fn)(void *context, const struct counters_row *row), void *context);

/* A sensor of a fleet; no store has such rows. */
struct sensor_row {
    const char *sensor;
    nsec_t last;          /* that it told its counters in the period, 0: never */
    const char *counters; /* of then, as above, with "policy", "mode" and "version"; "" */
    uint64_t queries, sealed;
    uint64_t events; /* that were told of the period */
};

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
