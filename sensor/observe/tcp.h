/* TCP connections on watched ports: how they open, what they carry, how they end. */
#ifndef SEALDNS_OBSERVE_TCP_H
#define SEALDNS_OBSERVE_TCP_H

#include "observe/observer.h"

void tcp_packet(struct observer *o, const struct packet *p);
/* What time alone tells; returns how long until it may tell more. */
nsec_t tcp_check(struct observer *o, struct flow *f);

#endif
