/* Which resolver group a server belongs to, and what is an attempt at encrypted DNS: the same for
 * all detectors that ask how encrypted DNS goes. A group is all addresses and names of an operator
 * as the policy or the catalogue has them, over every transport, else one address. */
#ifndef SEALDNS_DETECT_GROUPS_H
#define SEALDNS_DETECT_GROUPS_H

#include "model/observation.h"
#include "model/policy.h"

struct groups {
    uint64_t *of; /* of the policy's resolvers */
    size_t count;
};

/* False: no memory, and resolvers are told apart by address. */
bool groups_read(struct groups *g, const struct policy *p);
void groups_free(struct groups *g);
/* The same for one resolver in every policy that names it. */
uint64_t groups_at(const struct groups *g, int16_t resolver, const struct addr *server);

/* The flow is encrypted DNS, or tries to be: by its name, or by where it goes. */
bool groups_attempt(const struct policy *p, const struct observation *o);
/* The rules that are installed cut this flow. */
bool groups_cut(const struct policy *p, const struct observation *o);

#endif
