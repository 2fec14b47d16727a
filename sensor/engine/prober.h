/* The recorder's second thread: it asks resolvers (probe/), one after the other, so that the
 * recorder itself waits for none. Who waits in its queue is asked once; a full queue refuses. 405
 * KiB: 256 targets of 1,496 octets, 32 results of 976. */
#ifndef SEALDNS_ENGINE_PROBER_H
#define SEALDNS_ENGINE_PROBER_H

#include <stdbool.h>

#include "probe/probe.h"

enum { PROBER_QUEUE = 256, PROBER_RESULTS = 32 };

struct prober;

/* NULL: no memory, no thread. */
struct prober *prober_create(void);
/* Waits for the thread, which gives up what it does within a second or two. */
void prober_destroy(struct prober *p);
/* SD_EEXIST: it waits there already; SD_ELIMIT: the queue is full. */
int prober_ask(struct prober *p, const struct probe_target *t, nsec_t timeout);
/* False: no result is ready. */
bool prober_take(struct prober *p, struct probe_report *out);
/* Readable when a result is ready. */
int prober_descriptor(const struct prober *p);

#endif
