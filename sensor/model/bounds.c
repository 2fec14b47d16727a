#include "model/bounds.h"

#include "model/note.h"
#include "model/policy_types.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static const struct bounds of_profile[FOOTPRINT_COUNT] = {
    [PROFILE_STANDARD] = {.flows = 262144,
                          .transactions = 131072,
                          .streams = 16 * MIB,
                          .fragments = 4 * MIB,
                          .capture = 64 * MIB,
                          .observations = 16384,
                          .clients = CLIENTS_MOST,
                          .conversations = 65536,
                          .baselines = CLIENTS_MOST,
                          .share = 1,
                          .events = 16384,
                          .records = 8192,
                          .store = 16 * MIB},
    [PROFILE_SMALL] = {.flows = 32768,
                       .transactions = 16384,
                       .streams = 2 * MIB,
                       .fragments = 512 * KIB,
                       .capture = 8 * MIB,
                       .observations = 8192,
                       .clients = 8192,
                       .conversations = 16384,
                       .baselines = 1024,
                       .share = 4,
                       .events = 2048,
                       .records = 4096,
                       .store = 4 * MIB},
};

const struct bounds *bounds_of(enum footprint profile)
{
    return &of_profile[profile < FOOTPRINT_COUNT ? profile : PROFILE_STANDARD];
}

struct bounds bounds_of_policy(const struct policy *p)
{
    struct bounds b = *bounds_of(p->profile);

    if (p->max_flows)
        b.flows = p->max_flows;
    return b;
}
