/* Sets and their elements to libnftnl and back. */
#ifndef SEALDNS_ENFORCE_ELEMENT_H
#define SEALDNS_ENFORCE_ELEMENT_H

#include "enforce/ruleset.h"

struct nftnl_set;

#define ELEMENTS_PER_MESSAGE 256 /* an attribute holds at most 64 KiB */

/* SD_EMEM. */
int set_encode(const struct set *s, struct nftnl_set *out);
/* Elements from *at on, at most ELEMENTS_PER_MESSAGE of them; moves *at behind them. */
int elements_encode(const struct ruleset *r, const struct set *s, size_t *at,
                    struct nftnl_set *out);
/* Kind and family by the kernel's flags and types. */
void set_decode(const struct nftnl_set *in, struct set *out);
/* Appends what a message holds of the elements of out, as the kernel has them: of interval sets the
 * borders. elements_settle() makes ranges of them when all are there. SD_EMEM. */
int elements_decode(const struct ruleset *r, const struct nftnl_set *in, struct set *out);
void elements_settle(struct set *s);

#endif
