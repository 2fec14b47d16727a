/* How much the sensor may remember: one set of bounds for each profile, passed to whatever
 * allocates. Read when the sensor starts; a reload does not change it. */
#ifndef SEALDNS_MODEL_BOUNDS_H
#define SEALDNS_MODEL_BOUNDS_H

#include <stddef.h>

#include "model/names.h"

struct policy;

struct bounds {
    /* of a capture thread */
    size_t flows;        /* TCP connections and UDP five-tuples on watched ports */
    size_t transactions; /* DNS queries that wait for their response */
    size_t streams;      /* bytes, reassembly of all TCP streams */
    size_t fragments;    /* bytes, IP fragments */
    size_t capture;      /* bytes, the kernel's ring */
    size_t observations; /* in the ring to the engine */
    /* of the engine */
    size_t clients; /* at most CLIENTS_MOST; as many machines on the link */
    size_t conversations;
    size_t baselines; /* of volume, of clients; the detection's file may say less */
    size_t share;     /* the detectors' tables hold one in so many of what they usually do */
    size_t events;    /* that are open */
    /* of the recorder */
    size_t records; /* in the ring to it */
    size_t store;   /* bytes of SQLite's cache */
};

/* As the profile has them. */
const struct bounds *bounds_of(enum footprint profile);
/* ... with what the policy says beside its profile. */
struct bounds bounds_of_policy(const struct policy *p);

/* Of a detector's table that usually holds so many. bounds NULL: the usual profile. */
static inline size_t bounds_share(const struct bounds *bounds, size_t usual)
{
    size_t part = bounds ? usual / bounds->share : usual;

    return part < 64 ? 64 : part;
}

#endif
