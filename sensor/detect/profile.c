#include "detect/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT      12.0
#define HALF      (1800 * NSEC_S)
#define HOUR      (3600 * NSEC_S)
#define DAY       (24 * HOUR)
#define OF_DAY    48  /* half hours */
#define OWN       3   /* samples of a mark that make it one's own: weeks */
#define SOME      2   /* of other days */
#define OTHERS    8   /* of a role */
#define RESIDUAL  8.0 /* buckets of 1/8 */
#define TRUSTED   32  /* forecasts that make the spread known */
#define UNSURE    0.35
#define SURE      0.15
#define MAD       1.4826
#define OF_MEDIAN (M_PI / 2) /* its variance, times the samples' over their number */

/* A fill is how many samples there are (high half) and where the next one goes. */
static void put(uint8_t *fill, uint8_t *sample, unsigned most, double level)
{
    unsigned count = *fill >> 4, next = *fill & 15U;
    double value = level * UNIT + 0.5;

    sample[next < most ? next : 0] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    next = (next + 1) % most;
    count = count < most ? count + 1 : most;
    *fill = (uint8_t)(count << 4 | next);
}

static unsigned filled(uint8_t fill, unsigned most)
{
    unsigned count = fill >> 4;

    return count > most ? most : count;
}

/* 1 January 1970 was a Thursday; days are counted from Monday. */
static unsigned weekday(nsec_t t)
{
    return (unsigned)((t / DAY + 3) % 7);
}

static unsigned mark_of(nsec_t t)
{
    return weekday(t) * OF_DAY + (unsigned)(t % DAY / HALF);
}

static unsigned hour_of(nsec_t t)
{
    return (weekday(t) >= 5 ? PROFILE_HOURS / 2 : 0) + (unsigned)(t % DAY / HOUR);
}

static nsec_t pace(enum series s)
{
    return s == SERIES_ALL ? HALF : HOUR;
}

bool profile_samples_at(enum series s, nsec_t t)
{
    return t % pace(s) == 0;
}

/* --- medians ---------------------------------------------------------------------------------- */

struct octets {
    unsigned count;
    uint8_t value[7 * PROFILE_WEEKS];
};

static void take(struct octets *o, const uint8_t *from, unsigned count)
{
    memcpy(o->value + o->count, from, count);
    o->count += count;
}

static double median_of(struct octets *o)
{
    for (unsigned i = 1; i < o->count; i++) {
        uint8_t v = o->value[i];
        unsigned k = i;

        for (; k > 0 && o->value[k - 1] > v; k--)
            o->value[k] = o->value[k - 1];
        o->value[k] = v;
    }
    return (o->value[(o->count - 1) / 2] + o->value[o->count / 2]) / 2.0;
}

/* Of samples that median_of() has put in order. */
static double spread_of(const struct octets *o, double median)
{
    struct octets off = {o->count, {0}};

    for (unsigned i = 0; i < o->count; i++)
        off.value[i] = (uint8_t)fabs(o->value[i] - median);
    return MAD * median_of(&off) / UNIT;
}

/* How far forecasts are off: the middle of the histogram, within its bucket. */
static double usual_residual(const uint16_t *histogram, unsigned *count)
{
    unsigned sum = 0, below = 0, i = 0;

    for (unsigned k = 0; k < PROFILE_RESIDUALS; k++)
        sum += histogram[k];
    *count = sum;
    if (!sum)
        return 0;
    while (i < PROFILE_RESIDUALS - 1 && (below + histogram[i]) * 2 < sum)
        below += histogram[i++];
    return histogram[i] ? (i + (sum / 2.0 - below) / histogram[i]) / RESIDUAL : i / RESIDUAL;
}

static void note_residual(uint16_t *histogram, double off)
{
    double bucket = fabs(off) * RESIDUAL;
    unsigned i = bucket < PROFILE_RESIDUALS - 1 ? (unsigned)bucket : PROFILE_RESIDUALS - 1;

    if (histogram[i] > 1000) /* what is old weighs less */
        for (unsigned k = 0; k < PROFILE_RESIDUALS; k++)
            histogram[k] /= 2;
    histogram[i]++;
}

/* --- one mark --------------------------------------------------------------------------------- */

