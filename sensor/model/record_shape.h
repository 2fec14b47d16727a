/* What the lengths of a flow's TLS records say of the DNS messages in them (RFC 7830, RFC 8467):
 * counts since the flow's last observation with counts. A plain value. */
#ifndef SEALDNS_MODEL_RECORD_SHAPE_H
#define SEALDNS_MODEL_RECORD_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/latency.h"

enum { RECORD_LARGE = 256 }; /* octets of a message; padded queries for ordinary names have 128 */

/* Records of application data that may hold a message: no tickets, alerts, key updates. */
struct record_side {
    uint32_t records;
    uint32_t messages; /* in them: padded ones can be told apart in one record */
    uint32_t padded;   /* of the messages: their length is a multiple of 128 (client), of 468
                          (server) */
    uint32_t large;    /* records whose messages have RECORD_LARGE octets or more */
    uint64_t octets;   /* plaintext of the records, prefixes and HTTP/2 frame headers with it */
    uint16_t smallest, largest; /* plaintext of one record; 0: none */
};

struct record_shape {
    struct record_side client, server;
    bool exact; /* the suite shows the plaintext's length; without it padded and large are 0, and
                   octets are those of the cipher text */
    uint8_t answer[LATENCY_BUCKETS]; /* from a query to its answer where nothing else waited; a
                                        bucket stays at 255 */
};

#endif
