/* `rules apply --confirm` and `rules confirm`, as far as they speak with people. */
#ifndef SEALDNS_CLI_CONFIRM_H
#define SEALDNS_CLI_CONFIRM_H

#include "engine/guard.h"

/* Waits until the rules that are on trial are confirmed or rolled back; on a terminal Enter
 * confirms. own: the guard that this process started, else NULL. An exit status: EXIT_DONE only if
 * they were confirmed. */
int confirm_await(struct guard *own);
/* An exit status. */
int confirm_now(void);

#endif
