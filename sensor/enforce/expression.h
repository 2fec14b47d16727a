/* One rule of the model to nf_tables expressions and back: the only file that knows the bytecode.
 */
#ifndef SEALDNS_ENFORCE_EXPRESSION_H
#define SEALDNS_ENFORCE_EXPRESSION_H

#include "enforce/ruleset.h"

struct nftnl_rule;

/* SD_EMEM. */
int rule_encode(const struct ruleset *r, const struct rule *rule, struct nftnl_rule *out);
/* Expressions that are none of ours leave out->foreign set to their text. Chains and sets it names
 * are looked up in r, patterns are added to it. SD_EMEM. */
int rule_decode(struct ruleset *r, const struct nftnl_rule *in, struct rule *out);

#endif
