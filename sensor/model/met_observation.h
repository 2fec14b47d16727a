/* What the kernel says of a packet that met a rule of ours which cuts or redirects. A plain value.
 */
#ifndef SEALDNS_MODEL_MET_OBSERVATION_H
#define SEALDNS_MODEL_MET_OBSERVATION_H

#include <stdbool.h>

/* Room for a RULE-ID behind the longest id of a zone; a prefix of NFLOG and a comment have more. */
enum { RULE_NAME = 96 };

struct met_observation {
    char rule[RULE_NAME]; /* the RULE-ID: the zone's id, a slash, what is cut */
    bool acted;           /* false: the rule only counts (shadow, a zone that is held) */
};

#endif
