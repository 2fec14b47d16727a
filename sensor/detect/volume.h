/* The parts of the detector of volume: what volume.c counts, volume_judge.c judges, volume_tell.c
 * tells and volume_memory.c keeps across restarts. Worst case in bytes, 42 MB in all: 65,536 places
 * of clients of 136; `exact_clients` (5,000) with a baseline of their own, 160 resolvers and 64
 * zones of 6,100; 256 priors of 6,200. Only what somebody uses is touched. */
#ifndef SEALDNS_DETECT_VOLUME_H
#define SEALDNS_DETECT_VOLUME_H

#include "base/table.h"
#include "detect/detect.h"
#include "detect/slots.h"
#include "detect/subject.h"

#define VOLUME_RULE "volume-anomaly"

/* Resolvers that are an address only keep room while they are asked. */
enum { VOLUME_ZONES = 64, VOLUME_RESOLVERS = 160, VOLUME_ROLES = 4, VOLUME_PENDING = 1024 };

/* Of every client, by note.who. */
struct place {
    struct slot slot;
    uint32_t exact;       /* 1 + index of its subject, 0: none */
    uint32_t step, first; /* that `now` counts; in which it came */
    uint32_t hot;         /* queries in a step from which on its domains are looked at */
    float hour;           /* queries of about an hour, for one without a subject */
    uint16_t server;      /* group of the server it asked last, 1 more */
    int16_t zone;
    uint16_t vlan, iface;
    uint8_t roles, told; /* families, bits */
    uint8_t run, cold;   /* of one without a subject: steps above z; enum stage of its alarm */
    struct step now;
    float cold_z, cold_expected;
    nsec_t cold_since;
    struct addr addr;
};

/* A resolver or a zone in the step under way, and what clients had to do with its rise. */
struct group {
    struct addr server; /* of a resolver that no policy names */
    struct step now, closed;
    uint32_t subject; /* 1 + index, 0: unused */
    /* Of the clients, in the step that is judged: */
    uint32_t active, alarmed[FAMILIES];
    double most[SERIES_COUNT]; /* largest rise of one client, and whose */
    uint32_t whose[SERIES_COUNT];
    bool told[FAMILIES];
};

struct volume {
    const struct policy *policy;
    struct finding_sink sink;
    struct stats *stats;
    uint64_t seed;
    struct slots *places;
    struct subject *subjects; /* clients, then resolvers, then zones */
    uint32_t exact, *unused, unused_count;
    uint32_t taken; /* subjects of clients that were ever in use are the first of them */
    struct table *by_addr, *servers; /* of subjects; of resolvers that no policy names */
    struct group groups[VOLUME_RESOLVERS + VOLUME_ZONES];
    uint16_t *by_resolver;          /* 1 + group of each resolver of the policy, 0: none yet */
    uint16_t by_zone[VOLUME_ZONES]; /* group */
    struct prior *priors;           /* [zone][role] */
    uint32_t step, begun;           /* that is under way; since which there is no gap */
    nsec_t boundary;                /* its end */
    size_t swept; /* position among places: the step before is judged up to here */
    bool sweeping;
    struct {
        uint32_t who, tenure;
        uint8_t family;
    } pending[VOLUME_PENDING];
    uint32_t pending_count;
    uint8_t odd; /* bits of families that are, anywhere, in the step that is judged */
    struct thresholds t;
    uint64_t random;
    uint32_t saved, left_count; /* subject at which remember() goes on; in: */
    struct addr left[64];       /* which clients of a baseline left for others */
    bool ending;
};

static inline struct subject *volume_subject(const struct volume *v, uint32_t one_more)
{
    return one_more ? v->subjects + one_more - 1 : NULL;
}

/* Zones beyond the bound are counted with the default one. */
static inline struct group *volume_zone(struct volume *v, int16_t zone)
{
    return v->groups + v->by_zone[zone >= 0 && zone < VOLUME_ZONES ? zone : 0];
}

/* The resolver or zone of that name in a policy, made if it is new; NULL: no room. Of a resolver
 * that none names 1 + its group; 0: no room. */
struct subject *volume_named(struct volume *v, enum subject_kind kind, const char *name);
uint16_t volume_server(struct volume *v, const struct addr *server);
/* A subject for this client, for it was known before or asks enough; 0: no room. */
uint32_t volume_adopt(struct volume *v, const struct addr *addr, bool make);
unsigned volume_role(uint8_t roles);
struct prior *volume_prior(const struct volume *v, int16_t zone, unsigned role);

struct subject *volume_subject_of(const struct volume *v, struct place *p);
/* How much more there was than expected. */
struct rises {
    double of[SERIES_COUNT]; /* a rise of a share as queries */
    double queries;
};

/* Judges the step that was closed last, `now` being its end, and learns from it. prior: NULL for
 * what is no client. */
void volume_judge(struct volume *v, struct subject *s, struct prior *prior, nsec_t now,
                  struct rises *out);
/* One without a subject, against its role. True: an alarm. */
bool volume_judge_cold(struct volume *v, struct place *p, nsec_t now);
/* The step is judged for all: what it found is told, the many as one. */
void volume_tell_step(struct volume *v, nsec_t now);
const char *volume_role_name(uint8_t roles);

void volume_remember(void *state, struct memory_sink sink, nsec_t now);
void volume_recall(void *state, const struct memory *m);

#endif
