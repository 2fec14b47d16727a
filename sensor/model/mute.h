/* A mute: somebody's decision, with an end, that findings of a kind wake nobody. They are still
 * found, stored and counted. */
#ifndef SEALDNS_MODEL_MUTE_H
#define SEALDNS_MODEL_MUTE_H

#include "base/addr.h"
#include "base/time.h"
#include "model/finding.h"

enum { MUTES_MOST = 256 };

struct policy;

/* Whatever is set must fit. */
struct policy_mute {
    char rule[RULE_ID];          /* "": any rule of the kind */
    int16_t kind;                /* enum kind, -1: any */
    bool has_client, has_server; /* else any, and findings about none */
    struct prefix client, server;
    char name[256]; /* a suffix of the name asked or of the SNI; "": any */
    nsec_t until;   /* its last nanosecond */
    char owner[64], reason[160];
};

/* The first mute of the policy that covers a finding at this time; NULL: none. */
const struct policy_mute *policy_mute_for(const struct policy *p, const struct finding *f,
                                          nsec_t now);
/* The mute has something to say about this address. */
bool mute_names(const struct policy_mute *m, const struct addr *a);

#endif
