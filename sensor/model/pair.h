/* A pair of client and server: DNS over HTTPS of this client was seen at an address that others
 * share, so the kernel cuts the client off port 443 of that address for a while, and nobody else.
 * The parser asks for it, the monitor judges and does it. Plain values of a fixed size. */
#ifndef SEALDNS_MODEL_PAIR_H
#define SEALDNS_MODEL_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum pair_proof {
    PAIR_BY_NAME, /* the client named the resolver, in a hello that hides nothing */
    PAIR_BY_PROBE /* it behaved like DNS, and a probe got an answer */
};

struct cut_pair {
    struct addr client, server;
    uint64_t station;  /* the client's link address, 0: unknown */
    uint64_t resolver; /* hash of its id in the policy; 0: of nobody that the policy names */
    uint32_t left_ms;  /* of one that stands in the kernel: until it ends */
    uint16_t vlan, iface;
    uint8_t proof;     /* enum pair_proof */
    uint8_t transport; /* enum transport of what was seen */
    uint8_t zero[6];
};

enum { PAIRS_AT_ONCE = 24 };

struct pair_batch {
    uint32_t count;
    struct cut_pair pair[PAIRS_AT_ONCE];
};

/* What the parser may ask for: two unicast addresses of one family, times and padding zero. */
bool pair_is_sound(const struct cut_pair *p);

struct pair_sink {
    void (*put)(void *context, const struct cut_pair *p); /* put NULL: nobody cuts */
    void *context;
};

#endif
