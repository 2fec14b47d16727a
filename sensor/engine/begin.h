/* What the monitor tells when it starts of what happened while no sensor ran. */
#ifndef SEALDNS_ENGINE_BEGIN_H
#define SEALDNS_ENGINE_BEGIN_H

#include "engine/monitor.h"

/* Before rules are installed and the policy becomes the last good one: an event where the policy is
 * another than the last good one, where it was wrong, and where the kernel holds a table that is
 * not as the policy says. */
void begin_tell(const struct monitor *m);

#endif
