/* Before rules may cut: does any resolver that a zone approves answer, and would the policy cut off
 * the machine that it stands on? A check is a process of its own, without capability, that asks
 * with threads; nobody waits for it who does not want to. */
#ifndef SEALDNS_ENGINE_PREFLIGHT_H
#define SEALDNS_ENGINE_PREFLIGHT_H

#include <sys/types.h>

#include "model/policy.h"

struct preflight; /* a check that was begun: 2 KiB and a few octets a zone */

/* The zone cuts something, and every resolver that it approves can be asked: there is an address,
 * and a transport that a probe speaks and that the policy does not cut for this machine itself. Of
 * others nothing is known. */
bool preflight_concerns(const struct policy *p, size_t zone);

/* Asks one resolver of each zone, then all of those whose first one was silent. NULL: no memory or
 * no process. */
struct preflight *preflight_begin(const struct policy *p);
/* Ends the process if it still asks. */
void preflight_destroy(struct preflight *f);
/* False: it still asks. One that died, or takes longer than six seconds, is over. */
bool preflight_over(const struct preflight *f, nsec_t now);
/* Waits until it is over. */
void preflight_wait(const struct preflight *f);
/* It came to its end: who has not answered is silent. */
bool preflight_finished(const struct preflight *f);
/* Somebody who waits for all children has waited for this one too. */
void preflight_reaped(struct preflight *f, pid_t child);
/* Some resolver of this zone, of the policy that was checked, answered. */
bool preflight_answered(const struct preflight *f, size_t zone);

/* The rules would cut off the resolver of this machine (/etc/resolv.conf) or, on a port that they
 * watch, this machine itself. SD_ESTATE: error says what and what would be right. */
int preflight_objection(const struct policy *p, nsec_t now, char error[256]);

#endif
