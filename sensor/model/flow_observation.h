/* What an observation of a flow holds: a step in its life and the counts since the last. A plain
 * value. */
#ifndef SEALDNS_MODEL_FLOW_OBSERVATION_H
#define SEALDNS_MODEL_FLOW_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/behaviour.h"
#include "model/record_shape.h"
#include "model/tls.h"

/* A flow passes through these in order, leaving out what does not happen; PROGRESS may repeat. */
enum flow_phase {
    FLOW_OPENED,      /* first SYN or Initial: an attempt. Carries no counts */
    FLOW_IDENTIFIED,  /* the transport is known (and the name, where visible) */
    FLOW_ESTABLISHED, /* encrypted DNS worked: handshake, a client record, a server record after it;
                         on Do53/TCP: an answer */
    FLOW_PROGRESS,    /* counts, at most one a second */
    FLOW_FAILED,      /* it ended or stalled before ESTABLISHED; cause says why */
    FLOW_CLOSED,      /* it ended or idled out after ESTABLISHED */
    FLOW_AFTERMATH,   /* packets after the reset that ended it say more about who sent that: signs.
                         No counts */
    FLOW_BEHAVIOUR,   /* how a flow of TRANSPORT_TLS or TRANSPORT_QUIC behaves. No counts; may come
                         anywhere before the end, and again */
    /* After ESTABLISHED, of DNS over TLS and HTTPS: a query gets no answer. `first` is when it was
       sent. No counts, and again and again. */
    FLOW_WAITING, /* since nearly a second */
    FLOW_STALLED, /* too long, or the flow ended so; cause says how */
    FLOW_RESUMED  /* the server speaks again */
};

/* What speaks against the server having sent a reset (Weaver, Sommer, Paxson, NDSS 2009). Bits. */
enum reset_sign {
    RESET_TTL = 1,        /* three hops or more from the server's other packets of the flow */
    RESET_IP_ID = 2,      /* far from the server's IP IDs in the flow */
    RESET_SEQUENCE = 4,   /* not where the server's stream stood, or the server went on after it */
    RESET_FORM = 8,       /* flags, acknowledgment or window as no stack sends them there */
    RESET_EARLY = 16,     /* before an answer to the client's packet can have come back */
    RESET_BOTH_WAYS = 32, /* the client was made to reset as well, within ten milliseconds */
    RESET_TTL_AGAIN = 64 /* the server's packets before and after it have one TTL, it has another */
};

struct flow_observation {
    uint8_t phase;         /* enum flow_phase */
    uint8_t identified_by; /* bits BY(enum evidence_source) */
    uint8_t confidence;    /* 0..100 */
    uint8_t cause;         /* of FLOW_FAILED and FLOW_STALLED: enum cause */
    uint8_t origin;        /* enum origin, as far as this flow alone tells */
    bool from_client;      /* the reset, alert or close came from the client */
    uint8_t alert;         /* TLS alert description, 255: one in cipher text; 0: none seen */
    uint8_t icmp_type, icmp_code;
    uint8_t ttl_fault;  /* of the packet that ended it */
    uint8_t ttl_server; /* usual one of the server in this flow, 0: unknown */
    uint8_t signs;      /* of a reset: bits of enum reset_sign that the flow alone shows */
    bool queries_estimated;
    bool payload_seen;     /* the client got as far as sending payload */
    bool server_spoke;     /* the server sent payload */
    bool bulky;            /* ... much at a stretch: the web, a download (observe/behaviour.h) */
    bool client_proven;    /* it gets what the server sends: nobody just wrote its address there */
    uint8_t attempts;      /* SYNs or Initials seen */
    uint32_t handshake_us; /* SYN or Initial to the end of the handshake, 0: unknown */
    uint32_t rtt_us;       /* SYN to SYN-ACK, 0: unknown */
    uint32_t gap_us;       /* from what the client had sent to the reset, 0: unknown */
    struct addr icmp_source;
    nsec_t first, last; /* of its packets; last 0: at the observation's time */
    /* Counts since the flow's last observation that carried counts. */
    uint32_t flows; /* 1 in the first that carries counts, then 0 */
    uint32_t queries, responses;
    uint64_t packets, bytes_out, bytes_in;
    struct record_shape shape;  /* TLS over TCP, where records are read */
    struct behaviour behaviour; /* FLOW_BEHAVIOUR */
    struct tls_facts tls;
};

#endif
