#include "engine/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

/* An event of outputs alone: in the store it would be a row after the checkpoint. */
static void tell_outputs(struct feeds *f, const struct policy *policy, const char *text)
{
    struct record r = {.kind = RECORD_EVENT};
    struct event *e = &r.event;
    char *line;

    own_finding(&e->finding, KIND_SENSOR, kind_name(KIND_SENSOR), "checkpoint");
    evidence_string(&e->finding.evidence, "checkpoint", text);
    r.time = e->first = e->last = e->written = e->finding.time;
    snprintf(e->id, sizeof e->id, "%016" PRIx64, e->finding.key);
    e->revision = 1;
    e->state = STATE_FINAL;
    e->count = 1;
    line = eve_render(&r, policy);
    if (line)
        feeds_event(f, &r, line);
    free(line);
}

void witness_tell(struct witness *w, const struct store *s, struct feeds *f,
                  const struct policy *policy, bool last)
{
    struct store_checkpoint p;
    char text[STORE_CHECKPOINT];

    if (!last && !time_passed(w->told, EVERY, clock_now()))
        return;
    w->told = clock_now();
    store_checkpoint(s, &p, text);
    if (!text[0] || p.row == w->row)
        return;
    w->row = p.row;
    log_notice("%s", text);
    tell_outputs(f, policy, text);
}
