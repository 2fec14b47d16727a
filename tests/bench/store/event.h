/* Records of events, as a burst has them: a third of them revisions of the one before. */
#ifndef SEALDNS_BENCH_EVENT_H
#define SEALDNS_BENCH_EVENT_H

#include "model/record.h"

void event_make(struct record *r, uint64_t n);

#endif
