/* Rulesets as text. */
#ifndef SEALDNS_ENFORCE_PRINT_H
#define SEALDNS_ENFORCE_PRINT_H

#include "enforce/ruleset.h"

enum print_form {
    PRINT_NFT,       /* what nft -f reads */
    PRINT_STRUCTURE, /* to compare with the kernel: no heading, digest or counters */
    PRINT_SHAPES,    /* sets without their elements */
    PRINT_TIMELESS,  /* the same without the elements that time takes away */
};

/* SD_EIO. */
int ruleset_print_as(const struct ruleset *r, enum print_form form, FILE *to);

#endif
