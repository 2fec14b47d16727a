/* The nftables ruleset that the policy means: as a model, as text for nft -f, as one netlink
 * transaction; and read back from the kernel. Table `inet sealdns`, where the policy says `place:
 * bridge` table `bridge sealdns`, and nothing else. */
#ifndef SEALDNS_ENFORCE_ENFORCE_H
#define SEALDNS_ENFORCE_ENFORCE_H

#include <stdio.h>

#include "model/met_observation.h"
#include "model/policy.h"

#define ENFORCE_ERROR 256
#define ENFORCE_DRIFT 320

struct ruleset; /* the model */

/* What a line of the log begins with, ahead of the RULE-ID: the rule cut or redirected the packet,
 * or it only counted it. */
#define LOG_ACTS   "sealdns "
#define LOG_COUNTS "sealdns-shadow "

/* mode MODE_SHADOW: the same rules, counting only. now: exceptions that have ended are left out,
 * the others get what is left of their time as the element's timeout. MODE_MONITOR: no table at
 * all. SD_EMEM, SD_ELIMIT; SD_EUNSUP: the policy asks for what the rules cannot do (error says). */
int ruleset_compile(const struct policy *policy, enum mode mode, nsec_t now, struct ruleset **out,
                    char error[ENFORCE_ERROR]);
void ruleset_destroy(struct ruleset *r);

/* As nft -f reads it; the same ruleset gives the same text. SD_EIO. */
int ruleset_print(const struct ruleset *r, FILE *to);

/* Our table replaced whole, in one transaction; the old one stays if anything fails. Meanwhile the
 * new rules stand in a second table too (sealdns_change), so that no packet sees neither. ENOBUFS,
 * EBUSY and EINTR of the kernel are tried again twice.
 * Installed already, untouched by others: nothing is done and the counters go on.
 * SD_EPERM (no CAP_NET_ADMIN), SD_EUNSUP (no nf_tables), SD_ELIMIT (too large for the kernel),
 * SD_ENET: error says what to do. SD_ESTATE: an owned table, which would go with this call: see
 * enforce_open(). */
int ruleset_install(const struct ruleset *r, char error[ENFORCE_ERROR]);
/* Break-glass: takes our table away. SD_ENOENT: there was none. */
int ruleset_remove(char error[ENFORCE_ERROR]);

/* A table with the owner flag lives as long as the descriptor by which it was installed, and only
 * by that one it can be changed or removed (with the persist flag it outlives it, without an
 * owner). The two above open one for a moment; who installs owned tables keeps his own and close()s
 * it at the end. SD_EPERM, SD_EUNSUP, SD_ENET. */
int enforce_open(char error[ENFORCE_ERROR]);
int ruleset_install_by(int descriptor, const struct ruleset *r, char error[ENFORCE_ERROR]);
int ruleset_remove_by(int descriptor, char error[ENFORCE_ERROR]);

struct enforce_status {
    unsigned rules, elements;
    uint64_t
        digest; /* the model's, kept in the table's comment or a set's: desired == installed? */
};
/* What the kernel holds. SD_ENOENT: no table. */
int ruleset_status(struct enforce_status *out, char error[ENFORCE_ERROR]);

/* How the kernel's table differs from the model. */
struct enforce_drift {
    bool gone;                             /* there is no table */
    bool dormant;                          /* there is, but its chains are out of use */
    bool another;                          /* it is not of this policy, or its flags are others */
    unsigned rules_missing, rules_foreign; /* a changed one is both */
    unsigned elements_missing, elements_foreign; /* one with a wrong timeout likewise */
    unsigned changed;                            /* chains and sets made otherwise */
    char text[ENFORCE_DRIFT]; /* in a line for people: which ones, as far as it holds them */
};
/* Does the kernel hold exactly this, counters aside? Timeouts may be a minute and a thousandth off,
 * and what ends within a minute may be there or not: clocks differ. SD_OK; SD_ENOENT: no table;
 * SD_ESTATE: another one, or one that somebody changed (the digest alone would not tell). In both
 * cases drift says what is wrong, else it is all zero. SD_EPERM, SD_ENET, SD_EMEM. */
int ruleset_examine(const struct ruleset *r, struct enforce_drift *drift,
                    char error[ENFORCE_ERROR]);
int ruleset_verify(const struct ruleset *r, char error[ENFORCE_ERROR]); /* without the telling */
void ruleset_describe(const struct ruleset *r, struct enforce_status *out);

/* Line by line, "-" only in the kernel, "+" only in the model, counters left out and timeouts
 * judged as ruleset_examine() does; returns how many lines differ, or SD_EPERM, SD_ENET, SD_EIO. */
int ruleset_diff(const struct ruleset *r, FILE *to, char error[ENFORCE_ERROR]);

/* The counters of our rules as they are: fn is called for each. SD_ENOENT, SD_EPERM, SD_ENET. */
struct rule_counter {
    char id[RULE_NAME]; /* the RULE-ID of the comment */
    char chain[32];
    uint64_t packets, bytes;
    bool acts;       /* it cuts or redirects */
    bool counts;     /* it does nothing but count: shadow, a zone that is held or only alerts */
    bool logs;       /* a rule ahead of it logs, and wrote that many lines: fewer than packets */
    uint64_t logged; /*   where they came faster than the log's rate */
};
int ruleset_counters(void (*fn)(void *context, const struct rule_counter *c), void *context,
                     char error[ENFORCE_ERROR]);

#endif
