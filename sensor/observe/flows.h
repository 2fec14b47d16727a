/* The life of a flow record: opened, counted, watched by its timer, ended, taken away. */
#ifndef SEALDNS_OBSERVE_FLOWS_H
#define SEALDNS_OBSERVE_FLOWS_H

#include "observe/observer.h"
#include "observe/tell.h"

/* A SYN or Initial unanswered for this long has failed. A little under the 3 s after which clients
 * give up, so that the failure is told before the clear-text query that follows it. */
#define FLOW_ANSWER_TIME (2900 * NSEC_MS)
#define FLOW_STALL_TIME  (10 * NSEC_S) /* a hello or a query without any answer */
#define FLOW_LINGER      (5 * NSEC_S)  /* an ended flow stays for late packets */
/* A query over a flow that has worked, until FLOW_WAITING; told within a second. */
#define FLOW_WAIT_TIME (400 * NSEC_MS)

struct flow *flows_find(struct observer *o, const struct flow_key *key);
/* A new record, which may evict another. low: the sender of p is the low end of the key. */
struct flow *flows_open(struct observer *o, const struct flow_key *key, const struct packet *p,
                        bool low, enum side sender);
/* Empties the record for another connection of the same five-tuple. */
void flows_reopen(struct observer *o, struct flow *f, const struct packet *p, bool low,
                  enum side sender);
void flows_count(struct observer *o, struct flow *f, const struct packet *p, enum side sender);
/* Since its last packet. */
nsec_t flows_silence(const struct observer *o, const struct flow *f);
/* Makes sure that the flow is looked at by then. */
void flows_look(struct observer *o, struct flow *f, nsec_t deadline);
/* It failed but may come back (a late SYN-ACK). */
void flows_fail(struct observer *o, struct flow *f, const struct fault *fault);
/* It is over. */
void flows_fail_end(struct observer *o, struct flow *f, const struct fault *fault);
void flows_end(struct observer *o, struct flow *f, bool from_client);
/* Frees the cold part; the flow is only counted from now on. */
void flows_cool(struct observer *o, struct flow *f);
void flows_evicted(void *observer, struct flow *f);
/* Fires what is due, at most WHEEL_WORK flows; true: there may be more. */
bool flows_run(struct observer *o);
/* Every flow says what it still has to say, and is gone. */
void flows_flush(struct observer *o);
/* Who is the client when no SYN or Initial tells: the side with the lesser port by rank, then the
 * higher number. */
enum side flows_sender_by_port(const struct observer *o, const struct packet *p);

#endif
