/* What the kernel holds against what it ought to hold. */
#ifndef SEALDNS_ENFORCE_EXAMINE_H
#define SEALDNS_ENFORCE_EXAMINE_H

#include "enforce/ruleset.h"

/* Timed elements of `there` that are right as far as clocks tell become those of r, so that the two
 * print alike; what ends within the slack is taken as it ought to be. SD_EMEM. */
int ruleset_settle(struct ruleset *there, const struct ruleset *r);
/* Settles `there`; true: nothing differs but counters. */
bool ruleset_is(struct ruleset *there, const struct ruleset *r);
/* What the kernel holds beside what it ought to hold, without the elements that both have: texts of
 * a hundred thousand of those would cost a second. */
struct comparison {
    bool gone;                    /* there is no table */
    struct ruleset there, wanted; /* with sets of their own, of what differs */
};
/* Settles `there` (NULL: no table). comparison_end() in any case. SD_EMEM. */
int comparison_begin(struct comparison *c, struct ruleset *there, const struct ruleset *r);
bool comparison_is_same(const struct comparison *c);
void comparison_describe(const struct comparison *c, struct enforce_drift *drift);
void comparison_end(struct comparison *c);
/* Lines of text_diff() in one sentence and numbers. Cuts the text up. */
void drift_describe(char *lines, struct enforce_drift *drift);

#endif
