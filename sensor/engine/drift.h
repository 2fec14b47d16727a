/* The monitor's watch over what it installed: hears of changes to nf_tables and looks every half a
 * minute besides, holds the kernel's table against the policy, puts back what differs and tells of
 * it. Another program that undoes this again and again is told as that, and put right at a slower
 * pace: the network's time is not spent on a quarrel. */
#ifndef SEALDNS_ENGINE_DRIFT_H
#define SEALDNS_ENGINE_DRIFT_H

#include <stdbool.h>

#include "base/time.h"
#include "enforce/notice.h"

struct monitor;

enum { DRIFT_RECENT = 16 };

struct drift {
    int descriptor; /* of the notices; -1: there are none, every look is one of the clock */
    struct notices heard;
    bool suspect;                /* something may differ */
    nsec_t noticed;              /* when that came up */
    nsec_t listened;             /* when notices were last read */
    nsec_t looked;               /* when the kernel was last asked */
    nsec_t cost;                 /* how long that took */
    bool idle;                   /* ... and it was for a notice of nothing */
    nsec_t healed[DRIFT_RECENT]; /* the latest times, in a ring */
    unsigned heals;              /* all tries: where the ring stands */
    nsec_t last;                 /* when one worked */
    nsec_t fought;               /* since when another program fights us; 0: none does */
    nsec_t complained;
};

/* Before rules are installed, and after the children were started: they hold no such socket. */
void drift_open(struct drift *d);
void drift_close(struct drift *d);
/* For poll(): -1 while it is not to be listened to; and how long to wait at most. */
int drift_descriptor(const struct drift *d, nsec_t now);
int drift_patience(const struct drift *d, nsec_t now);
/* When rules were last put back; 0: never. */
nsec_t drift_last(const struct drift *d);
/* Rules are to stand in the kernel and cannot be put there: told loudly, once, and tried again. */
void drift_lost(struct monitor *m, const char *error);
/* After every wake-up. Never waits but for the kernel's answers. */
void drift_watch(struct monitor *m, nsec_t now);

#endif
