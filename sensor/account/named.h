/* What a name is, whoever asks for it: its registrable domain, its class in the policy, and whether
 * it has a top-level domain at all. Looked up once for all detectors and kept for names that were
 * seen lately, since lists and policy are asked label by label.
 * Worst case in bytes: 16 * 65,536. */
#ifndef SEALDNS_ACCOUNT_NAMED_H
#define SEALDNS_ACCOUNT_NAMED_H

#include "model/observation.h"
#include "model/policy.h"

struct named;

/* NULL: no memory, or no public suffix list. */
struct named *named_create(uint64_t seed);
void named_destroy(struct named *n);
/* Until the first policy every name is ordinary. Without memory the names of the old one serve on.
 */
void named_use_policy(struct named *n, const struct policy *policy);
void named_prefetch(const struct named *n, const struct observation *o);
/* Writes domain, domain_hash, name_class, no_domain and named into the note of an OBSERVE_DNS;
 * leaves others as they are. */
void named_note(struct named *n, struct observation *o);

#endif
