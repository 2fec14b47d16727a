/* What the kernel holds against what it ought to hold. */
#ifndef SEALDNS_ENFORCE_EXAMINE_H
#define SEALDNS_ENFORCE_EXAMINE_H

#include "enforce/ruleset.h"

/* Timed elements of `there` that are right as far as clocks tell become those of r, so that the two
 * print alike; what ends within the slack is taken as it ought to be. SD_EMEM. */
int ruleset_settle(struct ruleset *there, const struct ruleset *r);
/* Settles `there`; true: nothing differs but counters. */
bool ruleset_is(struct ruleset *there, const struct ruleset *r);
/* Lines of text_diff() in one sentence and numbers. Cuts the text up. */
void drift_describe(char *lines, struct enforce_drift *drift);

#endif
