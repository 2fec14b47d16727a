/* A thread that carries lines from a spool to a receiver, so that the recorder waits for none. What
 * cannot be told now waits in the spool: the pause before the next try grows from 200 ms to 30 s. A
 * receiver that acknowledges nothing (syslog) is told the last ten seconds again when its
 * connection broke: that it took octets does not say that it read them. */
#ifndef SEALDNS_ENGINE_COURIER_H
#define SEALDNS_ENGINE_COURIER_H

#include "output/output.h"

struct courier;

struct courier_counts {
    struct spool_counts spool;
    uint64_t told;            /* lines, those told again included */
    uint64_t failures;        /* tries that failed */
    uint64_t refused;         /* lines that the receiver wants never */
    nsec_t failing;           /* since when; 0: it is not */
    char error[OUTPUT_ERROR]; /* of the last failure, "" never */
};

/* Takes over the feed's state, also when it fails. SD_EIO: error says why; SD_EMEM. */
int courier_open(const struct output_feed *feed, void *state, const struct policy_output *config,
                 const char *folder, struct courier **out, char error[OUTPUT_ERROR]);
/* Tries for two seconds to tell what waits; the rest stays in the spool. */
void courier_close(struct courier *c);

/* SD_EIO: lost. */
int courier_put(struct courier *c, const char *line, const struct spool_mark *mark);
int courier_flush(struct courier *c); /* SD_EIO: lines wait in memory */

void courier_counts(struct courier *c, struct courier_counts *out);

#endif
