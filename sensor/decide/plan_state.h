/* What plan.c gathers and plan_sum.c sums up. */
#ifndef SEALDNS_DECIDE_PLAN_STATE_H
#define SEALDNS_DECIDE_PLAN_STATE_H

#include "base/intern.h"
#include "decide/plan.h"

enum { NOBODY = UINT32_MAX };

struct plan_block {
    struct addr client, server;
    uint64_t cleartext;
};

struct plan {
    const struct policy *policy;
    nsec_t now;
    /* Keys: an address and its zone as recorded; the same as numbers; a server as recorded; a name
     * with its NUL; client, server, port and transport. */
    struct intern aliases, client_keys, server_keys, names, keys;
    uint32_t *client_of;            /* by alias */
    struct intern machine_keys;     /* addresses */
    struct intern blocked;          /* struct plan_block */
    uint32_t *machine_of, machines; /* by address; one more than the greatest */
    struct plan_client *clients;
    struct plan_server *servers;
    struct plan_conversation *conversations;
    size_t alias_room, machine_room, client_room, server_room, room;
    uint32_t last; /* conversation of the row before */
    struct plan_result result;
};

#endif
