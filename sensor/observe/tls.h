/* TLS over TCP on a watched port: from hello to answer, and how it may fail. */
#ifndef SEALDNS_OBSERVE_TLS_H
#define SEALDNS_OBSERVE_TLS_H

#include "observe/observer.h"
#include "observe/tell.h"

void tls_piece(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
               const struct stream_piece *piece);
/* After all pieces of a packet: what they mean together. May end the flow, or set COUNTING. */
void tls_settle(struct observer *o, struct flow *f, const struct packet *p);
/* Nothing more will come of the server: what was held back counts. */
void tls_last_word(struct observer *o, struct flow *f);
/* Why it never worked, when it ends now; CAUSE_NONE: it was not used, or it worked. */
enum cause tls_cause_of_end(const struct flow *f, enum side sender, bool reset);
/* The flow ends, or time is up, while a query waits: FLOW_STALLED, with the fault as it is, or one
 * of silence when its cause is CAUSE_NONE. */
void tls_stalled(struct observer *o, struct flow *f, struct fault *fault);
/* What time tells; returns how long until it may tell more. */
nsec_t tls_check(struct observer *o, struct flow *f);

#endif
