/* One fallback of one client from one resolver group: the evidence as it grows, how grave and how
 * certain it makes the finding. Pure. */
#ifndef SEALDNS_DETECT_FALLBACK_H
#define SEALDNS_DETECT_FALLBACK_H

#include <sys/queue.h>

#include "detect/draft.h"
#include "detect/sealed.h"
#include "detect/usage.h"

enum { FALLBACK_NAMES = 32, FALLBACK_SAMPLES = 3 };

/* A query in clear text that may be a consequence. */
struct clear_query {
    struct sighting seen;
    uint32_t name; /* hash */
    uint16_t qtype;
    char text[128]; /* the name, cut and '~' where it is longer */
};

struct fallback {
    struct sealed_key key;      /* first */
    TAILQ_ENTRY(fallback) link; /* while there is something to tell later */
    bool listed, told;
    uint8_t severity, confidence; /* as told last */
    uint8_t name_count, sample_count;
    nsec_t next, interval; /* not told before, unless graver */
    nsec_t first, last;    /* clear-text queries */
    uint64_t queries;
    uint32_t pending; /* of them, not told */
    uint32_t same_server, same_group;
    uint32_t excluded; /* queries that did not count, meanwhile */
    uint32_t proof;    /* successes before */
    bool name_sent, permitted, recovered;
    bool attaching; /* all of it so soon after an absence that a portal may be the reason */
    uint8_t vpn;    /* enum vpn: all of it so close to its beginning that DNS may just move there */
    uint8_t usage;  /* enum usage_profile, as it is known */
    nsec_t first_ok, last_ok;
    uint32_t answers;
    double expected;          /* new names that habit explains, in the span so far */
    struct sealed how;        /* of the failure that began it */
    struct clear_query clear; /* the first */
    struct clear_query latest;
    uint32_t name[FALLBACK_NAMES];
    char sample[FALLBACK_SAMPLES][64];
};

/* What the detection's file says. */
struct fallback_scale {
    uint8_t first, unproven, proven, strict, injected, own_rule;
    uint8_t weight_same_server, weight_rate, weight_cause;
    uint32_t proven_successes, same_server_queries, distinct_names;
    nsec_t same_server_window;
    double rate_over_base, rate_over_encrypted;
};

void fallback_read_scale(struct fallback_scale *scale, const struct policy *p);
/* The first query that counts. */
void fallback_begin(struct fallback *b, const struct sealed *how, const struct clear_query *q);
/* True: who made it fail is known better than before. */
bool fallback_blame(struct fallback *b, const struct sealed *how);
/* same_group: it went to the group that failed. */
void fallback_grow(struct fallback *b, const struct sealed *how, const struct clear_query *q,
                   bool same_group, const struct fallback_scale *scale);
enum severity fallback_severity(const struct fallback *b, const struct fallback_scale *scale);
unsigned fallback_confidence(const struct fallback *b, const struct fallback_scale *scale);
/* The finding as things stand. */
void fallback_draft(const struct fallback *b, const struct policy *p, struct finding *f);

#endif
