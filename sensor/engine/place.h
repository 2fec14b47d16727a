/* Whether the machine looks like the place that the policy says it stands at. */
#ifndef SEALDNS_ENGINE_PLACE_H
#define SEALDNS_ENGINE_PLACE_H

#include "model/policy.h"

/* Warns in the log of watched interfaces that look like a mirror port or no bridge where the policy
 * says otherwise, and of one whose redirected packets would be seen with the wrong server. */
void place_warn(const struct policy *p, char (*interfaces)[16], size_t count);

#endif
