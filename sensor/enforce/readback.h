/* What the kernel holds, as the model. */
#ifndef SEALDNS_ENFORCE_READBACK_H
#define SEALDNS_ENFORCE_READBACK_H

#include "enforce/ruleset.h"

/* The generation of the ruleset did not change while it was read. SD_ENOENT: no table; SD_EPERM,
 * SD_EUNSUP, SD_ENET, SD_EMEM. */
int ruleset_read(int descriptor, uint8_t family, struct ruleset **out, char error[ENFORCE_ERROR]);
/* Of either family. */
int ruleset_find(int descriptor, struct ruleset **out, char error[ENFORCE_ERROR]);
/* Flags of the table alone. SD_ENOENT: no table. */
int table_flags(int descriptor, uint8_t family, uint32_t *flags, char error[ENFORCE_ERROR]);
/* Counts the changes of all tables. 0, or an errno, negative. */
int ruleset_generation(int descriptor, uint32_t *out);

#endif
