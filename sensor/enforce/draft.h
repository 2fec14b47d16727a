/* A rule as it is drafted: its matches in order, then added with its statement. */
#ifndef SEALDNS_ENFORCE_DRAFT_H
#define SEALDNS_ENFORCE_DRAFT_H

#include "enforce/compile.h"

/* Of this chain, with a counter; the RULE-ID is cut where it is too long. */
struct rule rule_named(int chain, const char *format, ...) __attribute__((format(printf, 2, 3)));
void match_port(struct rule *r, enum match_kind kind, uint16_t port);
void match_set(struct rule *r, enum match_kind kind, int set);
void match_iface(struct rule *r, const char *iface);
void match_oiface(struct rule *r, const char *iface);
void match_dnat(struct rule *r);
void match_syn(struct rule *r);
void match_local(struct rule *r);
void match_family(struct rule *r, bool v4);
void match_share(struct rule *r, bool v4, uint32_t seed, uint8_t percent);
/* What cuts or redirects gets a rule ahead of it that logs, where the policy has a group for that.
 * Shadow keeps every rule and takes the verdict from those that cut or redirect. target: chain of a
 * jump or goto, set of STATEMENT_ZONES. */
void rule_add(struct compilation *c, struct rule *r, enum statement statement, int target);
const char *family_word(int v4); /* "ip4", "ip6": the end of names and RULE-IDs */

#endif
