/* What the kernel says of a packet that met a rule of ours which cuts or redirects. A plain value.
 */
#ifndef SEALDNS_MODEL_MET_OBSERVATION_H
#define SEALDNS_MODEL_MET_OBSERVATION_H

#include <stdbool.h>

struct met_observation {
    char rule[64]; /* the RULE-ID: the zone's id, a slash, what is cut */
    bool acted;    /* false: the rule only counts (shadow, a zone that is held) */
};

#endif
