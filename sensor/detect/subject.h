/* What has a baseline of its own, and what is held against it: the plain values of the detector of
 * volume. */
#ifndef SEALDNS_DETECT_SUBJECT_H
#define SEALDNS_DETECT_SUBJECT_H

#include "base/addr.h"
#include "detect/profile.h"
#include "detect/window.h"

/* An anomaly is told once for each family of series, since its series rise together. */
enum family {
    FAMILY_VOLUME,
    FAMILY_NXDOMAIN,
    FAMILY_SERVFAIL,
    FAMILY_TYPES,
    FAMILY_CLEAR,
    FAMILIES
};
enum stage { STAGE_NONE, STAGE_PAGE, STAGE_RUN, STAGE_CUSUM, STAGE_SILENCE, STAGE_BURST };

struct suspicion {
    float fast, slow; /* CUSUM of the log-likelihood of the rises that were designed for */
    uint8_t run;      /* steps above z in a row */
};

struct alarm {
    nsec_t since; /* 0: none */
    uint8_t series, stage;
    bool now, fall; /* found in the last step judged; it is a silence */
    uint8_t source;
    uint16_t age_h; /* of the baseline */
    float value, expected, z;
};

enum subject_kind { SUBJECT_NOBODY, SUBJECT_CLIENT, SUBJECT_RESOLVER, SUBJECT_ZONE };

/* What has a baseline of its own. */
struct subject {
    struct addr addr; /* the client or the server; zero: a resolver or zone of the policy by name */
    char name[64];
    int16_t index;    /* of the policy's zones or resolvers; -1: none of today's policy */
    uint8_t kind;     /* enum subject_kind */
    uint8_t dirty;    /* pieces to be remembered, bits */
    uint32_t tenure;  /* of the place whose it is */
    uint32_t since;   /* step since which its window is whole */
    uint32_t seen;    /* last step with a query */
    uint32_t used;    /* last step that began with a query of its address */
    uint32_t healthy; /* last step with at least half of what was expected */
    struct suspicion suspicion[SERIES_COUNT];
    struct alarm alarm[FAMILIES];
    nsec_t silent;   /* since, 0: it is not */
    uint64_t domain; /* asked most since it became odd, by majority vote; 0: none known */
    uint16_t votes, type, type_votes;
    char domain_text[80];
    struct profile profile;
    struct window window;
};

struct thresholds {
    double floor[SERIES_COUNT], cold_floor;
    double z_alarm, z_young, z_page, z_half, spread_floor, role_spread, winsor;
    double cusum_fast, cusum_slow, fast_ratio, slow_ratio;
    double silence_floor, silence_share, many_share, explains;
    unsigned consecutive, many, most_told;
    nsec_t learn, learn_full;
    uint8_t severity_page;
};

#endif
