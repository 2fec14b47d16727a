#include "engine/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/gateway.h"
#include "engine/sensor.h"

#define EVERY (3600 * NSEC_S)

int witness_open(struct witness *w, const char *store_path, char error[SIGNING_ERROR])
{
    char path[512];

    w->told = clock_now();
    signing_beside(store_path, path, sizeof path);
    return signing_open(path, true, &w->key, error);
}

void witness_close(struct witness *w)
{
    signing_close(w->key);
    w->key = NULL;
}

static struct finding *draft_event(struct record *r, const char *what)
{
    struct event *e = &r->event;

    memset(r, 0, sizeof *r);
    r->kind = RECORD_EVENT;
    own_finding(&e->finding, KIND_SENSOR, kind_name(KIND_SENSOR), what);
    r->time = e->first = e->last = e->written = e->finding.time;
    snprintf(e->id, sizeof e->id, "%016" PRIx64, e->finding.key);
    e->revision = 1;
    e->state = STATE_FINAL;
    e->count = 1;
    return &e->finding;
}

static bool look_for_strangers(struct witness *w, const struct store *s, struct record *out)
{
    struct store_trespass t = store_trespass(s);
    struct finding *f;
    char text[160];

    if (t.count == w->trespasses)
        return false;
    w->trespasses = t.count;
    snprintf(text, sizeof text,
             "rows %" PRId64 " to %" PRId64 " were added or taken away by somebody without the key",
             t.first, t.last);
    log_error("the store was changed: %s: see `sealdns verify`", text);
    f = draft_event(out, "store changed");
    f->severity = SEVERITY_HIGH;
    evidence_string(&f->evidence, "detail", text);
    return true;
}

bool witness_look(struct witness *w, const struct store *s, bool last, struct record *out)
{
    struct store_checkpoint p;
    char text[STORE_CHECKPOINT];

    if (look_for_strangers(w, s, out))
        return true;
    if (!last && !time_passed(w->told, EVERY, clock_now()))
        return false;
    w->told = clock_now();
    store_checkpoint(s, &p, text);
    if (!text[0] || p.row <= w->row)
        return false;
    w->row = p.row + 1; /* the event itself is nothing that would have to be told */
    log_notice("%s", text);
    evidence_string(&draft_event(out, "checkpoint")->evidence, "checkpoint", text);
    return true;
}

json_t *witness_status(const struct witness *w, const struct store *s)
{
    struct store_checkpoint p;
    char text[STORE_CHECKPOINT];

    store_checkpoint(s, &p, text);
    return json_pack("{s:b,s:I,s:I}", "signed", w->key != NULL, "row", (json_int_t)p.row,
                     "trespasses", (json_int_t)store_trespass(s).count);
}
