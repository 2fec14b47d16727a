#include "engine/overload.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"

#define AGAIN (10 * NSEC_S) /* how often the event grows meanwhile */

static uint64_t word(const uint64_t *of)
{
    return __atomic_load_n(of, __ATOMIC_RELAXED);
}

/* The sums over all lanes; returns what is left out now. */
static uint64_t look(const struct wiring *w, struct overload *sum)
{
    const struct board *b = w->board;
    uint64_t level = 0;

    for (size_t i = 0; i < w->lane_count; i++) {
        uint64_t one = word(&b->shedding[i]);

        level = one > level ? one : level;
        sum->port_443 += word(&b->front[i].shed_443);
        sum->port_853 += word(&b->front[i].shed_853);
        sum->kernel_drops += word(&b->captured[i].kernel_drops);
    }
    return level;
}

/* The end is an event of its own: revisions of one wait for each other. */
static void describe(const struct overload *o, const struct overload *sum, nsec_t until,
                     struct finding *f)
{
    const char *what = until ? "overload over" : "overload";
    char text[TIME_TEXT];

    own_finding(f, KIND_SENSOR, "sensor", what);
    f->severity = SEVERITY_MEDIUM;
    f->key = hash_mix(hash_bytes(what, strlen(what), 0), (uint64_t)o->from);
    evidence_string(&f->evidence, "from", time_text(o->from, text));
    if (until)
        evidence_string(&f->evidence, "until", time_text(until, text));
    evidence_integer(&f->evidence, "shed_443", (int64_t)(sum->port_443 - o->port_443));
    evidence_integer(&f->evidence, "shed_853", (int64_t)(sum->port_853 - o->port_853));
    evidence_integer(&f->evidence, "kernel_drops", (int64_t)(sum->kernel_drops - o->kernel_drops));
}

bool overload_look(struct overload *o, const struct wiring *w, nsec_t now, struct finding *f)
{
    struct overload sum = {.told = now};
    bool sheds = look(w, &sum) > 0, was = o->from != 0, tells;

    if (sheds && !was) {
        o->from = now;
        log_warning("cannot keep up: payload on port 443 is left out, then on 853; DNS is kept");
    }
    if (was && !sheds)
        log_notice("keeps up again: nothing is left out");
    tells = sheds != was || (sheds && time_passed(o->told, AGAIN, now));
    if (tells) {
        describe(o, &sum, sheds ? 0 : now, f);
        o->told = now;
    }
    if (!sheds)
        *o = sum;
    return tells;
}
