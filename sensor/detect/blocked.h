/* The inside of the detector `encrypted-dns-blocked`: its state, and what of it lives in
 * blocked_tell.c. */
#ifndef SEALDNS_DETECT_BLOCKED_H
#define SEALDNS_DETECT_BLOCKED_H

#include <sys/queue.h>

#include "base/table.h"
#include "detect/detect.h"
#include "detect/draft.h"
#include "detect/groups.h"
#include "detect/origin.h"

struct pair_key {
    struct addr client;
    uint64_t group;
};

/* One client and one resolver group. */
struct pair {
    struct pair_key key;    /* first */
    TAILQ_ENTRY(pair) link; /* while it fails */
    nsec_t failed;          /* since when it fails; 0: it does not */
    nsec_t failed_last;
    uint32_t hour;         /* of the last success that was counted; 0: it never worked */
    uint32_t question;     /* asked in clear text meanwhile */
    uint8_t cause, origin; /* of the last failure */
    uint8_t ttl;           /* of the server when it worked */
    bool in_clear;         /* two questions and more */
};

TAILQ_HEAD(failing, pair);

enum reading {
    READING_UNCLEAR,
    READING_INTERFERENCE,
    READING_SERVER,
    READING_OUTAGE,
    READING_OWN_RULE
};

struct incident {
    bool open;
    uint32_t told; /* clients, when it was told last */
    uint32_t most; /* clients at once */
    uint32_t recovered;
    uint32_t in_clear, in_clear_told; /* clients that went on in clear text */
    uint8_t severity;                 /* as told last */
    nsec_t began, next;
};

struct group {
    uint64_t key;            /* first */
    TAILQ_ENTRY(group) link; /* while somebody fails */
    struct failing failing;  /* those who had success before, the longest first */
    uint32_t failing_count;
    uint32_t hour, active[2]; /* clients with success in this hour and the one before */
    nsec_t last_ok;
    nsec_t probed; /* when the sensor asked it itself; 0: never */
    uint32_t probe_faults;
    bool probe_works, listed;
    struct incident incident;
    struct sighting seen; /* the last failure */
};

TAILQ_HEAD(troubled, group);

struct blocked {
    const struct policy *policy;
    struct finding_sink sink;
    struct stats *stats;
    const struct own_cuts *cuts;
    struct reader reader; /* while an incident is open: of queries */
    struct groups groups;
    struct table *pairs, *states; /* of clients, of groups */
    struct troubled troubled;
    size_t incidents; /* open */
    nsec_t looked, last_ok;
    uint32_t clients_least, share_percent;
    nsec_t within, race, probe_age;
    uint8_t severity[READING_OWN_RULE + 1];
};

/* Clients that had success lately. */
uint32_t blocked_active(const struct group *g, nsec_t now);
/* Tells how things stand; ended: it works again. */
void blocked_tell(struct blocked *b, struct group *g, nsec_t now, bool ended);
/* What the failures of this moment read as. */
enum reading blocked_reading(const struct blocked *b, const struct group *g, nsec_t now);

#endif
