/* The parts of a compilation: compile.c begins and ends it, rules.c writes chains and rules, sets.c
 * fills the sets. */
#ifndef SEALDNS_ENFORCE_COMPILE_H
#define SEALDNS_ENFORCE_COMPILE_H

#include "enforce/ruleset.h"

/* The first error stays and makes every further step do nothing; the caller asks once, at the end.
 */
struct compilation {
    const struct policy *policy;
    nsec_t now;
    bool shadow;
    struct ruleset *r;
    int error;
};

/* The sets alone, also empty ones: sets_only.h. */
void compile_sets(struct compilation *c);
/* All of it. zones: room for the number of the chain of each zone. */
void compile_rules(struct compilation *c, uint16_t *zones);

int compiled_chain(struct compilation *c, const char *name);
int compiled_base_chain(struct compilation *c, const char *name, uint8_t hook, int32_t priority);
/* A set without elements is none: -1, and what would use it leaves its rule out. So for all of
 * these but where the sets alone are asked for. */
int compiled_address_set(struct compilation *c, const char *name, bool v4,
                         bool (*holds)(const struct compilation *c, int16_t zone, int16_t resolver,
                                       bool shared),
                         int16_t zone);
/* All addresses that zones redirect to and that are not the gateway's; -1: none. */
int compiled_targets(struct compilation *c, const char *name, bool v4);
/* The address that a zone redirects to, or all of the resolver that has it (sources). */
void compiled_redirect_set(struct compilation *c, const char *name, bool v4, int16_t zone,
                           bool sources);
/* The zones of the clients behind an interface ("" for one that no zone names), longest prefix
 * flattened; chains[] is the chain of each zone. */
int compiled_zone_map(struct compilation *c, const char *name, bool v4, const char *iface,
                      const uint16_t *chains);
/* The addresses that this zone is for, as its first interface has it. */
void compiled_networks(struct compilation *c, const char *name, bool v4, int16_t zone);
/* Clients that a rollout names; -1: none. */
int compiled_rollout(struct compilation *c, const char *name, bool v4, int16_t zone);
/* Clients excepted for every resolver, and pairs of client and server. Made also when every
 * exception in it has ended, so that the ruleset does not change with the clock. */
int compiled_exceptions(struct compilation *c, const char *name, bool v4);
int compiled_exception_stations(struct compilation *c, const char *name);
int compiled_exception_pairs(struct compilation *c, const char *name, bool v4);
/* Empty: the sensor fills it as it runs (enforce/paired.h). -1: no zone would cut what is in it. */
int compiled_paired(struct compilation *c, const char *name, bool v4);

/* Strict clients ask for their resolver's name in clear text before they can begin. With
 * `bootstrap` the names of a zone's approved resolvers may be asked for over UDP, of anybody: A,
 * AAAA, SVCB and HTTPS questions, as the detection of clear text has it. pass() is called for each.
 * Names with a wildcard have no bytes to compare and are left out. */
struct bootstrap {
    struct compilation *c;
    int16_t zone;
    int chain, questions; /* questions: own chain, -1 while there is none */
    void (*pass)(struct bootstrap *b, const char *name, int pattern);
};
void compiled_questions(struct bootstrap *b);

#endif
