/* Overlapping prefixes to disjoint ranges: nftables refuses overlaps in interval sets and maps. */
#ifndef SEALDNS_ENFORCE_FLATTEN_H
#define SEALDNS_ENFORCE_FLATTEN_H

#include <stddef.h>

#include "base/addr.h"

struct span {
    struct addr low, high; /* inclusive */
    int64_t value;
};

enum flatten_rule {
    FLATTEN_LONGEST, /* the longest prefix decides; of equal ones the first in the array */
    FLATTEN_GREATEST /* the greatest value of all prefixes that hold the address */
};

struct span span_of_prefix(const struct prefix *p, int64_t value);
/* spans: prefixes of one family, in any order. *out: ascending, neighbours of one
 * value joined; to be freed. SD_EMEM. */
int flatten(const struct span *spans, size_t count, enum flatten_rule rule, struct span **out,
            size_t *out_count);

struct addr addr_next(const struct addr *a); /* wraps around at the end */
struct addr addr_previous(const struct addr *a);
/* Length of the prefix (of the 128-bit form) that is exactly low to high, or -1. */
int prefix_length_of(const struct addr *low, const struct addr *high);

#endif
