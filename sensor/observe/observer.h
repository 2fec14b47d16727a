/* What the files of observe/ share.
 *
 * Limits, with the defaults of struct observer_limits (N flows, T transactions, S stream bytes):
 *   flow table            N * (112 + 11) bytes                          31 MiB
 *   SYN-ACKs              4,096 * 8 bytes                               32 KiB
 *   cold parts            N / 4 records of sizeof(struct cold)          27 MiB
 *   watches               N / 32 records of sizeof(struct watch)         2 MiB
 *   handshake facts       N / 16 records of sizeof(struct tls_facts)    12 MiB
 *   classifier states     N / 16, about a kilobyte each, at most CLASSIFY_PACKETS packets a flow
 *   streams               S bytes of segments and half messages         16 MiB
 *   pending queries       T * 48 bytes, lifetime 5 s                     6 MiB
 *   five-tuples on UDP    T * 8 bytes                                    1 MiB
 * All but the flow table's and the queries' indexes is touched only when traffic needs it. What
 * does not fit is counted: flows_evicted, flows_undecided, tcp_overflow, state_evicted. */
#ifndef SEALDNS_OBSERVE_OBSERVER_H
#define SEALDNS_OBSERVE_OBSERVER_H

#include "model/shunt.h"
#include "observe/cold.h"
#include "observe/flow_table.h"
#include "observe/observe.h"
#include "observe/pool.h"
#include "observe/proof.h"
#include "observe/reset.h"
#include "observe/seen.h"
#include "observe/transactions.h"
#include "observe/wheel.h"

enum { CLASSIFY_PACKETS = 12, PORT_DNS = 53, PORT_MDNS = 5353, PORT_LLMNR = 5355 };

struct observer {
    const struct classifier_ops *ops;
    void *classifier;
    struct observation_sink sink;
    struct shunt_sink shunt;     /* put NULL: there is none */
    struct shunt_counts *taken;  /* by place of the flow: what of the kernel's counts is its own */
    const struct policy *policy; /* NULL: nothing is known */
    struct stats *stats;         /* of the call that runs */
    nsec_t now;                  /* never goes back */
    uint64_t seed;
    struct flow_table flows;
    struct wheel wheel;
    struct transactions *transactions;
    struct seen *seen;
    struct pool cold, facts, watches;
    struct budget stream_bytes;
    struct reset_past resets[RESETS_PAST];
    struct proof_syn_ack syn_acks[PROOF_SYN_ACKS];
    size_t classifying, classifying_limit;
    uint8_t watched[65536 / 8]; /* a bit for each port besides 53 */
    struct observation *out;    /* the one being made: in the sink's room, or */
    struct observation own;
};

static inline bool observer_watches(const struct observer *o, uint16_t port)
{
    return o->watched[port / 8] >> port % 8 & 1;
}

/* 0 for 53, 1 for a watched port, 2 for any other: the lower one is the server's. */
static inline int observer_rank(const struct observer *o, uint16_t port)
{
    return port == PORT_DNS ? 0 : observer_watches(o, port) ? 1 : 2;
}

/* The flow's cold part; NULL (and flows_undecided counted) when there is no room. */
struct cold *observer_warm(struct observer *o, struct flow *f);

#endif
