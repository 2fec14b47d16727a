/* A ruleset on trial: `rules apply --confirm`. The guard is a process of its own, in its own
 * session, that outlives whoever started it. It holds the ruleset as it was, a timer, and the
 * abstract socket GUARD_SOCKET of its network namespace, which makes it the only one there, needs
 * no file and goes with it. Unless somebody confirms in time it puts the old ruleset back, and
 * ends. A signal to end does that at once. */
#ifndef SEALDNS_ENGINE_GUARD_H
#define SEALDNS_ENGINE_GUARD_H

#include <sys/types.h>

#include "enforce/snapshot.h"

#define GUARD_SOCKET "sealdns/guard"

enum { GUARD_SHORTEST = 1, GUARD_LONGEST = 86400 }; /* seconds */

enum guard_word {
    /* to the guard; over the socket only by root and the user that it runs as */
    GUARD_WATCH = 1, /* tell me what becomes of it: GUARD_PENDING at once */
    GUARD_CONFIRM,
    GUARD_ROLL_BACK, /* now */
    GUARD_INSTALLED, /* its starter alone: the time runs from now */
    GUARD_GIVE_UP,   /* leave the kernel alone: somebody takes the rules away himself */
    /* from the guard */
    GUARD_PENDING, /* it stands; left_ms */
    GUARD_REFUSED, /* not by you */
    /* how it ended; uid and pid: who asked, pid 0: the time was over */
    GUARD_CONFIRMED,
    GUARD_ROLLED_BACK,
    GUARD_GAVE_UP,
    GUARD_FAILED, /* the new ruleset stays: text says why */
};

struct guard_message {
    uint32_t word, left_ms, uid;
    int32_t pid;
    char text[ENFORCE_ERROR];
};

/* What its starter holds. */
struct guard {
    int channel; /* messages of the guard; at its end somebody killed it */
    int netlink;
    struct snapshot *before;
    nsec_t taken;
};

/* Keeps the kernel's ruleset, makes sure that it could be put back, and starts the guard of it.
 * Until its starter says that the new one is installed it does nothing but roll back when he dies.
 * Call with one thread only. SD_EEXIST: a change waits already; SD_ESTATE: a table with an owner;
 * SD_ENET, SD_EPERM, SD_EUNSUP, SD_EMEM, SD_EIO: error says why. */
int guard_start(unsigned seconds, struct guard *g, char error[ENFORCE_ERROR]);
/* The new rules are in the kernel: the time runs. SD_EIO: the guard is gone or does not answer. */
int guard_arm(struct guard *g);
/* Has the old ruleset put back, by the guard or without it, and waits for that. */
void guard_undo(struct guard *g);
/* Frees what the starter holds; the guard goes on. */
void guard_leave(struct guard *g);
/* Waits for what the guard says, at most timeout_ms. A guard that was killed is done without: the
 * old ruleset is put back here. SD_EAGAIN: nothing yet. */
int guard_hear(struct guard *g, struct guard_message *out, int timeout_ms);

/* --- for everybody else --- */

/* A descriptor to close(); SD_ENOENT: no change waits; SD_EPERM: a stranger holds that socket. */
int guard_connect(char error[ENFORCE_ERROR]);
/* SD_EIO: it is gone. */
int guard_say(int descriptor, enum guard_word word);
/* SD_EAGAIN: nothing within timeout_ms; SD_EEND: it is gone. */
int guard_listen(int descriptor, struct guard_message *out, int timeout_ms);
/* Both, until it has ended. SD_ENOENT, SD_EPERM, SD_EEND, SD_EAGAIN (it does not answer). */
int guard_ask(enum guard_word word, struct guard_message *out, char error[ENFORCE_ERROR]);

#endif
