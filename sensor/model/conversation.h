/* A conversation: one client, one server address, one server port, one transport. A plain value. */
#ifndef SEALDNS_MODEL_CONVERSATION_H
#define SEALDNS_MODEL_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

struct conversation_key {
    struct addr client, server;
    uint16_t server_port;
    uint8_t transport; /* enum transport */
    uint8_t zero[5];
};

struct conversation {
    struct conversation_key key;
    nsec_t first, last;
    uint64_t queries, responses, bytes_out, bytes_in;
    uint64_t flows, flows_failed;
    int16_t zone, resolver;
    bool approved;
    uint8_t inside; /* bits of enum inside */
    bool queries_estimated;
    uint8_t identified_by;
    uint8_t confidence;
    uint16_t tls_version;
    uint16_t iface, vlan; /* where it was noted, for the zone of another policy */
    char alpn[64];        /* what the client offered, "dot" or "h2,http/1.1" */
    char name[128]; /* SNI, else the known resolver's name; longer names are cut and end in '~' */
};

#endif
