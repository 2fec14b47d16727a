/* From packets to observations: flows, streams, messages. One observer belongs to one capture
 * thread; memory is bounded by its limits. A protocol is one file with a struct protocol. */
#ifndef SEALDNS_OBSERVE_OBSERVE_H
#define SEALDNS_OBSERVE_OBSERVE_H

#include "model/classifier.h"
#include "model/observation.h"
#include "model/packet.h"
#include "model/policy.h"
#include "model/shunt.h"
#include "model/stats.h"

struct observer;

struct observer_limits {
    size_t flows;        /* 0, as of the others: what is usual (model/bounds.h) */
    size_t transactions; /* pending DNS queries */
    size_t stream_bytes; /* reassembly of all TCP streams */
};

/* classifier: the ops' own state, not owned. NULL: out of memory. */
struct observer *observer_create(const struct observer_limits *limits,
                                 const struct classifier_ops *ops, void *classifier,
                                 struct observation_sink sink, uint64_t seed);
void observer_destroy(struct observer *o);

/* The policy names resolvers (SNI, addresses). Kept by pointer until the next call. */
void observer_use_policy(struct observer *o, const struct policy *policy);

/* Flows that nothing is read of any more go there, where the policy lets them. */
void observer_use_shunt(struct observer *o, struct shunt_sink shunt);

void observer_packet(struct observer *o, const struct packet *packet, struct stats *stats);
/* Time passed: attempts that time out, queries without an answer, idle flows. Cheap; call at least
 * ten times a second live, and with the packets' time offline. */
void observer_tick(struct observer *o, nsec_t now, struct stats *stats);
/* The end of the capture: every flow says what it still has to say. */
void observer_flush(struct observer *o, nsec_t now, struct stats *stats);

#endif
