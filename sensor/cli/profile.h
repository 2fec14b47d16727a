/* How a client takes failures of encrypted DNS (its usage profile, RFC 8310 5), in words, with what
 * speaks for it; for explain. */
#ifndef SEALDNS_CLI_PROFILE_H
#define SEALDNS_CLI_PROFILE_H

#include "store/store.h"

/* addresses: all that its machine uses (who.h). Prints nothing of a client that is not known.
 * SD_EIO. */
int profile_print(struct store_reader *r, char *addresses);

#endif
