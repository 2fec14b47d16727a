/* How a step is judged: z of the sliding hour at once (page) or twice in a row (run); the CUSUM of
 * the single steps' log-likelihood for what rises less or more slowly (Page 1954), with the counts
 * as gamma-Poisson of the spread that the baseline shows; and sudden silence. */
#include <math.h>
#include <string.h>

#include "detect/volume.h"

#define CALM    3.0 /* z below which an alarm is over */
#define USUAL   1.0 /* and below which the hour is one like others, whatever came before it */
#define SUDDEN  18  /* steps within which half of the usual becomes silence */
#define AHEAD   (1800 * NSEC_S)
#define NOTABLE 2.0 /* times what the rise of all queries explains */
#define PADDED  32  /* units of bytes that a query and its answer have encrypted, at most */

struct judged {
    struct level level[SERIES_COUNT];
    struct reading reading;
    double z[SERIES_COUNT], expected[SERIES_COUNT];
    uint8_t stage[SERIES_COUNT];
};

static bool is_own(const struct level *l)
{
    return l->source >= LEVEL_DAY;
}

static struct level baseline(const struct volume *v, const struct subject *s,
                             const struct prior *prior, enum series series, nsec_t now)
{
    struct level l = profile_at(&s->profile, series, now);

    if (l.source == LEVEL_NONE && prior) {
        l = prior_at(prior, series, now);
        l.spread = fmax(l.spread, v->t.role_spread);
    }
    if (l.source == LEVEL_NONE && prior && series == SERIES_ALL &&
        now - s->profile.first >= v->t.learn)
        l = profile_recent(&s->profile);
    if (l.spread < v->t.spread_floor)
        l.spread = v->t.spread_floor;
    return l;
}

/* --- stages ----------------------------------------------------------------------------------- */

/* Of a step that had y times what was expected: how much likelier a rise by this ratio is. */
static double likelier(double y, double ratio, double shape)
{
    return shape * (y * (1 - 1 / ratio) - log(ratio));
}

static float accumulate(float sum, double more, double limit)
{
    double next = sum + (more < 0.6 * limit ? more : 0.6 * limit); /* one step alone is no proof */

    return (float)(next < 0 ? 0 : next > 1.5 * limit ? 1.5 * limit : next);
}

/* The hour that ends now, or the one around now: while a day begins the second is what the steps
 * are like already. */
static double expected_step(const struct volume *v, const struct subject *s, enum series series,
                            const struct judged *j, nsec_t now)
{
    struct level ahead = profile_at(&s->profile, series, now + AHEAD - WINDOW_STEP / 2);
    double least = v->t.floor[series] / 4, expected = j->expected[series];
    double later = ahead.source ? series_value(series, ahead.median) : 0;

    expected = later > expected ? later : expected;
    return (expected > least ? expected : least) / WINDOW_STEPS;
}

/* Bytes and what is encrypted change for good with every client that moves to DoT. */
static bool has_cusum(enum series s)
{
    return s < SERIES_COUNTED && s != SERIES_SEALED && s != SERIES_BYTES;
}

static bool cusum(struct volume *v, struct subject *s, enum series series, const struct judged *j,
                  nsec_t now)
{
    struct suspicion *c = &s->suspicion[series];
    double expected, y, shape, spread = j->level[series].spread;

    if (!has_cusum(series) || !is_own(&j->level[series]) ||
        now - s->profile.first < v->t.learn_full) {
        c->fast = c->slow = 0;
        return false;
    }
    if (c->fast == 0 && c->slow == 0 && j->reading.value[series] < v->t.floor[series] / 4)
        return false;
    expected = expected_step(v, s, series, j, now);
    y = j->reading.last.count[series] / expected;
    shape = 1 / (WINDOW_STEPS * spread * spread + 1 / expected);
    c->fast = accumulate(c->fast, likelier(y, v->t.fast_ratio, shape), v->t.cusum_fast);
    c->slow = accumulate(c->slow, likelier(y, v->t.slow_ratio, shape), v->t.cusum_slow);
    return c->fast > v->t.cusum_fast || c->slow > v->t.cusum_slow;
}

/* Signed root of the deviance of so many times what was expected, under gamma-Poisson noise: about
 * normal, which the logarithm of a count is not. The spread is the hour's; noise that lasts makes
 * half an hour's less than the twice that is taken here, so that this z is then too small. */
