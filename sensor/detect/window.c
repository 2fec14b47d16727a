#include "detect/window.h"

#include <math.h>
#include <string.h>

#define SHARE 5.0 /* so that a quarter more of a share weighs as much as three times a count */

static const char *const names[SERIES_COUNT] = {"queries",  "encrypted",  "bytes",   "nxdomain",
                                                "servfail", "rare-types", "domains", "clear-share"};

const char *series_name(enum series s)
{
    return names[s];
}

double series_level(enum series s, double value)
{
    return s == SERIES_CLEAR ? value * SHARE : log1p(value);
}

double series_value(enum series s, double level)
{
    return s == SERIES_CLEAR ? level / SHARE : expm1(level);
}

void step_add(struct step *to, const struct step *more)
{
    for (unsigned i = 0; i < SERIES_COUNTED; i++)
        step_count(to, (enum series)i, more->count[i]);
    distinct_merge(&to->domains, &more->domains);
}

void window_push(struct window *w, int64_t at, const struct step *s)
{
    w->past[at % WINDOW_STEPS] = *s;
}

void window_read(const struct window *w, int64_t at, struct reading *out)
{
    struct distinct domains = {{0}};

    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < WINDOW_STEPS; i++) {
        const struct step *s = &w->past[(at + WINDOW_STEPS - i) % WINDOW_STEPS];

        for (unsigned k = 0; k < SERIES_COUNTED; k++)
            out->value[k] += s->count[k];
        if (i == WINDOW_STEPS / 2 - 1)
            out->half = out->value[SERIES_ALL];
        if (s->count[SERIES_ALL] > 0)
            distinct_merge(&domains, &s->domains);
    }
    out->value[SERIES_DOMAINS] = distinct_count(&domains);
    if (out->value[SERIES_ALL] > 0)
        out->value[SERIES_CLEAR] = 1 - out->value[SERIES_SEALED] / out->value[SERIES_ALL];
    out->last = w->past[at % WINDOW_STEPS];
}
