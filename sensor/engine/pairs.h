/* The monitor's side of pairs (model/pair.h): what the parser asks for is judged by the monitor's
 * own policy, written into the kernel in one transaction a turn, and kept in mind until it ends, so
 * that a table that was taken away comes back with them.
 *
 * A parser that was taken over gets no more than this: WRITES a second, MOST of them, CLIENT of one
 * client, and never the gateway, an approved resolver, an exception or a zone that does not cut.
 * About 12 MiB at worst, touched as pairs come. */
#ifndef SEALDNS_ENGINE_PAIRS_H
#define SEALDNS_ENGINE_PAIRS_H

#include <stdbool.h>

#include "model/pair.h"
#include "model/policy.h"
#include "model/probe.h"

enum { PAIRS_MOST = 100000, PAIRS_OF_CLIENT = 128, PAIRS_WRITES = 10000 /* a second */ };

struct monitor;
struct ruleset;
struct pairs;

/* NULL: no memory. */
struct pairs *pairs_create(void);
void pairs_destroy(struct pairs *p);
/* False: no request that the parser makes. What the policy does not cut is counted, no more: the
 * parser may have another policy for a moment. */
bool pairs_ask(struct monitor *m, const struct pair_batch *asked);
/* What was asked for goes into the kernel, and the parser is told. */
void pairs_flush(struct monitor *m);
/* A probe has got an answer by DNS over HTTPS, or none. */
void pairs_probed(struct pairs *p, const struct probe_report *report);
/* At the start: those that the sensor before left in the kernel. */
void pairs_recall(struct monitor *m);
/* Once more into the kernel, all that hold: its table is one of before. */
void pairs_rewrite(struct monitor *m);
/* Those that hold under this policy become part of the model. SD_EMEM. */
int pairs_fill(struct pairs *p, const struct policy *policy, struct ruleset *r);
uint32_t pairs_count(const struct pairs *p);

#endif
