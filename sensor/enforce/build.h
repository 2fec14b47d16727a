/* How a ruleset grows: the two makers of one, compile.c and readback.c, use these. */
#ifndef SEALDNS_ENFORCE_BUILD_H
#define SEALDNS_ENFORCE_BUILD_H

#include "enforce/ruleset.h"

/* family: NFPROTO_INET or NFPROTO_BRIDGE. NULL: out of memory. */
struct ruleset *ruleset_create(uint8_t family);
/* The number of the new one, or SD_EMEM, SD_ELIMIT (65,534 of each at most). A name longer than
 * RULESET_NAME is cut. */
int ruleset_add_chain(struct ruleset *r, const char *name);
int ruleset_add_set(struct ruleset *r, const char *name, enum set_kind kind, bool v4);
int ruleset_add_pattern(struct ruleset *r, const struct pattern *pattern);
int ruleset_add_rule(struct ruleset *r, const struct rule *rule); /* takes rule->foreign */
/* SD_EMEM. */
int set_add(struct set *s, const struct set_element *element);
/* In the order in which elements are printed and compared. */
int set_compare(const struct set_element *a, const struct set_element *b);
void set_sort(struct set *s);
/* Of a sorted set: an element that is there twice goes. */
void set_unique(struct set *s);
/* It takes packets away, or sends them elsewhere. */
bool rule_cuts(const struct rule *r);
/* The bytes compared at once from at on, and whether some of their bits do not count. */
size_t pattern_chunk(const struct pattern *p, size_t at);
bool pattern_masks(const struct pattern *p, size_t at);
const char *ruleset_family(const struct ruleset *r); /* "inet", "bridge" */
/* -1: none of this name. */
int ruleset_chain_named(const struct ruleset *r, const char *name);
int ruleset_set_named(const struct ruleset *r, const char *name);

#define CHAIN_OTHER UINT16_MAX /* an element whose verdict is no goto: none of ours */

#endif
