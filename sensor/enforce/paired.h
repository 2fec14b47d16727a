/* Pairs of client and server in the kernel (model/pair.h): elements with an end of the sets
 * paired_ip4 and paired_ip6, which come and go while the ruleset around them stays. */
#ifndef SEALDNS_ENFORCE_PAIRED_H
#define SEALDNS_ENFORCE_PAIRED_H

#include "enforce/enforce.h"

struct enforce_pair {
    struct addr client, server;
    uint64_t left_ms; /* until it ends; at least 1 */
};

/* With these the model is whole: an element that is not among them is somebody else's. Without this
 * call the sets' elements are taken as they are. What r has no set for is left out. SD_EMEM. */
int ruleset_put_pairs(struct ruleset *r, const struct enforce_pair *pairs, size_t count);
/* Into the table that is there, in one transaction; one that is there gets the new end, also by
 * kernels before 6.12, which keep an old one when it is added again. SD_ENOENT: no table, or it has
 * no such set; else as ruleset_install(). */
int pairs_write(int descriptor, const struct enforce_pair *pairs, size_t count,
                char error[ENFORCE_ERROR]);
/* Those in the kernel: fn is called for each. SD_ENOENT: no table. SD_EPERM, SD_EUNSUP, SD_ENET. */
int pairs_read(int descriptor, void (*fn)(void *context, const struct enforce_pair *p),
               void *context, char error[ENFORCE_ERROR]);

#endif
