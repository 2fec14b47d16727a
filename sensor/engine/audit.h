/* Who changed a policy or the rules: what this machine knows of the process that asked, as
 * evidence, and the event that carries it. What a process says of itself (its name, SSH_CONNECTION
 * of its environment) is its own word and taken as hostile text; uid and pid are the kernel's. */
#ifndef SEALDNS_ENGINE_AUDIT_H
#define SEALDNS_ENGINE_AUDIT_H

#include "engine/monitor.h"

enum { AUDIT_CHANGES = 480 };

struct audit {
    const char *what;           /* "policy changed", "installed", ... */
    const char *detail;         /* "" nothing to add */
    struct asker who;           /* pid 0 and no via: nobody, it happened by itself */
    const char *via;            /* "socket", "signal", "start", "exit" */
    char before[17], after[17]; /* digests of policies, "" of none */
    char changes[AUDIT_CHANGES];
};

/* before, after and changes. Digests alone differ where the catalogue, a detection or a comment
 * does. */
void audit_compare(struct audit *a, const struct policy *before, const struct policy *after);
/* An event of kind enforcement. */
void audit_tell(const struct monitor *m, const struct audit *a);
/* uid, pid and via, and as long as it lives and is that user's: program, login_uid (who logged in,
 * also behind sudo), tty, from (the address of the SSH session, if there is one: of the process or
 * an ancestor of up to 16, read only where these run as root or as we do). Never waits for the
 * process. */
void audit_who(struct evidence *e, const struct asker *who, const char *via);
/* The sensor itself, for what it does when it starts: "from" is who started it. */
struct asker audit_self(void);

#endif
