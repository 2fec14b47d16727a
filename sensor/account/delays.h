/* What is added to struct latencies, and where. */
#ifndef SEALDNS_ACCOUNT_DELAYS_H
#define SEALDNS_ACCOUNT_DELAYS_H

#include "model/latencies.h"
#include "model/observation.h"
#include "model/policy.h"

struct delays {
    struct latencies *to; /* NULL: nobody asks */
    uint8_t *place;       /* by the policy's resolver: 1 + where, 0: not looked for yet */
    const struct policy *policy;
};

/* Without memory all are `other`. */
void delays_use_policy(struct delays *d, const struct policy *policy);
void delays_finish(struct delays *d);
/* o has its note. */
void delays_note(struct delays *d, const struct observation *o);

#endif
