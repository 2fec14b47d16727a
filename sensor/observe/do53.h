/* DNS in clear text on port 53 (RFC 1035, RFC 7766). */
#ifndef SEALDNS_OBSERVE_DO53_H
#define SEALDNS_OBSERVE_DO53_H

#include "observe/observer.h"

/* A UDP datagram with port 53 at either end: the hot path, without a flow record. */
void do53_datagram(struct observer *o, const struct packet *p);
/* The next piece of a TCP stream on port 53. */
void do53_piece(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
                const struct stream_piece *piece);
void do53_close(struct observer *o, struct flow *f);

#endif
