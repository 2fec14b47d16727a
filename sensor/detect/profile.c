#include "detect/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT        2048.0
#define ENOUGH      4 /* samples of an hour: of another day, for this day has fewer yet */
#define QUARTER     (900 * NSEC_S)
#define HOUR        (3600 * NSEC_S)
#define DAY         24
#define ALL_SAMPLES (PROFILE_HOURS * PROFILE_SAMPLES)

/* The kind of day (0: working day, 24: weekend; 1 January 1970 was a Thursday) and the hour. */
static unsigned kind_of(nsec_t t)
{
    return (t / (DAY * HOUR) + 3) % 7 >= 5 ? DAY : 0;
}

static unsigned hour_of(nsec_t t)
{
    return kind_of(t) + (unsigned)(t / HOUR % DAY);
}

static void add(struct profile *p, unsigned hour, double level)
{
    double value = level * UNIT;

    p->sample[hour][p->next[hour]] = (uint16_t)(value > UINT16_MAX ? UINT16_MAX : value);
    p->next[hour] = (uint8_t)((p->next[hour] + 1) % PROFILE_SAMPLES);
    if (p->count[hour] < PROFILE_SAMPLES)
        p->count[hour]++;
}

void profile_learn(struct profile *p, nsec_t t, uint32_t queries, double ceiling)
{
    double level = log1p(queries);

    if (!p->first)
        p->first = t;
    add(p, hour_of(t), level < ceiling ? level : ceiling);
}

void profile_begin(struct profile *p, nsec_t since, nsec_t now, uint32_t never_more)
{
    nsec_t t = since;

    memset(p, 0, sizeof *p);
    p->first = since;
    if (now - t > ALL_SAMPLES * QUARTER)
        t = now - ALL_SAMPLES * QUARTER;
    for (; t + QUARTER <= now; t += QUARTER)
        add(p, hour_of(t), log1p(never_more));
}

static int by_size(const void *a, const void *b)
{
    const uint16_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static unsigned take(const struct profile *p, unsigned hour, uint16_t *out)
{
    memcpy(out, p->sample[hour], p->count[hour] * sizeof *out);
    return p->count[hour];
}

/* The samples that say most about the hour of t. Its neighbours would not: a morning is steep. */
static unsigned gather(const struct profile *p, nsec_t t, bool *own, uint16_t *out)
{
    unsigned n = take(p, hour_of(t), out);

    *own = n >= ENOUGH;
    if (*own)
        return n;
    n = 0;
    for (unsigned hour = 0; hour < PROFILE_HOURS; hour++)
        n += take(p, hour, out + n);
    return n;
}

static uint16_t median_of(uint16_t *values, unsigned n)
{
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

struct profile_level profile_at(const struct profile *p, nsec_t t)
{
    uint16_t values[ALL_SAMPLES];
    bool own;
    unsigned n = gather(p, t, &own, values);
    uint16_t median;

    if (n == 0)
        return (struct profile_level){0, 0, 0, false};
    median = median_of(values, n);
    for (unsigned i = 0; i < n; i++)
        values[i] = (uint16_t)abs((int)values[i] - median);
    return (struct profile_level){median / UNIT, 1.4826 * median_of(values, n) / UNIT, n, own};
}
