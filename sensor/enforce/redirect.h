/* Clear text to the resolver of the policy instead of whom it was sent to: `cleartext: redirect`.
 */
#ifndef SEALDNS_ENFORCE_REDIRECT_H
#define SEALDNS_ENFORCE_REDIRECT_H

#include "enforce/compile.h"

/* Is there a zone that redirects? Without, there is no chain of type nat either. */
bool redirects(const struct policy *p);
/* Of both families: nothing is left to cut. */
bool redirects_all(const struct policy_zone *z);
/* What cannot be redirected, as a reason; NULL: it can. */
const char *redirect_objection(const struct policy *p, size_t zone);
/* The part in the zone's own chain, where packets come by with the destination they were given:
 * they pass; a family without a target is cut; what was under way before is counted. */
void write_redirected(struct compilation *c, int16_t zone, int chain);
/* Chain prerouting; chains[]: the redirecting chain of each zone, out. The way to them is written
 * by the caller, from the chain returned. */
int write_redirect(struct compilation *c, uint16_t *chains);

#endif
