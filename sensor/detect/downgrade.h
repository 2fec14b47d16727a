/* The inside of downgrade.c: its state, and the parts that live in files of their own. */
#ifndef SEALDNS_DETECT_DOWNGRADE_H
#define SEALDNS_DETECT_DOWNGRADE_H

#include "base/table.h"
#include "detect/detect.h"
#include "detect/fallback.h"
#include "detect/groups.h"
#include "detect/habit.h"
#include "detect/resolved.h"
#include "detect/sealed.h"
#include "detect/servers.h"
#include "detect/stations.h"
#include "detect/usage.h"
#include "model/known_names.h"

enum { HELD = 8, GROUPS = 4 };

struct held {
    struct clear_query query;
    uint32_t who, tenure; /* of the client that asks, by the note */
    nsec_t answered;      /* 0: not yet */
    bool inside;          /* the server is inside, so may its name be */
};

struct watch {
    struct addr client;      /* the key */
    TAILQ_ENTRY(watch) link; /* while something is held */
    nsec_t look;
    uint64_t station;
    uint64_t group[GROUPS];
    uint32_t who, tenure; /* of the client, by the note */
    uint32_t excluded;
    uint8_t next_group, held_count;
    bool busy;
    struct held held[HELD];
};

TAILQ_HEAD(busy_list, watch);
TAILQ_HEAD(due_list, fallback);

struct downgrade {
    const struct policy *policy;
    struct groups groups;
    struct finding_sink sink;
    struct stats *stats;
    const struct own_cuts *cuts;
    struct reader reader; /* while anybody is watched: of every response */
    uint64_t seed;
    struct fallback_scale scale;
    struct sealed_times times;
    uint32_t habit_names;
    struct table *habits, *pairs, *watches, *fallbacks;
    struct servers *servers;
    struct slots *usages;
    struct usage_limits limits;
    struct table *recalled; /* usages of clients that were not seen yet */
    size_t remembered;      /* the place where remembering goes on */
    struct stations *stations;
    struct resolved *resolved;
    nsec_t swept;
    struct busy_list busy;
    struct due_list due;
};

/* NULL: this client never tried that group. */
struct sealed *downgrade_pair(const struct downgrade *d, const struct addr *client, uint64_t group);
/* In a network of ours: private, the gateway, on the client's link, or in a zone of the policy. */
bool downgrade_inside(const struct downgrade *d, const struct addr *client,
                      const struct addr *server);

/* downgrade_usage.c: the client's usage profile. */
struct usage *downgrade_usage(struct downgrade *d, const struct observation *o);
/* NULL: another client has the place. */
struct usage *downgrade_usage_of(struct downgrade *d, uint32_t who, uint32_t tenure);
void downgrade_remember(void *downgrade, struct memory_sink sink, nsec_t now);
void downgrade_recall(void *downgrade, const struct memory *m);
bool downgrade_usage_create(struct downgrade *d, uint64_t seed); /* false: no memory */

/* downgrade_blame.c: who made an attempt fail. FLOW_FAILED. */
struct blame blame_of(const struct downgrade *d, const struct sealed *s,
                      const struct observation *o);
/* FLOW_AFTERMATH: what came after a reset. */
void blame_after(struct downgrade *d, struct sealed *s, const struct observation *o);
/* A packet of the server came, in clear text (a response) or in a flow that works. */
void blame_heard(struct downgrade *d, struct sealed *s, const struct addr *server, uint8_t ttl,
                 nsec_t now);
/* OBSERVE_MET of what this client tried: a rule of ours that acted. */
void blame_cut(struct downgrade *d, struct sealed *s, const struct observation *o);

/* downgrade_tell.c: what a query that counts makes of the fallback. */
void downgrade_count(struct downgrade *d, const struct watch *w, struct sealed *s, struct habit *h,
                     const struct held *held, nsec_t now);
/* The fallback that clear text at this time adds to, or NULL. */
struct fallback *downgrade_fallback(struct downgrade *d, const struct sealed *s, nsec_t now);
/* More is known of who made it fail: the event grows. */
void downgrade_blamed(struct downgrade *d, const struct sealed *s, nsec_t now);
/* A VPN of the client began: the fallback of just before may be its doing. */
void downgrade_moved(struct downgrade *d, const struct sealed *s, enum vpn vpn, nsec_t now);
/* Encrypted DNS works again. */
void downgrade_recovered(struct downgrade *d, const struct sealed *s);
void downgrade_tell_due(struct downgrade *d, nsec_t now);
void downgrade_tell_all(struct downgrade *d);
void downgrade_fallback_evicted(void *downgrade, void *fallback);

/* watch.c: clients that try or fail just now, and their queries that are held back. */
struct watch *watch_client(struct downgrade *d, const struct observation *o, struct habit *h,
                           uint64_t group);
/* The watch on this client, or on another address of it; NULL, and it is watched no more. */
struct watch *watch_of(struct downgrade *d, const struct observation *o, struct habit *h);
void watch_hold(struct downgrade *d, struct watch *w, const struct observation *o, uint32_t name);
void watch_answer(struct downgrade *d, struct watch *w, const struct observation *o, uint32_t name);
/* Judges what is held. last: nothing more will come, judge by what is known. */
void watch_settle(struct downgrade *d, struct watch *w, nsec_t now, bool last);
void watch_tick(struct downgrade *d, nsec_t now);
void watch_flush(struct downgrade *d, nsec_t now);
void watch_evicted(void *downgrade, void *watch);

#endif
