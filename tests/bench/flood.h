/* What the floods share. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "generator.h"

/* When the packet of this number passes: as evenly as the plan's rate has it. */
uint64_t flood_time(const struct generator *g, uint64_t number);

#endif
