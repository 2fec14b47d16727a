/* The words of a plan. */
#ifndef SEALDNS_DECIDE_FATE_H
#define SEALDNS_DECIDE_FATE_H

/* What becomes of a conversation. */
#define FATES(X)                                                                                   \
    X(FATE_PASSES, "passes")                                                                       \
    X(FATE_EXCEPTED, "excepted")     /* an exception of the policy alone lets it pass */           \
    X(FATE_REDIRECTED, "redirected") /* answered by somebody else */                               \
    X(FATE_CUT, "cut")                                                                             \
    X(FATE_OUT_OF_REACH, "out-of-reach") /* against the policy, but no rule can tell it apart */

/* What becomes of a client: of what was answered. */
#define OUTCOMES(X)                                                                                \
    X(OUTCOME_UNAFFECTED, "unaffected")                                                            \
    X(OUTCOME_SILENT, "silent")         /* nothing of it was answered, so it loses nothing */      \
    X(OUTCOME_REDIRECTED, "redirected") /* loses nothing, some is answered by somebody else */     \
    X(OUTCOME_LOSES, "loses")           /* something, and keeps something */                       \
    X(OUTCOME_OUT_OF_REACH, "out-of-reach-only") /* keeps only what no rule can cut */             \
    X(OUTCOME_BOOTSTRAP, "bootstrap-only")       /* keeps only names of approved resolvers */      \
    X(OUTCOME_DARK, "dark")                      /* keeps nothing that was seen to work */

#define X(word, text) word,
enum fate { FATES(X) FATE_COUNT };
enum outcome { OUTCOMES(X) OUTCOME_COUNT };
#undef X
const char *fate_name(unsigned fate);
const char *outcome_name(unsigned outcome);

#endif
