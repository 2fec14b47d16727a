/* The detectors: one file each, one word in the list of sensor/CMakeLists.txt, one struct detector.
 */
#ifndef SEALDNS_DETECT_DETECT_H
#define SEALDNS_DETECT_DETECT_H

#include "detect/own_cuts.h"
#include "detect/reading.h"
#include "detect/slots.h"
#include "model/bounds.h"
#include "model/finding.h"
#include "model/memory.h"
#include "model/observation.h"
#include "model/pair.h"
#include "model/policy.h"
#include "model/stats.h"

struct detector_setup {
    const struct policy *policy;
    const struct bounds *bounds; /* NULL: the usual ones */
    struct finding_sink sink;
    struct pair_sink pairs; /* clients to be cut off a server that others share */
    struct stats *stats;    /* findings, state_evicted */
    uint64_t seed;
    const struct own_cuts *cuts; /* what the kernel said; NULL: nothing */
    struct reader reader;        /* the detector's own */
    /* For what it has of each client and most messages touch; fetched ahead of every observe().
     * NULL: everybody for himself. */
    struct slots_record *record;
};

/* One detector. State is created with create() and given back to every call; it must be bounded. */
struct detector {
    const char *name; /* id of rules/detections/<name>.yaml */
    uint16_t reads;   /* bits of enum detector_reads: what observe() and prefetch() get; 0: all */
    void *(*create)(const struct detector_setup *setup); /* NULL: no memory */
    void (*destroy)(void *state);
    /* A new policy: thresholds and lists; what was learned stays. */
    void (*use_policy)(void *state, const struct policy *policy);
    void (*observe)(void *state, const struct observation *o);
    /* An OBSERVE_PROBE, which observe() never sees; may be NULL. */
    void (*probed)(void *state, const struct observation *o);
    /* An OBSERVE_LEASE, likewise. */
    void (*leased)(void *state, const struct observation *o);
    /* An OBSERVE_STRAY, likewise. */
    void (*strayed)(void *state, const struct observation *o);
    /* An OBSERVE_VPN, likewise. */
    void (*vpn_began)(void *state, const struct observation *o);
    /* An OBSERVE_CUT, likewise. */
    void (*cut)(void *state, const struct observation *o);
    /* An OBSERVE_MET, likewise. */
    void (*met)(void *state, const struct observation *o);
    void (*tick)(void *state, nsec_t now);  /* about ten times a second; may be NULL */
    void (*flush)(void *state, nsec_t now); /* what was held back is said now; may be NULL */
    size_t (*bytes)(const void *state);     /* worst case of its tables */
    /* Of a batch, before any observe(): what that will look up, then what it will find there
     * (base/table.h). May be NULL. */
    void (*prefetch)(const void *state, const struct observation *o);
    void (*prefetch_entry)(const void *state, const struct observation *o);
    /* What it learned since the last call goes to the sink, a bounded number of pieces; about once
     * a minute and at the end. What the sink does not take is said again. May be NULL. */
    void (*remember)(void *state, struct memory_sink sink, nsec_t now);
    /* A piece of its topics, at the start, before any observation; anybody may have written it. */
    void (*recall)(void *state, const struct memory *m);
};

/* Generated from the list: NULL-terminated. */
extern const struct detector *const detectors[];

struct detection; /* all detectors together */

/* NULL: no memory. */
struct detection *detection_create(const struct detector_setup *setup);
void detection_destroy(struct detection *d);
/* now: of the last observation. Flushes under the policy it had, which must still be there; so the
 * ledger of decide/ gets the new policy after this. */
void detection_use_policy(struct detection *d, const struct policy *policy, nsec_t now);
/* In order of time; more at once wait for memory less. */
void detection_observe(struct detection *d, const struct observation *o, size_t count);
void detection_tick(struct detection *d, nsec_t now);
void detection_remember(struct detection *d, struct memory_sink sink, nsec_t now);
/* Offered to every detector: each knows its own topics. */
void detection_recall(struct detection *d, const struct memory *m);
/* The end of the capture: counts that were held back become findings. */
void detection_flush(struct detection *d, nsec_t now);
/* Worst case of all tables. */
size_t detection_bytes(const struct detection *d);

#endif
