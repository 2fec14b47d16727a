/* What goes over UDP in the mix: DNS in clear, QUIC, and the rest. */
#include "flow.h"
#include "names.h"
#include "tls.h"

#include <err.h>
#include <string.h>

enum { CLIENT, SERVER };
enum { CLIENT_ORIGINAL, SERVER_OWN };

static void send(struct generator *g, struct flow *flow, int side, struct payload payload)
{
    struct hop back = hop_back(&flow->hop);
    wire_udp(&g->wire, flow->due_us, side == CLIENT ? &flow->hop : &back, payload);
    count_packet(g, flow->kind);
    flow->sent++;
}

static void ask(struct generator *g, struct flow *flow)
{
    uint8_t message[DNS_MESSAGE_MAX];
    if (flow->requests-- == flow->variant) {
        count_flow(g, KIND_DO53, &flow->hop);
    }
    size_t length = dns_query(message, &flow->question);
    send(g, flow, CLIENT, (struct payload){message, length});
    g->tally[KIND_DO53].queries++;
    /* a stub's A and AAAA leave together, from one port */
    flow_next(flow, flow->requests != 0 ? STAGE_REQUEST : STAGE_RESPONSE,
              flow->requests != 0 ? 20 : flow->rtt_us);
    flow->question.type = flow->requests != 0 ? DNS_AAAA : DNS_A;
    flow->question.id ^= flow->variant == 2 ? 0x5555 : 0;
}

static void answer(struct generator *g, struct flow *flow)
{
    uint8_t message[DNS_MESSAGE_MAX];
    size_t length = dns_response(message, &flow->question);
    send(g, flow, SERVER, (struct payload){message, length});
    g->tally[KIND_DO53].responses++;
    flow_next(flow, ++flow->requests < flow->variant ? STAGE_RESPONSE : STAGE_DONE, 150);
    flow->question.type = DNS_AAAA;
    flow->question.id ^= 0x5555;
}

void flow_step_do53(struct generator *g, struct flow *flow, bool closing)
{
    (void)closing;
    if (flow->stage != STAGE_RESPONSE) {
        ask(g, flow);
    } else {
        answer(g, flow);
    }
}

void flow_step_other(struct generator *g, struct flow *flow, bool closing)
{
    (void)closing;
    bool reply = flow->stage == STAGE_RESPONSE;
    if (flow->variant == 0) {
        struct hop back = hop_back(&flow->hop);
        wire_icmp_echo(&g->wire, flow->due_us, reply ? &back : &flow->hop, reply);
        count_packet(g, KIND_OTHER);
        flow->sent++;
    } else {
        uint8_t ntp[48] = {reply ? 0x24 : 0x23}; /* version 4, server or client */
        send(g, flow, reply ? SERVER : CLIENT, (struct payload){ntp, sizeof ntp});
    }
    g->tally[KIND_OTHER].flows += !reply;
    flow_next(flow, reply ? STAGE_DONE : STAGE_RESPONSE, flow->rtt_us);
}

static void begin_quic(struct generator *g, struct flow *flow)
{
    char name[NAME_MAX_LENGTH];
    name_text(flow->name, name);
    struct hello hello = {name, {"h3"}, flow->hybrid, true};
    flow->hello_length = tls_client_hello(flow->hello, &hello, &g->random);
    random_bytes(&g->random, flow->ids[CLIENT_ORIGINAL], QUIC_CONNECTION_ID);
    random_bytes(&g->random, flow->ids[SERVER_OWN], QUIC_CONNECTION_ID);
    flow->keys = quic_keys_create(flow->ids[CLIENT_ORIGINAL]);
    if (flow->keys == NULL) {
        err(1, "out of memory");
    }
    count_flow(g, KIND_QUIC, &flow->hop);
}

static void send_client_initial(struct generator *g, struct flow *flow)
{
    uint8_t datagram[QUIC_DATAGRAM_MAX];
    if (flow->hello_length == 0) {
        begin_quic(g, flow);
    }
    size_t rest = flow->hello_length - flow->hello_sent, most = QUIC_DATAGRAM - 60;
    struct initial initial = {.destination = flow->ids[CLIENT_ORIGINAL],
                              .number = flow->hello_sent != 0,
                              .crypto = flow->hello + flow->hello_sent,
                              .offset = flow->hello_sent,
                              .length = rest < most ? rest : most,
                              .size = QUIC_DATAGRAM};
    size_t length = quic_initial(datagram, flow->keys, &initial);
    send(g, flow, CLIENT, (struct payload){datagram, length});
    flow->hello_sent += initial.length;
    bool whole = flow->hello_sent == flow->hello_length;
    flow_next(flow, whole ? STAGE_SERVER_FLIGHT : STAGE_HELLO_REST, whole ? flow->rtt_us : 20);
}

