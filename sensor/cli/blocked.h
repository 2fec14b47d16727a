/* What the kernel's rules cut of late, by who and whom; for explain. */
#ifndef SEALDNS_CLI_BLOCKED_H
#define SEALDNS_CLI_BLOCKED_H

#include <jansson.h>
#include <stdbool.h>

#include "store/store.h"

struct blocked_subject {
    /* own: the part `sealdns` of an event. *as_client: the subject is its client, else its server.
     */
    bool (*concerns)(void *context, const json_t *own, bool *as_client);
    void *context;
};

/* A line for each other end, rule and verdict, the latest of them; SD_EIO. */
int blocked_print(struct store_reader *r, const struct blocked_subject *s, nsec_t since);

#endif
