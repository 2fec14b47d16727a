/* One sensor alone may have rules in a network namespace: two would put each other's right without
 * end. Who has some holds the abstract socket SOLE_SOCKET, which needs no file and goes with the
 * process. */
#ifndef SEALDNS_ENGINE_SOLE_H
#define SEALDNS_ENGINE_SOLE_H

#include <stdint.h>

#define SOLE_SOCKET "sealdns/rules"

/* *descriptor: -1, or already held; then to close(), to give it up. SD_EEXIST: another sensor of
 * root's or our own user has it, and error (256 bytes) names it. A stranger who took the name is no
 * reason not to protect the network: that is a warning, and *descriptor stays -1. */
int sole_take(int *descriptor, char *error);
/* The process that has it, 0: none, or a stranger. */
int32_t sole_holder(void);

#endif
