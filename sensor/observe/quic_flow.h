/* What is known of a QUIC conversation from its headers alone. */
#ifndef SEALDNS_OBSERVE_QUIC_FLOW_H
#define SEALDNS_OBSERVE_QUIC_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum quic_flow_flag {
    QUIC_TRIED = 1,   /* the client sent an Initial */
    QUIC_REPLIED = 2, /* the server sent a long header */
    QUIC_ASKED = 4,   /* the client sent 1-RTT packets after that */
    QUIC_ANSWERED = 8 /* and the server did */
};

struct quic_flow {
    nsec_t waiting_since; /* 0: the server owes nothing */
    nsec_t tried;         /* the latest attempt */
    uint32_t asked, answered;
    uint8_t flags;
    bool dnscrypt;
    bool tls13;              /* the server speaks a version that is TLS 1.3 by definition */
    uint8_t server_length;   /* of the connection id that the server chose; 0: none yet */
    uint32_t client, server; /* hashes of the ids that the client tried and the server chose */
};

#endif
