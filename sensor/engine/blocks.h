/* The kernel's counters of the rules that cut, redirect or only count, on their way from the
 * monitor, which may ask for them, to the recorder, which answers. */
#ifndef SEALDNS_ENGINE_BLOCKS_H
#define SEALDNS_ENGINE_BLOCKS_H

#include <jansson.h>

/* A descriptor with those that met a packet, 4,096 at most; the caller's. -1: there is nothing to
 * tell. */
int blocks_pack(void);
/* What blocks_pack() gave as an array, which is empty where it gave nothing; closes it. */
json_t *blocks_unpack(int descriptor);

#endif