static void send_server_initial(struct generator *g, struct flow *flow)
{
    uint8_t datagram[QUIC_DATAGRAM_MAX], message[TLS_HELLO_MAX];
    struct hello hello = {.hybrid = flow->hybrid, .quic = true};
    size_t hello_length = tls_server_hello(message, &hello, &g->random);
    struct initial initial = {.from_server = 1,
                              .source = flow->ids[SERVER_OWN],
                              .crypto = message,
                              .length = hello_length,
                              .size = flow->hybrid ? QUIC_DATAGRAM + 30 : 200};
    size_t length = quic_initial(datagram, flow->keys, &initial);
    if (!flow->hybrid) {
        length += quic_handshake(datagram + length, NULL, flow->ids[SERVER_OWN], 1000, &g->random);
    }
    send(g, flow, SERVER, (struct payload){datagram, length});
    flow_next(flow, STAGE_TICKETS, 60);
}

static void send_certificates(struct generator *g, struct flow *flow)
{
    uint8_t datagram[QUIC_DATAGRAM_MAX];
    size_t length = quic_handshake(datagram, NULL, flow->ids[SERVER_OWN], 1200, &g->random);
    send(g, flow, SERVER, (struct payload){datagram, length});
    flow_next(flow, STAGE_FINISHED, 900);
}

static void send_client_finished(struct generator *g, struct flow *flow)
{
    uint8_t datagram[QUIC_DATAGRAM_MAX];
    struct initial initial = {.destination = flow->ids[SERVER_OWN], .number = 2, .size = 60};
    size_t length = quic_initial(datagram, flow->keys, &initial);
    length += quic_handshake(datagram + length, flow->ids[SERVER_OWN], NULL, 80, &g->random);
    length += quic_short(datagram + length, flow->ids[SERVER_OWN], 1000, &g->random);
    send(g, flow, CLIENT, (struct payload){datagram, length});
    quic_keys_destroy(flow->keys);
    flow->keys = NULL;
    flow_next(flow, STAGE_REQUEST, 1000);
}

static void send_short(struct generator *g, struct flow *flow, int side, size_t length)
{
    uint8_t datagram[QUIC_DATAGRAM_MAX];
    const uint8_t *destination = side == CLIENT ? flow->ids[SERVER_OWN] : NULL;
    length = quic_short(datagram, destination, length, &g->random);
    send(g, flow, side, (struct payload){datagram, length});
}

static void transfer(struct generator *g, struct flow *flow, bool closing)
{
    if (flow->stage == STAGE_REQUEST) {
        send_short(g, flow, CLIENT, 60 + random_below(&g->random, 300));
        flow->requests--;
        flow->burst = random_heavy(&g->random, 3, closing ? 4 : 3000); /* packets */
        flow_next(flow, STAGE_RESPONSE, flow->rtt_us);
    } else if (flow->stage == STAGE_RESPONSE) {
        send_short(g, flow, SERVER, 1225);
        flow->burst = closing && flow->burst > 4 ? 4 : flow->burst - 1;
        bool acknowledge = flow->burst == 0 || ++flow->unacked == 4;
        flow_next(flow, acknowledge ? STAGE_DATA_ACK : STAGE_RESPONSE, 60);
    } else {
        send_short(g, flow, CLIENT, 30);
        flow->unacked = 0;
        bool last = flow->burst == 0 && (flow->requests == 0 || closing);
        enum flow_stage after = last ? STAGE_DONE : STAGE_REQUEST;
        flow_next(flow, flow->burst != 0 ? STAGE_RESPONSE : after, flow->burst != 0 ? 100 : 800000);
    }
}

void flow_step_quic(struct generator *g, struct flow *flow, bool closing)
{
    switch (flow->stage) {
    case STAGE_SYN:
    case STAGE_HELLO_REST:
        send_client_initial(g, flow);
        break;
    case STAGE_SERVER_FLIGHT:
        send_server_initial(g, flow);
        break;
    case STAGE_TICKETS:
        send_certificates(g, flow);
        break;
    case STAGE_FINISHED:
        send_client_finished(g, flow);
        break;
    default:
        transfer(g, flow, closing);
        break;
    }
}
