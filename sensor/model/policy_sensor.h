/* What the sensor does by itself, as the policy has it. */
#ifndef SEALDNS_MODEL_POLICY_SENSOR_H
#define SEALDNS_MODEL_POLICY_SENSOR_H

#include <stdbool.h>

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/* How it reads its interfaces; of the start. */
struct policy_capture {
    uint16_t threads;  /* of an interface */
    uint64_t ring;     /* octets of the kernel's ring, for each thread; 0: the profile's */
    uint16_t cpus[64]; /* that the threads run on, in turn; none: any */
    size_t cpu_count;
};

/* When it asks resolvers itself. */
struct policy_probe {
    nsec_t interval; /* 0: never by the clock */
    nsec_t timeout;  /* of one exchange */
    bool on_sight;   /* once when a client was seen to use it */
};

/* When it cuts a client off a server that others share: see model/pair.h. */
struct policy_pairs {
    nsec_t timeout; /* for how long; 0: never */
    bool hidden;    /* also where behaviour told the resolver and a probe confirmed it */
};

/* The other gateway of two that share a policy: see engine/peering.h. */
struct policy_peer {
    struct addr listen, address; /* of one family; listen zero: there is none */
    uint16_t port;
    char key[256]; /* a file */
};

#endif
