/* What a frame is, at a glance: for when there is no time to decode all of them. */
#ifndef SEALDNS_DECODE_GLANCE_H
#define SEALDNS_DECODE_GLANCE_H

#include "model/frame.h"

/* In the order in which they are left out. */
enum glance {
    GLANCE_KEEP, /* all that is not below, DNS on port 53 above all */
    GLANCE_443,  /* payload of a connection on port 443 */
    GLANCE_853   /* ... on port 853 */
};

/* Payload is what comes neither with SYN, FIN or RST nor as the first record of a TLS handshake
 * nor in a long header of QUIC: connections are still seen to begin, be named and end. Fragments,
 * tunnels, IPv6 extension headers and links other than Ethernet, cooked and bare IP are kept. */
enum glance glance(const struct frame *frame);

#endif
