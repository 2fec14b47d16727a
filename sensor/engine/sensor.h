/* `sealdns run`: three processes from one binary.
 *
 *   monitor   keeps the privileges: opened the captures, owns the ruleset, answers typed requests
 *   parser    reads every foreign byte: capture threads and the engine thread, capture to decide
 *   recorder  store, outputs and the control socket
 *
 * What they share was mapped before the fork: the ring of records and the board. */
#ifndef SEALDNS_ENGINE_SENSOR_H
#define SEALDNS_ENGINE_SENSOR_H

#include "base/ring.h"
#include "base/trail.h"
#include "capture/capture.h"
#include "conf/files.h"
#include "model/bounds.h"
#include "model/latencies.h"
#include "model/policy.h"
#include "model/stats.h"
#include "priv/channel.h"

enum { MOST_INTERFACES = 32, MOST_LANES = 64, MOST_GATEWAY = 256, MOST_ZONE_STATES = 256 };

struct sensor_options {
    const char *config, *default_config; /* config NULL: the default if it exists */
    const char *interfaces[MOST_INTERFACES];
    size_t interface_count; /* 0: as the policy says, else the default route's */
    int mode;               /* -1: as the policy says */
    int profile;            /* -1: as the policy says */
    bool force;             /* enforce without preflight */
};

/* 0, or 1 (failed while running), or 2 (wrong configuration), after messages to standard error. */
int sensor_run(const struct sensor_options *options);

/* --- what the three processes share; only engine/ uses it --- */

/* How much of a policy is enforced (outage.h): 4 KiB. */
struct admission {
    bool refused; /* what says enforce only counts */
    uint32_t zone_count;
    struct zone_state {
        uint64_t id;    /* hash of the zone's */
        uint8_t silent; /* times in a row that none of its resolvers answered */
        bool out, held; /* so often that it counts; its rules only count */
    } zones[MOST_ZONE_STATES];
};

/* The machine's own. */
struct own_addresses {
    uint32_t count;
    struct addr list[MOST_GATEWAY];
};

/* Counters, each word with one writer. A lane is what one capture thread reads. */
struct board {
    struct stats front[MOST_LANES];
    struct capture_counters captured[MOST_LANES];
    uint32_t up[MOST_LANES];
    uint64_t shedding[MOST_LANES];   /* enum glance: frames up to it are left out, 0: none */
    uint32_t index[MOST_INTERFACES]; /* the kernel's numbers of them */
    uint32_t cut_group;              /* NFLOG group that is read, 0: none */
    struct stats back, monitor;
    uint64_t store_rows, store_failed, outputs_written, outputs_lost;
    uint64_t clips_written, clips_failed, clips_refused;
    struct latencies latencies; /* the engine thread's */
    nsec_t started;
    /* Written by the monitor before TELL_POLICY, for the children. */
    struct own_addresses own;
    struct admission admission;
};

struct wiring {
    const struct sensor_options *options;
    bool cannot_log; /* the kernel; known before the children start */
    struct policy_files *files;
    struct policy *policy;
    enum footprint profile; /* in which it was started, and what that means */
    struct bounds bounds;
    size_t interface_count;
    char interfaces[MOST_INTERFACES][16];
    size_t ring;    /* octets of the kernel's ring of a lane */
    size_t threads; /* that share an interface; lane i is of interface i / threads */
    size_t lane_count;
    struct capture *captures[MOST_LANES];
    struct ring *observations[MOST_LANES];
    struct ring *records;
    struct trail *trails[MOST_LANES]; /* NULL where frames are not kept */
    struct board *board;
    /* The monitor's own, as children may write to the board; in a child, the board's copies. */
    const struct own_addresses *own;
    const struct admission *admission;
    struct channel parser, recorder; /* the monitor's ends; in a child, that child's own end */
};

const char *wiring_interface_of(const struct wiring *w, size_t lane);

/* Compiles files with the machine's own addresses, the command line's mode and interfaces, and
 * as it is admitted. SD_EUNSUP: the command line's mode is none for that place. */
int wiring_policy(const struct wiring *w, const struct policy_files *files, FILE *to,
                  struct policy **out);
/* The same, of texts whose complaints have been told or are of no matter. */
int wiring_quietly(const struct wiring *w, const struct policy_files *files, struct policy **out);
/* Marks the zones that are held. */
void wiring_hold(const struct admission *a, struct policy *p);
/* What is to be enforced only counts, all of it. */
void wiring_refuse(struct policy *p);
/* The interfaces that are watched, in place of those the policy names. SD_EMEM. */
int wiring_interfaces(const struct wiring *w, struct policy *p);
/* A policy that came with TELL_POLICY; closes the descriptor. */
int wiring_receive_policy(const struct wiring *w, int descriptor, struct policy **out);

/* The children: never return to their caller's stack but by exit status. */
int parser_main(struct wiring *w);
int recorder_main(struct wiring *w);

/* A finding of the sensor about itself; time is now. */
void own_finding(struct finding *f, enum kind kind, const char *rule, const char *what);

#endif
