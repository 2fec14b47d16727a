/* DNS messages (RFC 1035) with EDNS (RFC 6891). */
#ifndef BENCH_DNS_H
#define BENCH_DNS_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>

#define DNS_MESSAGE_MAX 512

enum { DNS_A = 1, DNS_AAAA = 28 };

struct question {
    uint32_t name; /* a number, as names.h has it */
    uint16_t id;
    uint16_t type;
};

/* Both return the length of the message in `out`. A response is one address, after an alias for
 * some names; one name in 32 does not exist. */
size_t dns_query(uint8_t out[DNS_MESSAGE_MAX], const struct question *question);
size_t dns_response(uint8_t out[DNS_MESSAGE_MAX], const struct question *question);

#endif
