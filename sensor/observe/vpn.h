/* What answers the first message of a VPN: from then on the DNS of a client may go another way. No
 * state: each such packet is one observation. */
#ifndef SEALDNS_OBSERVE_VPN_H
#define SEALDNS_OBSERVE_VPN_H

#include "observe/observer.h"

/* False: another datagram. */
bool vpn_datagram(struct observer *o, const struct packet *p);

#endif
