/* Whom the prober asks, and when. Rounds: every approved resolver, each `probe.interval`. On sight
 * (`probe.on_sight`): a server that a client used for encrypted DNS, once a day. What a client may
 * make us do by choosing servers is bounded: at a server nobody approves by its address one
 * connection with one question, a day at most once, one in STRANGERS in all (2,880 a day); only
 * where the client's own handshake had succeeded, or `hidden-resolver` told it. Its table: 4,096
 * servers, 160 KiB. */
#ifndef SEALDNS_ENGINE_SCHEDULE_H
#define SEALDNS_ENGINE_SCHEDULE_H

#include "engine/prober.h"
#include "model/record.h"

#define STRANGERS (30 * NSEC_S)

struct schedule;

/* NULL: no memory. */
struct schedule *schedule_create(void);
void schedule_destroy(struct schedule *s);
/* About once a second. */
void schedule_tick(struct schedule *s, const struct policy *p, struct prober *to, nsec_t now);
/* A RECORD_CONVERSATION passes. */
void schedule_sighted(struct schedule *s, const struct policy *p, struct prober *to,
                      const struct record *r, nsec_t now);
/* A RECORD_EVENT: a server that only its behaviour gave away is asked for DNS over HTTPS. */
void schedule_told(struct schedule *s, const struct policy *p, struct prober *to,
                   const struct record *r, nsec_t now);

#endif
