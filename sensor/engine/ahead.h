/* A capture read ahead by a thread of its own: what unpacks and reads a file does not hold up who
 * works on its frames. */
#ifndef SEALDNS_ENGINE_AHEAD_H
#define SEALDNS_ENGINE_AHEAD_H

#include "capture/capture.h"

extern const struct capture_ahead reading_ahead;

#endif
