/* Two texts of rulesets, as lines that differ. */
#ifndef SEALDNS_ENFORCE_DIFF_H
#define SEALDNS_ENFORCE_DIFF_H

#include <stdio.h>

/* Sections (chain, set, map) are matched by their heading; within one, order counts. Lines only in
 * there get "-", only in here "+"; both texts are cut up. Returns how many differ, or SD_EMEM. */
int text_diff(char *there, char *here, FILE *to);

#endif