/* The same half hour of other days of its kind: working days, or the weekend. */
static void take_kind(const struct profile *p, unsigned mark, struct octets *o)
{
    unsigned day = mark / OF_DAY, first = day < 5 ? 0 : 5, end = day < 5 ? 5 : 7;

    for (unsigned d = first; d < end; d++) {
        unsigned other = d * OF_DAY + mark % OF_DAY;

        if (d != day)
            take(o, p->all[other], filled(p->all_fill[other], PROFILE_WEEKS));
    }
}

/* Days of a kind are one, until this one shows that it is another: three weeks are few. The farther
 * apart the two medians are than chance has them, the more this day's own is believed (James and
 * Stein 1961, the positive part). */
static double shrink(double own, unsigned count, double kind, unsigned others, double spread)
{
    double pooled = (own * count + kind * others) / (count + others), off = own - kind;
    double chance = OF_MEDIAN * spread * spread * UNIT * UNIT * (1.0 / count + 1.0 / others);
    double apart = off * off / (4 * chance);

    return apart > 1 ? pooled + (1 - 1 / apart) * (own - pooled) : pooled;
}

static struct level all_at(const struct profile *p, nsec_t t, double spread)
{
    unsigned mark = mark_of(t), own;
    struct octets o = {0, {0}}, kind = {0, {0}};
    struct level l = {0};

    take(&o, p->all[mark], filled(p->all_fill[mark], PROFILE_WEEKS));
    own = o.count;
    take_kind(p, mark, own >= OWN ? &kind : &o);
    if (o.count < SOME)
        return l;
    l.samples = o.count + kind.count;
    l.source = own >= OWN ? LEVEL_WEEK : LEVEL_DAY;
    l.median = median_of(&o);
    l.spread = spread_of(&o, l.median);
    if (kind.count >= OWN)
        l.median =
            shrink(l.median, own, median_of(&kind), kind.count, spread > SURE ? spread : SURE);
    l.median /= UNIT;
    return l;
}

static struct level other_at(const uint8_t *fill, const uint8_t *sample, unsigned most, nsec_t t)
{
    unsigned hour = hour_of(t);
    struct octets o = {0, {0}};
    struct level l = {0};

    take(&o, sample + hour * most, filled(fill[hour], most));
    if (o.count < SOME)
        return l;
    l.samples = o.count;
    l.source = LEVEL_DAY;
    l.median = median_of(&o);
    l.spread = spread_of(&o, l.median);
    l.median /= UNIT;
    return l;
}

/* Between two marks as a count, not as its logarithm: while a day begins, the hour's count grows by
 * as much with each step. */
static struct level between(enum series s, const struct level *a, const struct level *b, double far)
{
    struct level l = *a;
    double value;

    if (b->source == LEVEL_NONE)
        return *b; /* where one is not known, what is between is not either */
    if (a->source == LEVEL_NONE)
        return l;
    value = (1 - far) * series_value(s, a->median) + far * series_value(s, b->median);
    if (s == SERIES_DOMAINS) /* a few busy minutes show as many as an hour */
        value = series_value(s, a->median > b->median ? a->median : b->median);
    l.median = series_level(s, value);
    l.spread = a->spread > b->spread ? a->spread : b->spread;
    l.samples = a->samples < b->samples ? a->samples : b->samples;
    l.source = a->source < b->source ? a->source : b->source;
    return l;
}

/* --- the baseline ----------------------------------------------------------------------------- */

struct level profile_at(const struct profile *p, enum series s, nsec_t t)
{
    nsec_t mark = t - t % pace(s);
    double far = (double)(t - mark) / (double)pace(s), spread;
    unsigned forecasts;
    struct level a, b, l;

    spread = MAD * usual_residual(p->residual[s], &forecasts);
    if (s == SERIES_ALL) {
        a = all_at(p, mark, spread);
        b = far > 0 ? all_at(p, mark + HALF, spread) : a;
    } else {
        const uint8_t *fill = p->fill[s - 1], *sample = p->sample[s - 1][0];

        a = other_at(fill, sample, PROFILE_DAYS, mark);
        b = far > 0 ? other_at(fill, sample, PROFILE_DAYS, mark + HOUR) : a;
    }
    l = between(s, &a, &b, far);
    if (forecasts >= TRUSTED)
        l.spread = spread;
    else if (l.spread < UNSURE)
        l.spread = UNSURE;
    return l;
}

