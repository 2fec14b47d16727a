/* Service parameters (RFC 9460 2.2), as far as they say how a resolver may be asked (RFC 9461): in
 * SVCB answers and in the options of DHCP and router advertisements (RFC 9463). Plain values. */
#ifndef SEALDNS_MODEL_SVCB_H
#define SEALDNS_MODEL_SVCB_H

#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"

enum { SVCB_HINTS = 4 };

struct svcb {
    uint32_t transports; /* bits 1 << enum transport, of its ALPNs */
    uint16_t port;       /* 0: the transport's own */
    uint8_t hint_count;  /* the first few */
    struct addr hint[SVCB_HINTS];
};

/* Adds what the parameters say to *out, up to the cursor's end. SD_EMALF: they do not parse; what
 * stood before is in *out. */
int svcb_params(struct cursor *c, struct svcb *out);

#endif
