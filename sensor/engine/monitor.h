/* Inside of the monitor process. */
#ifndef SEALDNS_ENGINE_MONITOR_H
#define SEALDNS_ENGINE_MONITOR_H

#include <sys/types.h>

#include "engine/cuts.h"
#include "engine/drift.h"
#include "engine/outage.h"
#include "engine/pairs.h"
#include "engine/sensor.h"

struct monitor {
    struct wiring *wiring;
    pid_t parser, recorder; /* 0: ended */
    bool installed;         /* our rules are to stand in the kernel, and were put there */
    bool lost;              /* ... but do not, and putting them back failed */
    bool opened;            /* somebody had them removed: they stay out until he says otherwise */
    int sole;               /* sole.h; -1: no rules, or nobody could tell */
    int netlink;  /* by which they were installed: an owned table lives as long; -1: none */
    nsec_t since; /* when that was; 0: never */
    struct drift drift;
    struct outage outage;
    struct pairs *pairs; /* clients that are cut off one server; NULL: none are taken */
    struct cuts_opened cuts;
    struct trial *trial; /* rules that wait for their confirmation; NULL: none */
    struct own_addresses own;
    unsigned gone; /* bit i: interface i is away */
    nsec_t addresses_looked;
    bool peered; /* a policy of this run had a peer, of which the recorder may still tell */
    bool running, stopping;
    bool handed_over;        /* what stops it leaves the rules, whatever the policy says */
    struct asker stopped_by; /* who signalled; pid 0: nobody */
    int status;              /* the exit status */
};

/* Makes the kernel hold what policy and mode mean: rules in shadow and enforce, no table in
 * monitor, nothing new where they were opened. error: one line. As ruleset_install(). */
int monitor_enforce(struct monitor *m, const struct policy *policy, char error[256]);
int monitor_remove_rules(struct monitor *m, const struct asker *who, const char *via,
                         char error[256]);
/* That, as a model: with the pairs that stand. As ruleset_compile(). */
int monitor_ruleset(const struct monitor *m, const struct policy *policy, struct ruleset **out,
                    char error[256]);

/* Reads the policy again and gives it to the children, or keeps the old one whole; tells who wanted
 * it (via: "socket", "signal"). error: one line. */
int monitor_reload(struct monitor *m, const struct change_request *by, const char *via,
                   char error[256]);
/* The policy file as it is now, compiled; the caller's. force: also where a list of it shrank by
 * half. error: one line. */
int monitor_read_policy(struct monitor *m, bool force, struct policy_files **files,
                        struct policy **policy, char error[256]);
/* To the children, who compile it themselves. SD_EIO, SD_EMEM. */
int monitor_hand_over(struct monitor *m, const struct policy_files *files);
/* The same policy, for the addresses that this machine has and the zones that are held now. what:
 * an event that says why, or NULL. error: one line. */
int monitor_recompile(struct monitor *m, const char *what, char error[256]);

/* Takes and answers a child's request; anything that is none ends the sensor. False: there was
 * nothing. */
bool monitor_serve(struct monitor *m, const struct channel *from);

void monitor_tell_installed(const struct monitor *m);
/* An event of kind sensor or enforcement; detail may be "". The second is of severity high: the
 * network is not protected, or not seen. */
void monitor_say(const struct monitor *m, enum kind kind, const char *what, const char *detail);
void monitor_alarm(const struct monitor *m, enum kind kind, const char *what, const char *detail);

/* The file that keeps the last good policy of a configuration path; "" when it cannot be told. */
void last_good_path(const char *config, char path[256]);
bool is_last_good(const char *path);
/* Keeps the policy that is in use there, unless it was read from there. */
void monitor_keep_policy(const struct monitor *m);

#endif