/* Of a few queries an hour the logarithm is off by their number alone. What is off is shared out
 * between that and the spread as it is known: else nights would make the days' too wide. */
static double beside_chance(enum series s, const struct level *l)
{
    double own = l->spread * l->spread;

    if (s == SERIES_CLEAR)
        return 1;
    return sqrt(own / (own + 1 / fmax(series_value(s, l->median), 1)));
}

void profile_learn(struct profile *p, enum series s, nsec_t t, double level)
{
    struct level forecast = profile_at(p, s, t);

    if (!p->first)
        p->first = t;
    if (forecast.source != LEVEL_NONE)
        note_residual(p->residual[s], (level - forecast.median) * beside_chance(s, &forecast));
    if (s == SERIES_ALL)
        put(&p->all_fill[mark_of(t)], p->all[mark_of(t)], PROFILE_WEEKS, level);
    else
        put(&p->fill[s - 1][hour_of(t)], p->sample[s - 1][hour_of(t)], PROFILE_DAYS, level);
}

void profile_begin(struct profile *p, nsec_t since, nsec_t now, double never_more)
{
    nsec_t week = 7 * DAY, t = now - since > week ? now - week : since;

    memset(p, 0, sizeof *p);
    p->first = since;
    for (t += HALF - t % HALF; t < now; t += HALF)
        put(&p->all_fill[mark_of(t)], p->all[mark_of(t)], PROFILE_WEEKS, log1p(never_more));
}

/* The octet in whose place half of all lie. */
static unsigned middle(const uint16_t *count, unsigned sum)
{
    unsigned below = 0, i = 0;

    while (i < 255 && (below + count[i]) * 2 < sum)
        below += count[i++];
    return i;
}

struct level profile_recent(const struct profile *p)
{
    uint16_t count[256] = {0}, off[256] = {0};
    struct level l = {.source = LEVEL_RECENT};
    unsigned median;

    for (unsigned m = 0; m < PROFILE_MARKS; m++)
        for (unsigned i = 0; i < filled(p->all_fill[m], PROFILE_WEEKS); i++, l.samples++)
            count[p->all[m][i]]++;
    if (!l.samples)
        return (struct level){0};
    median = middle(count, l.samples);
    for (unsigned i = 0; i < 256; i++)
        off[i < median ? median - i : i - median] += count[i];
    l.median = median / UNIT;
    l.spread = MAD * middle(off, l.samples) / UNIT;
    return l;
}

double profile_least(const struct profile *p)
{
    uint8_t least = 255;

    for (unsigned m = 0; m < PROFILE_MARKS; m++) {
        if (p->all_fill[m] == 0)
            return 0;
        for (unsigned i = 0; i < filled(p->all_fill[m], PROFILE_WEEKS); i++)
            least = p->all[m][i] < least ? p->all[m][i] : least;
    }
    return expm1(least / UNIT);
}

/* --- others of the role ----------------------------------------------------------------------- */

void prior_learn(struct prior *p, enum series s, nsec_t t, double level, uint32_t chance)
{
    unsigned hour = hour_of(t);
    uint8_t *fill = &p->fill[s][hour];

    if (*fill >> 4 == PRIOR_SAMPLES) /* full: any of them gives way */
        *fill = (uint8_t)(0xf0 | chance % PRIOR_SAMPLES);
    put(fill, p->sample[s][hour], PRIOR_SAMPLES, level);
}

struct level prior_at(const struct prior *p, enum series s, nsec_t t)
{
    nsec_t mark = t - t % HOUR;
    struct level a = other_at(p->fill[s], p->sample[s][0], PRIOR_SAMPLES, mark);
    struct level b = other_at(p->fill[s], p->sample[s][0], PRIOR_SAMPLES, mark + HOUR);
    struct level l = between(s, &a, &b, (double)(t - mark) / (double)HOUR);

    if (l.samples < OTHERS)
        return (struct level){0};
    l.source = LEVEL_ROLE;
    return l;
}
