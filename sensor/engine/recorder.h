/* Inside of the recorder process, shared by recorder.c and answers.c. */
#ifndef SEALDNS_ENGINE_RECORDER_H
#define SEALDNS_ENGINE_RECORDER_H

#include <jansson.h>

#include "engine/control.h"
#include "engine/hours.h"
#include "engine/peering.h"
#include "engine/privacy.h"
#include "engine/schedule.h"
#include "engine/sensor.h"
#include "engine/shares.h"
#include "engine/witness.h"
#include "model/record.h"

struct recorder {
    struct wiring *wiring;
    struct policy *policy;
    struct store *store;
    struct witness witness;
    struct feeds *feeds;
    struct site *site;
    struct clips *clips;
    struct privacy *privacy;
    struct record named; /* an event with the name of its capture */
    struct control *control;
    struct prober *prober; /* NULL: the policy wants no probes, or did not so far */
    struct schedule *schedule;
    struct peering *peering; /* NULL: there is no other gateway */
    struct rules_status rules;
    char rules_differ[256];
    uint64_t begun[KIND_COUNT][SEVERITY_COUNT]; /* events */
    struct shares shares;
    struct hours *hours; /* NULL: no output is told of conversations, or none was so far */
    uint64_t pending;    /* rows of the open batch */
    nsec_t committed, housekept, complained;
    nsec_t store_rests; /* until then it is not asked: 0, or a moment after it refused */
    bool leaving;
    bool orphan; /* the monitor is gone */
    bool marked; /* a RECORD_MARK came */
};

void recorder_message(struct recorder *r, const struct message *m, int descriptor);

/* What `status` says without asking the monitor. */
json_t *recorder_status(struct recorder *r);

/* What the control socket answers: a control_answer_fn. */
json_t *recorder_answer(void *context, const char *command, const json_t *request,
                        const struct control_peer *peer);

#endif
