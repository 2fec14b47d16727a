/* What a client's clear-text names resolved to, lately: asked when it contacts such an address with
 * encrypted DNS, for then the name was bootstrap. Written for every answer, so it is one store into
 * a table without chains; a newer answer takes the place of an older one. Worst case in bytes: 16 *
 * 65,536. */
#ifndef SEALDNS_DETECT_RESOLVED_H
#define SEALDNS_DETECT_RESOLVED_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

struct resolved;

/* NULL: no memory. */
struct resolved *resolved_create(uint64_t seed);
void resolved_destroy(struct resolved *r);
size_t resolved_bytes(void);

/* An answer's addresses, count of them. */
void resolved_put(struct resolved *r, const struct addr *client, const struct addr *address,
                  size_t count, uint32_t name, nsec_t now);
void resolved_prefetch(const struct resolved *r, const struct addr *client,
                       const struct addr *address, size_t count);
/* The name that resolved to this address for this client within the last hour; 0: none. */
uint32_t resolved_name(const struct resolved *r, const struct addr *client,
                       const struct addr *address, nsec_t now);

#endif
