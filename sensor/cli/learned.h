/* What the sensor learned of a client or a resolver, in words: its role, its usual volume, what was
 * measured of its encrypted DNS; for explain. */
#ifndef SEALDNS_CLI_LEARNED_H
#define SEALDNS_CLI_LEARNED_H

#include "cli/who.h"
#include "store/store.h"

/* m: its addresses, none when only the resolver is asked for; resolver: its id, "" when it is none.
 * SD_EIO. */
int learned_print(struct store_reader *r, const struct machine *m, const char *resolver);

#endif
