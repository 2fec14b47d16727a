/* The baseline of one client, resolver or zone: what each series (detect/window.h) usually is at
 * this time of the week, as medians of samples of the sliding hour. Times are UTC. A plain value.
 *
 * Of all queries there is a sample of each half hour of the week (336) for the last four weeks; of
 * the other series one of each hour of a working day and of a weekend day (48) for the last eight
 * days. A sample is an octet: the level in twelfths, 4 % at most beside the truth, where hours
 * differ by a quarter and more. 28 samples for each of 168 hours in two octets would be 9.4 kB for
 * one series; this is 4.9 kB for all eight. The spread is no bin's own, since four samples show
 * none: it is the median of what the forecast was off lately, over all hours. */
#ifndef SEALDNS_DETECT_PROFILE_H
#define SEALDNS_DETECT_PROFILE_H

#include <stdbool.h>

#include "detect/window.h"

enum {
    PROFILE_MARKS = 336,
    PROFILE_WEEKS = 4,
    PROFILE_HOURS = 48,
    PROFILE_DAYS = 8,
    PROFILE_RESIDUALS = 16,
    PRIOR_SAMPLES = 15
};

/* In order of worth. */
enum level_source {
    LEVEL_NONE,
    LEVEL_RECENT, /* whatever it did at any hour so far */
    LEVEL_ROLE,   /* others of its zone and role at this hour */
    LEVEL_DAY,    /* its own at this hour of other days */
    LEVEL_WEEK    /* its own at this hour of this day of other weeks */
};

struct level {
    double median, spread; /* of series_level(); spread is not floored */
    unsigned samples;
    uint8_t source; /* enum level_source */
};

struct profile {
    nsec_t first; /* known since */
    uint8_t all_fill[PROFILE_MARKS], all[PROFILE_MARKS][PROFILE_WEEKS];
    uint8_t fill[SERIES_COUNT - 1][PROFILE_HOURS];
    uint8_t sample[SERIES_COUNT - 1][PROFILE_HOURS][PROFILE_DAYS];
    uint16_t residual[SERIES_COUNT][PROFILE_RESIDUALS];
};

/* What others of a zone and role do: a sample of them and of the days, newest over oldest. */
struct prior {
    uint8_t fill[SERIES_COUNT][PROFILE_HOURS];
    uint8_t sample[SERIES_COUNT][PROFILE_HOURS][PRIOR_SAMPLES];
};

/* t is of those at which this series is sampled. */
bool profile_samples_at(enum series s, nsec_t t);
void profile_learn(struct profile *p, enum series s, nsec_t t, double level);
/* Forgets all; then of a client known since then that never asked more than so much: its nights. */
void profile_begin(struct profile *p, nsec_t since, nsec_t now, double never_more);
/* From its own hours (LEVEL_WEEK, LEVEL_DAY), else LEVEL_NONE. */
struct level profile_at(const struct profile *p, enum series s, nsec_t t);
/* All queries at whatever hour. */
struct level profile_recent(const struct profile *p);
/* The least it ever asked in an hour; 0 while a half hour of the week was never seen. */
double profile_least(const struct profile *p);

/* chance: any number, better a random one; it says which sample gives way. */
void prior_learn(struct prior *p, enum series s, nsec_t t, double level, uint32_t chance);
struct level prior_at(const struct prior *p, enum series s, nsec_t t);

#endif
