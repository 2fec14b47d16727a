/* What the kernel said of late that our rules cut: connections and UDP sockets, by their ends.
 * Asked before anybody else is blamed for a failure. Bounded: a later one takes an earlier one's
 * place. */
#ifndef SEALDNS_DETECT_OWN_CUTS_H
#define SEALDNS_DETECT_OWN_CUTS_H

#include <stdbool.h>

#include "model/observation.h"
#include "model/policy.h"

struct own_cuts;

/* NULL: no memory. */
struct own_cuts *own_cuts_create(uint64_t seed);
void own_cuts_destroy(struct own_cuts *c);
size_t own_cuts_bytes(void);
/* An OBSERVE_MET. */
void own_cuts_note(struct own_cuts *c, const struct observation *o);

enum own_cut {
    OWN_CUT_UNKNOWN, /* the kernel said nothing of it: the log is a sample, and may be closed */
    OWN_CUT_COUNTED, /* a rule met it and let it pass */
    OWN_CUT_ACTED
};

/* What it said of these ends since two seconds before that time. c may be NULL. */
enum own_cut own_cuts_of(const struct own_cuts *c, const struct observation *o, nsec_t since);
/* Our own rule cuts this flow: by the kernel's word where there is one (*certain), else as the
 * policy has it. */
bool own_cuts_explain(const struct own_cuts *c, const struct policy *p, const struct observation *o,
                      bool *certain);

#endif
