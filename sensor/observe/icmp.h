/* ICMP errors that quote a flow. */
#ifndef SEALDNS_OBSERVE_ICMP_H
#define SEALDNS_OBSERVE_ICMP_H

#include "observe/observer.h"

void icmp_packet(struct observer *o, const struct packet *p);

#endif
