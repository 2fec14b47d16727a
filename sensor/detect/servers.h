/* What the packets of each server look like on the way back, from flows that worked, of all
 * clients: by it a reset or a whole conversation of somebody else is told. Another TTL now and then
 * is another route, or an impostor whom somebody believed: only what is usual counts.
 * Worst case in bytes: 4,096 * 56. */
#ifndef SEALDNS_DETECT_SERVERS_H
#define SEALDNS_DETECT_SERVERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct servers;

/* NULL: no memory. */
struct servers *servers_create(uint64_t seed);
void servers_destroy(struct servers *s);
size_t servers_bytes(const struct servers *s);

/* A flow worked; ttl and rtt_us are 0 where they are not known. */
void servers_learn(struct servers *s, const struct addr *server, uint8_t ttl, uint32_t rtt_us);
/* 0: unknown, or there are several. */
uint8_t servers_ttl(struct servers *s, const struct addr *server);
/* The shortest of at least five round trips; 0: fewer. */
uint32_t servers_rtt_us(struct servers *s, const struct addr *server);

#endif
