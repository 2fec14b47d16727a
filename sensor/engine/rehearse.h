/* A policy held against what was recorded: what `sealdns plan` and the dashboard ask. */
#ifndef SEALDNS_ENGINE_REHEARSE_H
#define SEALDNS_ENGINE_REHEARSE_H

#include "decide/plan.h"
#include "store/store.h"

/* Where recorded rows come from: the functions of store/ of the same names, whatever is behind
 * them.
 */
struct rehearsal_source {
    void *reader;
    int (*history)(void *reader, nsec_t since, const struct history_sink *sink);
    int (*blocked)(void *reader, nsec_t since,
                   int (*fn)(void *context, const struct blocked_row *row), void *context);
    int (*memory)(void *reader, const char *topic, const char *key,
                  int (*fn)(void *context, const struct memory_row *row), void *context);
};
struct rehearsal_source rehearsal_of_store(struct store_reader *r);

struct rehearsal {
    struct policy *policy; /* the caller's, and nobody else's: addresses of the gateway that only
                              the record knows are added to it */
    nsec_t since, now;
    void (*progress)(void *context, uint64_t rows); /* now and then; NULL: nobody looks */
    void *context;

    /* What came out, until rehearsal_finish(). */
    struct plan *plan;
    char **hosts;           /* by machine */
    size_t machines, moved; /* moved: such addresses of the gateway */

    size_t machine_room;
    uint64_t rows;
    int stopped; /* why the reading was ended: who reads does not say */
};

/* SD_EIO, SD_EMEM. */
int rehearse(struct rehearsal *q, const struct rehearsal_source *r);
void rehearsal_finish(struct rehearsal *q);

#endif