static double half_hour(const struct volume *v, const struct subject *s, const struct judged *j,
                        nsec_t now)
{
    double spread = j->level[SERIES_ALL].spread, least = v->t.floor[SERIES_ALL] / 4;
    double expected = fmax(j->expected[SERIES_ALL], least) / 2, x, shape;
    struct level ahead;

    if (j->reading.half <= expected)
        return 0;
    ahead = profile_at(&s->profile, SERIES_ALL, now + AHEAD);
    if (ahead.source != LEVEL_NONE)
        expected = fmax(expected, series_value(SERIES_ALL, ahead.median) / 2);
    x = j->reading.half / expected;
    shape = 1 / (2 * spread * spread + 1 / expected);
    return x > 1 ? sqrt(2 * shape * (x - 1 - log(x))) : 0;
}

static bool bursts(const struct volume *v, const struct subject *s, enum series series,
                   const struct judged *j, nsec_t now)
{
    return series == SERIES_ALL && is_own(&j->level[series]) &&
           now - s->profile.first >= v->t.learn_full && half_hour(v, s, j, now) > v->t.z_half;
}

static double floor_of(const struct volume *v, enum series series, const struct level *l)
{
    double floor = v->t.floor[series];

    return is_own(l) ? floor : floor * v->t.cold_floor / v->t.floor[SERIES_ALL];
}

static double limit_of(const struct volume *v, const struct subject *s, const struct level *l,
                       nsec_t now)
{
    bool known = is_own(l) && now - s->profile.first >= v->t.learn_full;

    return known ? v->t.z_alarm : v->t.z_young;
}

/* A share has the floor of the queries it is a share of. */
static double amount(const struct judged *j, enum series series)
{
    return j->reading.value[series == SERIES_CLEAR ? SERIES_ALL : series];
}

static void judge_series(struct volume *v, struct subject *s, enum series series, struct judged *j,
                         nsec_t now)
{
    const struct level *l = &j->level[series];
    struct suspicion *c = &s->suspicion[series];
    bool enough, risen;

    if (l->source == LEVEL_NONE || (series == SERIES_CLEAR && !is_own(l))) {
        memset(c, 0, sizeof *c);
        return;
    }
    j->expected[series] = series_value(series, l->median);
    j->z[series] = (series_level(series, j->reading.value[series]) - l->median) / l->spread;
    risen = cusum(v, s, series, j, now);
    enough = amount(j, series) >= floor_of(v, series, l);
    c->run =
        enough && j->z[series] > limit_of(v, s, l, now) ? (uint8_t)(c->run + (c->run < 255)) : 0;
    if (enough && j->z[series] > v->t.z_page)
        j->stage[series] = STAGE_PAGE;
    else if (c->run >= v->t.consecutive)
        j->stage[series] = STAGE_RUN;
    else if (enough && bursts(v, s, series, j, now))
        j->stage[series] = STAGE_BURST;
    else if (enough && risen && j->z[series] > USUAL)
        j->stage[series] = STAGE_CUSUM;
}

/* --- families --------------------------------------------------------------------------------- */

static double times(const struct judged *j, enum series series)
{
    return (j->reading.value[series] + 1) / (j->expected[series] + 1);
}

/* What follows from something else that is told, or is none. */
static bool explained(const struct judged *j, enum series series)
{
    double clear = j->reading.value[SERIES_ALL] - j->reading.value[SERIES_SEALED];
    double usual = j->expected[SERIES_ALL] - j->expected[SERIES_SEALED];
    bool more = j->z[SERIES_ALL] > CALM;

    switch (series) {
    case SERIES_SEALED: /* it moved from clear text */
        return !more || clear < usual / 2;
    case SERIES_BYTES: /* and there everything is longer */
        return j->z[SERIES_SEALED] > CALM &&
               j->reading.value[SERIES_BYTES] < PADDED * j->reading.value[SERIES_ALL];
    case SERIES_NXDOMAIN:
    case SERIES_SERVFAIL:
    case SERIES_RARE:
    case SERIES_DOMAINS:
        return j->level[SERIES_ALL].source != LEVEL_NONE &&
               times(j, series) < NOTABLE * fmax(1, times(j, SERIES_ALL));
    default:
        return false;
    }
}

static enum family family_of(enum series series)
{
    switch (series) {
    case SERIES_NXDOMAIN:
        return FAMILY_NXDOMAIN;
    case SERIES_SERVFAIL:
        return FAMILY_SERVFAIL;
    case SERIES_RARE:
        return FAMILY_TYPES;
    case SERIES_CLEAR:
        return FAMILY_CLEAR;
    default:
        return FAMILY_VOLUME;
    }
}

