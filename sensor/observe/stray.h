/* What searches for open ports of a resolver (SAD DNS: side channel attacked DNS, CVE-2020-25705):
 * datagrams from port 53 to ports from which nobody asked, and the ICMP errors that answer them. */
#ifndef SEALDNS_OBSERVE_STRAY_H
#define SEALDNS_OBSERVE_STRAY_H

#include "observe/observer.h"

/* A datagram that is no DNS message; tuple: hash of its five-tuple. */
void stray_datagram(struct observer *o, const struct packet *p, uint64_t tuple);
/* An ICMP error of any kind. */
void stray_error(struct observer *o, const struct packet *p);

#endif
