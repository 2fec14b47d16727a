/* What is known of a TLS conversation from its records alone. */
#ifndef SEALDNS_OBSERVE_TLS_FLOW_H
#define SEALDNS_OBSERVE_TLS_FLOW_H

#include "base/time.h"
#include "model/record_shape.h"
#include "observe/records.h"

enum tls_flow_flag {
    TLS_HELLO = 1, /* the client began a handshake */
    TLS_SERVER_HELLO = 2,
    TLS_CLIENT_CCS = 4,
    TLS_SERVER_CCS = 8,
    TLS_SERVER_FINISHED = 16, /* TLS 1.2: a handshake record after its CCS */
    TLS_13 = 32,              /* the server's flight was encrypted */
    TLS_FINISHED = 64,        /* the client completed its handshake */
    TLS_ASKED = 128,          /* the client sent application data */
    TLS_ANSWERED = 256,       /* the server did, after that */
    TLS_REJECTED = 512,       /* the client's first encrypted record was an alert */
    TLS_TICKETS_PASSED = 1024,
    TLS_PREFACE_PASSED = 2048, /* HTTP/2: the first client record */
    TLS_TIMED = 4096           /* handshake_us is set */
};

struct tls_flow {
    struct meter meter[2]; /* by enum side of the sender */
    nsec_t waiting_since;  /* 0: the server owes nothing */
    uint32_t asked, answered;
    uint16_t flags;
    uint8_t alert, alert_level;
    bool alert_from_client, alert_seen;
    uint8_t burst;    /* HTTP/2: requests' records in a row */
    uint16_t ticket;  /* length of the record that may be a session ticket */
    nsec_t ticket_at; /* ... when it may be an answer as well; else 0 */
    nsec_t asked_at;  /* the only query that waits; 0: none, or more than one */
    bool heard;       /* a packet of the server came since waiting_since */
    bool prefix[2];   /* the last record of this side was the prefix of the next one's message */
    struct record_shape shape; /* since the last observation */
};

#endif
