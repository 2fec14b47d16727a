/* The parts of a transaction that make our table and what is in it. SD_EMEM. */
#ifndef SEALDNS_ENFORCE_INSTALL_H
#define SEALDNS_ENFORCE_INSTALL_H

#include "enforce/ruleset.h"
#include "enforce/transport.h"

/* mark: what its comment says behind "sealdns: ", or NULL. */
int put_table(struct transaction *t, uint16_t type, uint32_t flags, const char *mark);
/* id: unlike that of every other set of the transaction. */
int put_set(struct transaction *t, const struct set *from, uint32_t id);
int put_elements(struct transaction *t, const struct ruleset *r, const struct set *from);

#endif
