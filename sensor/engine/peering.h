/* The recorder's talk with the other gateway of two (sensor.peer): tells which events are open here
 * and which clients are cut off which servers (model/pair.h), at once and then again and again, so
 * that a datagram that is lost or a peer that starts later needs no asking; hears the same of it.
 * 16,384 events of 88 octets, 4,096 pairs of 96: 1.9 MB at worst, touched as they come. */
#ifndef SEALDNS_ENGINE_PEERING_H
#define SEALDNS_ENGINE_PEERING_H

#include "model/finding.h"
#include "model/policy.h"
#include "peer/peer.h"

struct peering;

/* What was heard, in batches. */
struct peering_sink {
    void (*events)(void *context, const struct open_event_batch *b);
    void (*pairs)(void *context, const struct pair_batch *b);
    void *context;
};

/* error: one line (256 octets). SD_EIO: the key cannot be read or is too short, the address cannot
 * be taken; SD_EMEM. */
int peering_open(const struct policy_peer *wish, struct peering_sink sink, struct peering **out,
                 char *error);
void peering_close(struct peering *p);
int peering_descriptor(const struct peering *p);
/* A revision that was written here. */
void peering_event(struct peering *p, const struct event *e, nsec_t now);
/* Pairs that the kernel here has now. */
void peering_pairs(struct peering *p, const struct pair_batch *b, nsec_t now);
/* After every wake-up: hears what there is and tells what is due. Never waits. */
void peering_work(struct peering *p, nsec_t now);
/* When the other was last heard, 0: never; datagrams that were not its; those that could not be
 * sent. */
nsec_t peering_heard(const struct peering *p);
uint64_t peering_refused(const struct peering *p);
uint64_t peering_unsent(const struct peering *p);

#endif
