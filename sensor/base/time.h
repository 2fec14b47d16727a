/* Time is an int64 of nanoseconds since 1970 UTC, always an argument: only engine/ asks a clock. */
#ifndef SEALDNS_BASE_TIME_H
#define SEALDNS_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t nsec_t;

#define NSEC_US INT64_C(1000)
#define NSEC_MS INT64_C(1000000)
#define NSEC_S  INT64_C(1000000000)

/* Times of several sources are out of order by less; what lies further ahead was noted before the
 * clock was set back. */
#define TIME_SLACK (60 * NSEC_S)

static inline bool time_is_ahead(nsec_t t, nsec_t now)
{
    return t - TIME_SLACK > now;
}

/* So much time has passed since then, as far as one can tell: a clock that was set back must not
 * stop what is done every so often. */
static inline bool time_passed(nsec_t since, nsec_t span, nsec_t now)
{
    return now - since >= span || time_is_ahead(since, now);
}

#define TIME_TEXT 40

/* "2026-11-21T12:00:00.000001Z" into text; returns text. Out of range years are clamped. */
const char *time_text(nsec_t t, char text[TIME_TEXT]);
/* The same with "+0000" for the zone, as EVE writes it. */
const char *time_text_eve(nsec_t t, char text[TIME_TEXT]);
/* A date "2026-11-21" (with end_of_day: its last nanosecond) or "2026-11-21T12:00:00Z".
 * SD_EINVAL: neither. */
int time_parse(const char *text, int end_of_day, nsec_t *out);
/* "90s", "15m", "6h", "7d", "400d", "2w" -> nanoseconds. SD_EINVAL: no number with a unit. */
int duration_parse(const char *text, nsec_t *out);

#endif
