/* What the sensor needs to know of the machine it stands on. */
#ifndef SEALDNS_ENGINE_GATEWAY_H
#define SEALDNS_ENGINE_GATEWAY_H

#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

/* The machine's own addresses, also those on lo (an anycast resolver's), but 127.0.0.0/8 and ::1
 * left out; the array is to be freed. SD_EMEM, SD_EIO. */
int gateway_addresses(struct addr **out, size_t *count);
/* Interface of the default route, IPv4 before IPv6. SD_ENOENT: no default route. */
int gateway_interface(char name[16]);

/* The wall clock: the only one beside engine/'s own loops. */
nsec_t clock_now(void);
/* One that nobody sets, as the kernel counts timeouts: not while the machine sleeps. */
nsec_t clock_steady(void);

#endif
