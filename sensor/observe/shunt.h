/* Flows of which nothing more is read are handed to the kernel, which counts them in our place
 * (model/shunt.h): TLS, QUIC and what is neither, on port 443, once both sides have spoken. Not
 * those whose behaviour is watched, nor DNS of any kind: of these each packet tells something. FIN,
 * SYN and RST still come to us. */
#ifndef SEALDNS_OBSERVE_SHUNT_H
#define SEALDNS_OBSERVE_SHUNT_H

#include "observe/observer.h"

/* Nothing more is read of the flow, whose packet has been counted; it may be handed over already.
 */
void shunt_offer(struct observer *o, struct flow *f);
/* What the kernel has counted until now is the flow's; it goes on counting. */
void shunt_merge(struct observer *o, struct flow *f);
/* ... and packets come to us again: where none is under way, or one may be lost to the count. */
void shunt_end(struct observer *o, struct flow *f);

#endif
