/* `sensor.set_only`: our table holds our sets, under names that are ours, and whatever rules
 * somebody else writes into it beside them (a rule sees the sets of its own table alone). It is
 * never replaced as a whole: sets change by their elements. */
#ifndef SEALDNS_ENFORCE_SETS_ONLY_H
#define SEALDNS_ENFORCE_SETS_ONLY_H

#include "enforce/ruleset.h"

#define SETS_ONLY_MARK "sets" /* of the table, in its comment */

/* In the order in which they are compared; makes the digest, of all that time does not change.
 * SD_EMEM. */
int sets_only_seal(struct ruleset *r);
/* Takes out of what was read all that is not ours, and what the policy does not know and that is
 * empty: a set that somebody's rules still use cannot be deleted. SD_EMEM. */
int sets_only_keep(struct ruleset *there, const struct ruleset *r);
/* One transaction; there was kept as above. 0, or an errno, negative. */
int sets_only_update(int descriptor, const struct ruleset *there, const struct ruleset *r);
/* Deletes our sets, and the table where nothing else is in it; all or nothing. there: as it was
 * read. SD_ESTATE: somebody's rules use them; SD_EPERM, SD_ENET, SD_EMEM. */
int sets_only_remove(int descriptor, const struct ruleset *there, char error[ENFORCE_ERROR]);

#endif
