/* The monitor's side of `rules apply --confirm`: the policy that is in the file is read and goes
 * into force, under a guard that keeps the rules as they were (guard.h). While it is on trial no
 * other policy is taken, nothing that somebody changed in the kernel is put right, and the last
 * good policy stays the one before. */
#ifndef SEALDNS_ENGINE_TRIAL_H
#define SEALDNS_ENGINE_TRIAL_H

#include "engine/monitor.h"

/* error: one line. As guard_start() and monitor_reload(); SD_ESTATE also: the policy has no rules
 * to try. Then everything is as before. */
int trial_begin(struct monitor *m, const struct change_request *request, char error[256]);
/* -1: none pending. */
int trial_descriptor(const struct monitor *m);
/* The guard has something to say: the policy stays, or the one before comes back. */
void trial_hear(struct monitor *m);
/* The sensor ends, and the trial with it: rolled back. */
void trial_end(struct monitor *m);
/* Somebody takes the rules away: there is nothing left to roll back. */
void trial_give_up(struct monitor *m);
/* How long it still waits, in ms. 0: none pending. */
uint32_t trial_left(const struct monitor *m);
/* True: a sensor that ended in the middle of a trial left a guard, which has put the old rules back
 * now; the policy of the file was never confirmed. */
bool trial_abandoned(void);

#endif
