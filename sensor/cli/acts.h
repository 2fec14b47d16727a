/* Which rule of a policy acts on what a client does, asked of the rules themselves; for explain. */
#ifndef SEALDNS_CLI_ACTS_H
#define SEALDNS_CLI_ACTS_H

#include "model/policy.h"

/* A line for each transport, as mode enforce would have it, and why. station: its link address, 0:
 * unknown. */
void acts_print(const struct policy *p, const struct addr *client, uint64_t station);
/* The exceptions that name one of these addresses (a blank before and behind each), the link
 * address (0: none) or, where it is not -1, the resolver; those that have ended as well. */
void acts_exceptions(const struct policy *p, const char *addresses, uint64_t station,
                     int16_t resolver);
/* What the sensor that listens there says of mode, rules and the zone; -1: of none. */
void acts_running(const struct policy *p, int16_t zone);

#endif
