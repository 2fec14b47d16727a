/* One client's data taken out on request: what the store has of it, and the captures of its alerts.
 */
#ifndef SEALDNS_ENGINE_ERASE_H
#define SEALDNS_ENGINE_ERASE_H

#include <jansson.h>

#include "base/pseudonym.h"
#include "model/policy.h"
#include "store/forget.h"

struct erasure {
    struct store *store;
    const struct policy *policy;
    const struct pseudonyms *names; /* NULL: there is no key */
    bool dry_run;
};

/* The client's address, or its pseudonym. {"ok": true, "removed": {WHAT: ROWS}, "captures": N,
 * "log_stays": false}, or "ok" false and an "error". */
json_t *erase_client(const struct erasure *e, const struct addr *client);

#endif
