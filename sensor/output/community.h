#ifndef SEALDNS_OUTPUT_COMMUNITY_H
#define SEALDNS_OUTPUT_COMMUNITY_H

#include <stdbool.h>

#include "model/finding.h"

/* Community ID version 1, seed 0: the same flow has the same id in Suricata, Zeek and here. False:
 * the finding has no five-tuple. */
bool community_id(const struct finding *f, char out[64]);

#endif
