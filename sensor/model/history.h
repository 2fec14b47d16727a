/* What the store recorded of one conversation in one hour, as it is read back by the million. A
 * plain value; its texts are borrowed during the call and do not end in NUL. */
#ifndef SEALDNS_MODEL_HISTORY_H
#define SEALDNS_MODEL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct history_text {
    const char *at;
    uint32_t length;
};

struct history_row {
    nsec_t hour; /* its start, UTC */
    struct history_text client, server, transport;
    struct history_text zone; /* as the policy of that time called it, "" none */
    struct history_text name; /* of the server: SNI, or the known resolver's; "" none */
    uint16_t server_port;
    bool gateway_resolver; /* the server was the gateway itself, asked on port 53 */
    uint64_t flows, flows_failed, queries, responses;
};

struct history_sink {
    /* Anything but SD_OK ends the reading. */
    int (*take)(void *context, const struct history_row *row);
    void *context;
};

#endif
