/* The kernel's log of what our rules cut: the monitor opens it and hands it over, the parser reads
 * it. Without it (another program reads the group, a kernel that cannot) everything else goes on.
 */
#ifndef SEALDNS_ENGINE_CUTS_H
#define SEALDNS_ENGINE_CUTS_H

#include "base/time.h"
#include "enforce/cutlog.h"
#include "model/observation.h"
#include "model/stats.h"

/* --- the monitor's part ---------------------------------------------------------------------- */

struct monitor;

struct cuts_opened {
    uint16_t group; /* that the parser reads; 0: none */
    nsec_t tried;
    char why[ENFORCE_ERROR]; /* it could not be opened; "" where that is not so */
};

/* Once, before rules are compiled: a kernel that cannot log is not asked to. */
void cuts_begin(struct monitor *m);
/* After every wake-up: opens the log when there are rules, tries again every five seconds. */
void cuts_watch(struct monitor *m, nsec_t now);

/* --- the parser's part ----------------------------------------------------------------------- */

struct board;
struct cuts_reader;

/* NULL: no memory. */
struct cuts_reader *cuts_reader_create(const struct board *board, uint64_t seed);
void cuts_reader_destroy(struct cuts_reader *r);
/* A socket in place of the one before, -1: none any more. It is the reader's. */
void cuts_reader_take(struct cuts_reader *r, int descriptor);
int cuts_reader_descriptor(const struct cuts_reader *r); /* for poll(); -1: none */
/* Gives an OBSERVE_MET for each line that waits, a bounded share of them; counts in stats. True:
 * there may be more. */
bool cuts_reader_read(struct cuts_reader *r, struct observation_sink sink, struct stats *stats);

#endif