static void raise_alarm(struct subject *s, enum series series, const struct judged *j, nsec_t now)
{
    struct alarm *a = &s->alarm[family_of(series)];
    nsec_t age = now - s->profile.first;

    if (a->now) /* by a series that says more */
        return;
    a->now = true;
    a->fall = false;
    if (!a->since)
        a->since = now - (nsec_t)s->suspicion[series].run * WINDOW_STEP;
    a->series = (uint8_t)series;
    a->stage = j->stage[series];
    a->source = j->level[series].source;
    a->age_h = (uint16_t)(age / (3600 * NSEC_S) < UINT16_MAX ? age / (3600 * NSEC_S) : UINT16_MAX);
    a->value = (float)j->reading.value[series];
    a->expected = (float)j->expected[series];
    a->z = (float)j->z[series];
}

static bool is_over(const struct volume *v, struct subject *s, const struct alarm *a,
                    const struct judged *j)
{
    struct suspicion *c = &s->suspicion[a->series];

    if (j->z[a->series] < USUAL)
        c->fast = c->slow = 0;
    return j->z[a->series] < CALM && c->fast < v->t.cusum_fast / 2 && c->slow < v->t.cusum_slow / 2;
}

/* True while something is odd: nothing is learned from it. */
static bool settle(struct volume *v, struct subject *s, const struct judged *j, nsec_t now)
{
    bool odd = s->silent != 0;

    for (unsigned f = 0; f < FAMILIES; f++) {
        struct alarm *a = &s->alarm[f];

        if (a->fall || !a->since)
            continue;
        if (!a->now && is_over(v, s, a, j)) {
            a->since = 0;
            continue;
        }
        odd = true;
        if (now - a->since <= v->t.learn)
            continue;
        profile_begin(&s->profile, now, now, 0); /* that is how it is now */
        memset(s->suspicion, 0, sizeof s->suspicion);
        memset(s->alarm, 0, sizeof s->alarm);
        s->dirty = UINT8_MAX;
        return true;
    }
    for (unsigned i = 0; i < SERIES_COUNT; i++)
        odd = odd || s->suspicion[i].run > 0;
    return odd;
}

/* --- silence ---------------------------------------------------------------------------------- */

/* Who is busy at this hour, was so an hour ago, and now asks nothing. A night, a holiday or a
 * switched-off laptop is none: a holiday does not begin in the middle of the morning, and of a
 * client that was ever quiet before it says nothing. */
static bool is_silent(const struct volume *v, const struct subject *s, const struct judged *j)
{
    double expected = j->expected[SERIES_ALL];
    bool busy = is_own(&j->level[SERIES_ALL]) && expected >= v->t.silence_floor;

    if (!busy || j->reading.half > expected / 2 * v->t.silence_share)
        return false;
    if (!s->silent && v->step - s->healthy > SUDDEN)
        return false;
    return s->kind != SUBJECT_CLIENT ||
           profile_least(&s->profile) >= v->t.silence_floor / WINDOW_STEPS;
}

static void judge_silence(struct volume *v, struct subject *s, const struct judged *j, nsec_t now)
{
    struct alarm *a = &s->alarm[FAMILY_VOLUME];
    double expected = j->expected[SERIES_ALL];

    if (is_own(&j->level[SERIES_ALL]) && expected > 0 &&
        j->reading.value[SERIES_ALL] >= expected / 2)
        s->healthy = v->step;
    if (now - s->profile.first < v->t.learn_full || a->now || !is_silent(v, s, j) ||
        (s->silent && now - s->silent > v->t.learn)) {
        if (s->silent)
            memset(a, 0, sizeof *a);
        s->silent = 0;
        return;
    }
    if (!s->silent)
        s->silent = now - WINDOW_STEP * WINDOW_STEPS / 2;
    s->suspicion[SERIES_ALL].run = 0;
    raise_alarm(s, SERIES_ALL, j, now);
    a->since = s->silent;
    a->fall = true;
    a->stage = STAGE_SILENCE;
}

/* --- learning --------------------------------------------------------------------------------- */

static bool is_whole(const struct volume *v, const struct subject *s)
{
    uint32_t since = s->since > v->begun ? s->since : v->begun;

    return v->step - since >= WINDOW_STEPS;
}

static uint32_t chance(struct volume *v)
{
    v->random = v->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(v->random >> 33);
}

