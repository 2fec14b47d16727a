/* What shows that one address is several clients: NAT in front of the sensor. One machine sends
 * with one TTL, and asks for the connectivity check of one operating system. Plain values. */
#ifndef SEALDNS_ACCOUNT_SEVERAL_H
#define SEALDNS_ACCOUNT_SEVERAL_H

#include <stdbool.h>

#include "model/observation.h"

struct several {
    uint32_t until; /* second; the signs were enough, and hold so long */
    uint32_t began; /* second in which these were first looked for */
    uint16_t iface; /* TTLs are compared on one interface and VLAN only */
    uint16_t vlan;
    uint8_t ttl;      /* of the last query, 0: none */
    uint8_t switches; /* times that it was another than before */
    uint8_t systems;  /* bits of operating systems that asked whether they are connected */
};

/* A query of this address; true: it is several clients, as far as is known now. */
bool several_note(struct several *s, const struct observation *o);

#endif
