/* The inside of downgrade.c: its state, and the parts that live in files of their own. */
#ifndef SEALDNS_DETECT_DOWNGRADE_H
#define SEALDNS_DETECT_DOWNGRADE_H

#include "base/table.h"
#include "detect/detect.h"
#include "detect/fallback.h"
#include "detect/habit.h"
#include "detect/known_names.h"
#include "detect/resolved.h"
#include "detect/sealed.h"
#include "detect/stations.h"

enum { HELD = 8, GROUPS = 4 };

struct held {
    struct clear_query query;
    nsec_t answered; /* 0: not yet */
    bool inside;     /* the server is inside, so may its name be */
};

struct watch {
    struct addr client;      /* the key */
    TAILQ_ENTRY(watch) link; /* while something is held */
    nsec_t look;
    uint64_t station;
    uint64_t group[GROUPS];
    uint32_t excluded;
    uint8_t next_group, held_count;
    bool busy;
    struct held held[HELD];
};

TAILQ_HEAD(busy_list, watch);
TAILQ_HEAD(due_list, fallback);

struct downgrade {
    const struct policy *policy;
    struct known_names *names;
    uint64_t *groups; /* of the policy's resolvers */
    size_t group_count;
    struct finding_sink sink;
    struct stats *stats;
    struct fallback_scale scale;
    struct sealed_times times;
    uint32_t habit_names;
    struct table *habits, *pairs, *watches, *fallbacks;
    struct stations *stations;
    struct resolved *resolved;
    nsec_t swept;
    struct busy_list busy;
    struct due_list due;
};

/* Of a resolver the policy knows, the same in every policy that names it; else of the address. */
uint64_t downgrade_group(const struct downgrade *d, int16_t resolver, const struct addr *server);
/* NULL: this client never tried that group. */
struct sealed *downgrade_pair(const struct downgrade *d, const struct addr *client, uint64_t group);
/* In a network of ours: private, the gateway, on the client's link, or in a zone of the policy. */
bool downgrade_inside(const struct downgrade *d, const struct addr *client,
                      const struct addr *server);

/* downgrade_tell.c: what a query that counts makes of the fallback. */
void downgrade_count(struct downgrade *d, const struct watch *w, struct sealed *s, struct habit *h,
                     const struct clear_query *q, nsec_t now);
/* The fallback that clear text at this time adds to, or NULL. */
struct fallback *downgrade_fallback(struct downgrade *d, const struct sealed *s, nsec_t now);
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
