/* Who a client is, out of what the sensor remembers of the machines on the link; for explain. */
#ifndef SEALDNS_CLI_WHO_H
#define SEALDNS_CLI_WHO_H

#include <stdbool.h>

#include "base/addr.h"

/* An address that the machine of this host name used last, the first of several machines. False:
 * none is called so, or there is no store. */
bool who_is_called(const char *store, const char *host, struct addr *out);
/* One line for each machine that uses or used this address; nothing when none is known. */
void who_print(const char *store, const struct addr *address);

#endif
