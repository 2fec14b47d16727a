/* What a client, a resolver or a zone did in the last hour, in steps of five minutes, as the series
 * that have a baseline. Plain values. */
#ifndef SEALDNS_DETECT_WINDOW_H
#define SEALDNS_DETECT_WINDOW_H

#include "base/time.h"
#include "detect/distinct.h"

/* The first are counted in each step and added up; the last two are made of them. */
enum series {
    SERIES_ALL,      /* queries, in clear text and (from the lengths of records) encrypted */
    SERIES_SEALED,   /* the encrypted ones */
    SERIES_BYTES,    /* in both directions, in units of 64 */
    SERIES_NXDOMAIN, /* answers */
    SERIES_SERVFAIL, /* answers */
    SERIES_RARE,     /* queries of types that hosts seldom ask: TXT, NULL, ANY, unknown ones */
    SERIES_COUNTED,
    SERIES_DOMAINS = SERIES_COUNTED, /* distinct registrable domains asked in clear text */
    SERIES_CLEAR,                    /* share of queries in clear text, 0..1 */
    SERIES_COUNT
};

#define WINDOW_STEP  (300 * NSEC_S)
#define WINDOW_STEPS 12

struct step {
    uint32_t count[SERIES_COUNTED];
    struct distinct domains;
};

struct window {
    struct step past[WINDOW_STEPS]; /* by the step's number % WINDOW_STEPS */
};

struct reading {
    double value[SERIES_COUNT]; /* of the hour */
    double half;                /* queries of the last half of it */
    struct step last;           /* the newest step */
};

void step_add(struct step *to, const struct step *more);
static inline void step_count(struct step *s, enum series series, uint64_t n)
{
    uint32_t *count = &s->count[series];

    if (n > UINT32_MAX || __builtin_add_overflow(*count, (uint32_t)n, count))
        *count = UINT32_MAX;
}

/* Closes step number `at`. */
void window_push(struct window *w, int64_t at, const struct step *s);
/* The hour that ends with step number `at`, which was the last one closed. */
void window_read(const struct window *w, int64_t at, struct reading *out);

const char *series_name(enum series s);
/* On the scale that baselines are kept in: log(1 + value); a share times five. And back. */
double series_level(enum series s, double value);
double series_value(enum series s, double level);

#endif
