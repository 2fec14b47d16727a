/* One conversation of the mix: it sends a packet each time it is its turn, and says when it wants
 * the next. */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include "dns.h"
#include "generator.h"
#include "quic.h"

#include <stdbool.h>

enum flow_stage {
    STAGE_SYN,
    STAGE_SYNACK,
    STAGE_ACK,
    STAGE_HELLO,
    STAGE_HELLO_REST,
    STAGE_HELLO_ACK,
    STAGE_SERVER_FLIGHT,
    STAGE_FLIGHT_ACK,
    STAGE_FINISHED,
    STAGE_TICKETS,
    STAGE_REQUEST,
    STAGE_RESPONSE,
    STAGE_DATA_ACK,
    STAGE_FIN,
    STAGE_FIN_BACK,
    STAGE_LAST_ACK,
    STAGE_DONE
};

struct flow {
    uint64_t due_us;
    uint32_t serial; /* breaks ties, so that the order is always the same */
    enum kind kind;
    enum flow_stage stage;
    uint8_t variant;
    struct hop hop;
    uint32_t sequence[2]; /* client, server */
    uint32_t rtt_us;
    uint32_t name;
    uint32_t requests;  /* still to send */
    uint32_t burst;     /* bytes of the response still to send */
    uint32_t record;    /* of them, bytes of the record that is open */
    uint32_t unacked;   /* packets of the server since the client's last */
    uint32_t pipelined; /* queries in flight */
    bool lasting;       /* DoT: asks for long, many queries at once */
    uint64_t planned;   /* packets the mix has put to the account of this flow */
    uint64_t sent;
    struct question question;
    struct quic_keys *keys;
    uint8_t ids[2][QUIC_CONNECTION_ID]; /* the first destination of the client, the server's own */
    bool hybrid;
    uint8_t hello[2048];
    size_t hello_length;
    size_t hello_sent;
};

/* Each sends one packet and sets the next stage and time; STAGE_DONE when there is none. `closing`
 * cuts flows short. */
void flow_step_do53(struct generator *g, struct flow *flow, bool closing);
void flow_step_tls(struct generator *g, struct flow *flow, bool closing);
void flow_step_quic(struct generator *g, struct flow *flow, bool closing);
void flow_step_other(struct generator *g, struct flow *flow, bool closing);

/* Moves on to `stage` after this many microseconds. */
void flow_next(struct flow *flow, enum flow_stage stage, uint64_t after_us);

#endif
