/* A meter of TLS records (RFC 8446 5.1): type and length of each, the two bytes of an alert in
 * clear, nothing else is kept. Bytes that the capture lacks are skipped over where they lie in a
 * record; otherwise the meter is lost until a segment begins with a record header. */
#ifndef SEALDNS_OBSERVE_RECORDS_H
#define SEALDNS_OBSERVE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/stream.h"

enum tls_content { TLS_CCS = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_DATA = 23 };

struct tls_record {
    uint8_t type;               /* enum tls_content */
    uint8_t alert_level, alert; /* TLS_ALERT of two bytes: in clear; else 0, 255 */
    uint16_t length;
};

enum meter_state { METER_FRESH, METER_RUNNING, METER_LOST, METER_NOT_TLS };

struct meter {
    uint32_t left; /* of the record's body */
    uint16_t length;
    uint8_t header[5];
    uint8_t have; /* of the header */
    uint8_t type;
    uint8_t alert[2];
    uint8_t state; /* enum meter_state */
};

struct meter_reader {
    void (*record)(void *context, const struct tls_record *record);
    void *context;
};

/* True when these bytes begin like a TLS record, or like the hello of SSL 2.0 (RFC 5246 E.2). */
bool tls_begins(const uint8_t *bytes, size_t length);
/* The stream begins in the middle. */
void meter_begin_lost(struct meter *m);
/* A record is told when its header is whole, an alert when its body is. */
void meter_feed(struct meter *m, const struct stream_piece *piece, struct meter_reader reader);

#endif