static uint8_t piece_of(enum series series, nsec_t now)
{
    if (series == SERIES_ALL) /* in two parts: until Thursday noon, and from there */
        return 1U << ((now / (86400 * NSEC_S) + 3) % 7 * 2 + now / (43200 * NSEC_S) % 2 >= 7);
    return (uint8_t)(1U << (2 + (series - 1) / 2));
}

/* To what is encrypted, and longer: the ceiling would keep the old level for weeks. */
static bool may_move(unsigned series)
{
    return series == SERIES_SEALED || series == SERIES_BYTES;
}

static void learn(struct volume *v, struct subject *s, struct prior *prior, const struct judged *j,
                  nsec_t now)
{
    for (unsigned i = 0; i < SERIES_COUNT; i++) {
        double level = series_level((enum series)i, j->reading.value[i]), ceiling;

        if (!profile_samples_at((enum series)i, now))
            continue;
        if (i == SERIES_CLEAR && j->reading.value[SERIES_ALL] < 1)
            continue; /* a share of nothing */
        ceiling = j->level[i].median + v->t.winsor * j->level[i].spread;
        if (is_own(&j->level[i]) && level > ceiling && !may_move(i))
            level = ceiling;
        profile_learn(&s->profile, (enum series)i, now, level);
        s->dirty |= piece_of((enum series)i, now);
        if (prior && now % (3600 * NSEC_S) == 0)
            prior_learn(prior, (enum series)i, now, level, chance(v));
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void note_rises(const struct judged *j, struct rises *out)
{
    out->queries = j->reading.value[SERIES_ALL];
    for (unsigned i = 0; i < SERIES_COUNT; i++)
        out->of[i] = fmax(0, j->reading.value[i] - j->expected[i]);
    out->of[SERIES_CLEAR] *= out->queries;
}

/* Far below the floor nothing can be found; most series of most clients are there all day. Their
 * baseline is looked up only to learn. */
static bool is_idle(const struct volume *v, const struct subject *s, enum series series,
                    const struct judged *j, nsec_t now)
{
    const struct suspicion *c = &s->suspicion[series];

    return series != SERIES_ALL && amount(j, series) < v->t.floor[series] / 4 && c->fast == 0 &&
           c->slow == 0 && !profile_samples_at(series, now);
}

void volume_judge(struct volume *v, struct subject *s, struct prior *prior, nsec_t now,
                  struct rises *out)
{
    struct judged j;

    memset(&j, 0, sizeof j);
    window_read(&s->window, v->step - 1, &j.reading);
    for (unsigned f = 0; f < FAMILIES; f++)
        s->alarm[f].now = false;
    for (unsigned i = 0; i < SERIES_COUNT; i++) {
        if (is_idle(v, s, (enum series)i, &j, now)) {
            j.expected[i] = j.reading.value[i];
            s->suspicion[i].run = 0;
            continue;
        }
        j.level[i] = baseline(v, s, prior, (enum series)i, now);
        judge_series(v, s, (enum series)i, &j, now);
    }
    for (unsigned i = 0; i < SERIES_COUNT; i++) {
        if (explained(&j, (enum series)i))
            s->suspicion[i].run = 0; /* else nothing would be learned any more */
        else if (j.stage[i] != STAGE_NONE)
            raise_alarm(s, (enum series)i, &j, now);
    }
    if (is_whole(v, s))
        judge_silence(v, s, &j, now);
    note_rises(&j, out);
    if (!settle(v, s, &j, now) && is_whole(v, s))
        learn(v, s, prior, &j, now);
}

bool volume_judge_cold(struct volume *v, struct place *p, nsec_t now)
{
    const struct prior *prior = volume_prior(v, p->zone, volume_role(p->roles));
    struct level l = prior_at(prior, SERIES_ALL, now);
    double z;

    l.spread = fmax(l.spread, v->t.role_spread);
    z = (log1p(p->hour) - l.median) / l.spread;
    p->cold = STAGE_NONE;
    if (l.source == LEVEL_NONE || p->hour < v->t.cold_floor || z <= v->t.z_young) {
        p->run = 0;
        p->cold_since = z < CALM ? 0 : p->cold_since;
        return false;
    }
    p->run = (uint8_t)(p->run + (p->run < 255));
    if (p->run < v->t.consecutive && z <= v->t.z_page)
        return false;
    if (!p->cold_since)
        p->cold_since = now - (nsec_t)p->run * WINDOW_STEP;
    p->cold = z > v->t.z_page ? STAGE_PAGE : STAGE_RUN;
    p->cold_z = (float)z;
    p->cold_expected = (float)expm1(l.median);
    return true;
}
