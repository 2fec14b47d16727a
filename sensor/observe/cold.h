/* The part of a flow that exists only while its payload is read. */
#ifndef SEALDNS_OBSERVE_COLD_H
#define SEALDNS_OBSERVE_COLD_H

#include "model/tls.h"
#include "observe/assembly.h"
#include "observe/proof.h"
#include "observe/quic_flow.h"
#include "observe/reset.h"
#include "observe/stream.h"
#include "observe/tls_flow.h"

enum payload_reader { READ_UNKNOWN, READ_DNS, READ_TLS, READ_QUIC, READ_OTHER };

struct cold {
    nsec_t last;        /* time of the last packet; the hot part has it to a tick */
    nsec_t client_sent; /* ... of the last payload of the client */
    struct server_ids server_ids;
    struct stream stream[2];         /* TCP, by enum side of the sender */
    struct dns_assembly assembly[2]; /* READ_DNS */
    struct tls_flow tls;             /* READ_TLS */
    struct quic_flow quic;           /* READ_QUIC */
    struct watch *watch;             /* of "observe/behaviour.h" */
    void *classifying;               /* state of classifier_ops */
    struct tls_facts *facts;
    uint32_t queries, responses; /* estimated, since the last observation */
    uint32_t handshake_us;
    uint8_t reader; /* enum payload_reader */
    uint8_t classified_packets;
    uint8_t looks;    /* packets with payload of a flow that is still a riddle */
    uint8_t guess;    /* enum classify_guess */
    uint8_t answer;   /* enum classify_answer */
    uint8_t watching; /* enum watch_state */
    uint8_t proof;    /* enum proof, of the client */
};

#endif
