/* What the sensor measured of a client's or a resolver's encrypted DNS, in words; for explain. */
#ifndef SEALDNS_CLI_LEARNED_H
#define SEALDNS_CLI_LEARNED_H

#include "store/store.h"

/* address: as text, "" when only the resolver is asked for; resolver: its id, "" when it is none.
 * SD_EIO. */
int learned_print(struct store_reader *r, const char *address, const char *resolver);

#endif
