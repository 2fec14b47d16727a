/* Our table as the kernel holds it, kept to be put back: message by message and not as the model,
 * which has no words for what somebody added by hand. Counters and sets come back as they were. */
#ifndef SEALDNS_ENFORCE_SNAPSHOT_H
#define SEALDNS_ENFORCE_SNAPSHOT_H

#include "enforce/enforce.h"

struct snapshot;

/* No table is a snapshot too: putting that back removes the table. SD_ESTATE: a table with the flag
 * owner, which nobody but its owner can put back; SD_EPERM, SD_EUNSUP, SD_ENET, SD_EMEM. */
int snapshot_take(int descriptor, struct snapshot **out, char error[ENFORCE_ERROR]);
void snapshot_destroy(struct snapshot *s);
bool snapshot_is_empty(const struct snapshot *s);

/* Would the kernel take it back? It checks the whole transaction and nothing changes. As
 * ruleset_install(). */
int snapshot_rehearse(int descriptor, const struct snapshot *s, char error[ENFORCE_ERROR]);
/* Puts it back in one transaction. elapsed: since it was taken; elements with an end have that much
 * less left. As ruleset_install(): what is there stays if anything fails. */
int snapshot_restore(int descriptor, const struct snapshot *s, nsec_t elapsed,
                     char error[ENFORCE_ERROR]);

#endif
