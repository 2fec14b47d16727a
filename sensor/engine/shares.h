/* How DNS went, by transport and by zone, since the start: summed up from the conversations as they
 * pass by to the store. A plain value of the recorder's. */
#ifndef SEALDNS_ENGINE_SHARES_H
#define SEALDNS_ENGINE_SHARES_H

#include <jansson.h>

#include "model/latencies.h"
#include "model/names.h"
#include "model/record.h"

enum { SHARES_ZONES = 64 };

/* Queries. */
struct zone_share {
    char id[64];
    uint64_t clear_approved, clear_unapproved, sealed_approved, sealed_unapproved;
};

struct transport_share {
    uint64_t flows, flows_failed, queries;
};

struct shares {
    struct transport_share transports[TRANSPORT_COUNT];
    size_t count;
    struct zone_share zones[SHARES_ZONES], other; /* other: beyond them, or not known any more */
};

/* r: a RECORD_CONVERSATION. */
void shares_add(struct shares *s, const struct record *r);

/* Members `transports`, `zones` and `latencies` of the status. */
void shares_status(const struct shares *s, const struct latencies *l, json_t *to);

#endif
