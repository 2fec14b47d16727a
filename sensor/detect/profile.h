/* What one client's number of queries usually is at an hour of a working day or of a weekend (UTC):
 * robust median and spread of log(1 + queries of the last hour), from one sample each quarter of an
 * hour. Less than the 168 hours of a week, so that a week of learning serves. A plain value. */
#ifndef SEALDNS_DETECT_PROFILE_H
#define SEALDNS_DETECT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum { PROFILE_HOURS = 48, PROFILE_SAMPLES = 28 }; /* seven days of quarters for each hour */

struct profile {
    nsec_t first; /* known since */
    uint8_t count[PROFILE_HOURS], next[PROFILE_HOURS];
    uint16_t sample[PROFILE_HOURS][PROFILE_SAMPLES]; /* log1p in 1/2048 */
};

struct profile_level {
    double median, spread; /* of log1p(queries); spread is 1.4826 * MAD, not floored */
    unsigned samples;
    bool own; /* of this hour and kind of day; else of whatever there is */
};

/* ceiling: a greater value is learned as this (winsorised). */
void profile_learn(struct profile *p, nsec_t t, uint32_t queries, double ceiling);
/* From a client that was known since then and never asked more than so much. */
void profile_begin(struct profile *p, nsec_t since, nsec_t now, uint32_t never_more);
/* At this hour, or over all hours where no other day has shown this one yet. */
struct profile_level profile_at(const struct profile *p, nsec_t t);

#endif
