/* The parser's side of pairs (model/pair.h): what detectors ask for goes to the monitor in batches,
 * and what the kernel has by then comes back as an observation and an event. */
#ifndef SEALDNS_ENGINE_PAIRING_H
#define SEALDNS_ENGINE_PAIRING_H

#include "engine/pipeline.h"
#include "priv/channel.h"

struct pairing {
    const struct channel *monitor;
    struct message waiting; /* what was not sent yet */
    uint64_t dropped;       /* while the monitor was behind: the client's next try asks again */
};

/* A struct pair_sink; context is the struct pairing. */
void pairing_put(void *context, const struct cut_pair *p);
/* Never waits: the monitor may wait for us at the same time. */
void pairing_flush(struct pairing *p);
/* TELL_PAIRS. */
void pairing_told(struct back *b, const struct policy *policy, const struct pair_batch *told);

#endif
