/* TLS 1.3 over TCP: web traffic on 443 with heavy-tailed responses, and DoT on 853 with padded
 * messages. */
#include "flow.h"
#include "names.h"
#include "tls.h"

#include <string.h>

/* RFC 8467: queries padded to 128, responses to 468; a length prefix, the content type and the tag
 * around them */
enum { DOT_QUERY_RECORD = 2 + 128 + 17, DOT_RESPONSE_RECORD = 2 + 468 + 17 };
enum { FINISHED_RECORD = 53, TICKET_RECORD = 250, THINK_US = 1500000 };
/* What a lasting connection to a resolver has in flight, and what its answers put into a segment.
 */
enum { LASTING_MOST = 8, LASTING_THINK_US = 200000, RESPONSES_A_SEGMENT = 2 };
enum { CLIENT, SERVER };

static const struct payload nothing;

void flow_next(struct flow *flow, enum flow_stage stage, uint64_t after_us)
{
    flow->stage = stage;
    flow->due_us += after_us;
}

static void send(struct generator *g, struct flow *flow, int side, uint8_t flags,
                 struct payload payload)
{
    struct hop back = hop_back(&flow->hop);
    uint8_t ack = flow->stage == STAGE_SYN ? 0 : TCP_ACK;
    struct segment segment = {flow->sequence[side], ack != 0 ? flow->sequence[!side] : 0,
                              (uint8_t)(flags | ack | (payload.length != 0 ? TCP_PSH : 0))};
    wire_tcp(&g->wire, flow->due_us, side == CLIENT ? &flow->hop : &back, segment, payload);
    flow->sequence[side] += (uint32_t)payload.length + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    count_packet(g, flow->kind);
    flow->sent++;
    flow->unacked = side == SERVER ? flow->unacked + 1 : 0;
}

static struct hello hello_of(const struct flow *flow, char name[NAME_MAX_LENGTH])
{
    struct hello hello = {.hybrid = flow->hybrid};
    if (flow->kind == KIND_TLS) {
        name_text(flow->name, name);
        hello.name = name;
        hello.alpn[0] = "h2";
        hello.alpn[1] = "http/1.1";
    } else {
        /* DoT clients differ: with a name or without, with ALPN or without */
        hello.name = (flow->variant & 1) != 0 ? "dot.resolver.example" : NULL;
        hello.alpn[0] = (flow->variant & 2) != 0 ? "dot" : NULL;
    }
    return hello;
}

static void start(struct generator *g, struct flow *flow)
{
    count_flow(g, flow->kind, &flow->hop);
    send(g, flow, CLIENT, TCP_SYN, nothing);
    flow_next(flow, STAGE_SYNACK, flow->rtt_us);
}

static void send_hello(struct generator *g, struct flow *flow)
{
    if (flow->stage == STAGE_HELLO) {
        char name[NAME_MAX_LENGTH];
        uint8_t message[TLS_HELLO_MAX];
        struct hello hello = hello_of(flow, name);
        size_t length = tls_client_hello(message, &hello, &g->random);
        flow->hello_length = tls_record(flow->hello, TLS_RECORD_HANDSHAKE, message, length);
    }
    size_t length = flow->hello_length - flow->hello_sent;
    if (length > WIRE_TCP_PAYLOAD) {
        length = WIRE_TCP_PAYLOAD;
    }
    send(g, flow, CLIENT, 0, (struct payload){flow->hello + flow->hello_sent, length});
    flow->hello_sent += length;
    bool whole = flow->hello_sent == flow->hello_length;
    flow_next(flow, whole ? STAGE_HELLO_ACK : STAGE_HELLO_REST, whole ? flow->rtt_us : 30);
}

/* Fills a segment with sealed records of the burst. A record's header never straddles two segments.
 */
static size_t fill(struct generator *g, struct flow *flow, uint8_t *out, size_t room)
{
    size_t length = 0;
    while (flow->burst != 0 && room - length > TLS_RECORD_HEADER) {
        if (flow->record == 0) {
            uint32_t body = flow->burst < 32 ? 32 : flow->burst;
            flow->record = body < TLS_RECORD_MAX ? body : TLS_RECORD_MAX;
            flow->burst = body;
            length += tls_sealed_record(out + length, 0, &g->random);
            out[length - 2] = (uint8_t)(flow->record >> 8);
            out[length - 1] = (uint8_t)flow->record;
        }
        size_t part = room - length < flow->record ? room - length : flow->record;
        random_bytes(&g->random, out + length, part);
        length += part;
        flow->record -= (uint32_t)part;
        flow->burst -= (uint32_t)part;
    }
    return length;
}

static void send_flight(struct generator *g, struct flow *flow)
{
    uint8_t payload[WIRE_TCP_PAYLOAD];
    size_t length = 0;
    if (flow->burst == 0) {
        uint8_t message[TLS_HELLO_MAX];
        char name[NAME_MAX_LENGTH];
        struct hello hello = hello_of(flow, name);
        length = tls_record(payload, TLS_RECORD_HANDSHAKE, message,
                            tls_server_hello(message, &hello, &g->random));
        length += tls_change_cipher_spec(payload + length);
        flow->burst = 2400 + random_below(&g->random, 1800); /* certificates */
    }
    length += fill(g, flow, payload + length, sizeof payload - length);
    send(g, flow, SERVER, 0, (struct payload){payload, length});
    flow_next(flow, flow->burst != 0 ? STAGE_SERVER_FLIGHT : STAGE_FLIGHT_ACK, 40);
}

static void send_finished(struct generator *g, struct flow *flow)
{
    uint8_t payload[128];
    size_t length = tls_change_cipher_spec(payload);
    length += tls_sealed_record(payload + length, FINISHED_RECORD, &g->random);
    send(g, flow, CLIENT, 0, (struct payload){payload, length});
    flow_next(flow, STAGE_TICKETS, flow->rtt_us);
}

static void send_tickets(struct generator *g, struct flow *flow)
{
    uint8_t payload[2 * (TICKET_RECORD + TLS_RECORD_HEADER)];
    size_t length = tls_sealed_record(payload, TICKET_RECORD, &g->random);
    length += tls_sealed_record(payload + length, TICKET_RECORD, &g->random);
    send(g, flow, SERVER, 0, (struct payload){payload, length});
    flow_next(flow, STAGE_REQUEST, 500);
}

/* One in eight times two queries in one segment, as pipelining clients do; a resolver's forwarder
 * asks for many clients at once. */
static uint32_t in_one_segment(struct generator *g, const struct flow *flow)
{
    if (flow->lasting) {
        uint32_t most = flow->requests < LASTING_MOST ? flow->requests : LASTING_MOST;
        return 1 + random_below(&g->random, most);
    }
    return flow->requests >= 2 && random_below(&g->random, 8) == 0 ? 2 : 1;
}

static size_t dot_request(struct generator *g, struct flow *flow, uint8_t *out)
{
    flow->pipelined = in_one_segment(g, flow);
    size_t length = 0;
    for (uint32_t i = 0; i < flow->pipelined; i++) {
        length += tls_sealed_record(out + length, DOT_QUERY_RECORD, &g->random);
    }
    flow->requests -= flow->pipelined;
    g->tally[KIND_DOT].queries += flow->pipelined;
    return length;
}

static void send_request(struct generator *g, struct flow *flow)
{
    uint8_t payload[WIRE_TCP_PAYLOAD];
    size_t length;
    if (flow->kind == KIND_DOT) {
        length = dot_request(g, flow, payload);
    } else {
        length = tls_sealed_record(payload, 120 + random_below(&g->random, 600), &g->random);
        flow->requests--;
        flow->burst = random_heavy(&g->random, g->plan.transfer, 4000000);
    }
    send(g, flow, CLIENT, 0, (struct payload){payload, length});
    flow_next(flow, STAGE_RESPONSE, flow->rtt_us + random_below(&g->random, 20000));
}

static uint64_t think(struct generator *g, const struct flow *flow)
{
    return 1000 +
           (uint64_t)random_exponential(&g->random, flow->lasting ? LASTING_THINK_US : THINK_US);
}

static void send_dot_response(struct generator *g, struct flow *flow)
{
    uint8_t payload[WIRE_TCP_PAYLOAD];
    size_t length = 0;
    for (int i = 0; i < RESPONSES_A_SEGMENT && flow->pipelined != 0; i++, flow->pipelined--) {
        length += tls_sealed_record(payload + length, DOT_RESPONSE_RECORD, &g->random);
        g->tally[KIND_DOT].responses++;
    }
    send(g, flow, SERVER, 0, (struct payload){payload, length});
    flow_next(flow, flow->pipelined != 0 ? STAGE_RESPONSE : STAGE_DATA_ACK, 100);
}

static void send_web_response(struct generator *g, struct flow *flow, bool closing)
{
    uint8_t payload[WIRE_TCP_PAYLOAD];
    if (closing && flow->burst > 4000 && flow->record == 0) {
        flow->burst = 4000;
    }
    size_t length = fill(g, flow, payload, sizeof payload);
    send(g, flow, SERVER, 0, (struct payload){payload, length});
    bool acknowledge = flow->burst == 0 || flow->unacked == 2;
    flow_next(flow, acknowledge ? STAGE_DATA_ACK : STAGE_RESPONSE, 60);
}

static void acknowledge_data(struct generator *g, struct flow *flow, bool closing)
{
    send(g, flow, CLIENT, 0, nothing);
    if (flow->burst != 0) {
        flow_next(flow, STAGE_RESPONSE, 100);
    } else if (flow->requests == 0 || closing) {
        flow_next(flow, STAGE_FIN, think(g, flow));
    } else {
        flow_next(flow, STAGE_REQUEST, think(g, flow));
    }
}

static void open_stage(struct generator *g, struct flow *flow)
{
    if (flow->stage == STAGE_SYN) {
        start(g, flow);
    } else if (flow->stage == STAGE_SYNACK) {
        send(g, flow, SERVER, TCP_SYN, nothing);
        flow_next(flow, STAGE_ACK, 50);
    } else if (flow->stage == STAGE_ACK) {
        send(g, flow, CLIENT, 0, nothing);
        flow_next(flow, STAGE_HELLO, 200);
    } else if (flow->stage == STAGE_HELLO_ACK) {
        send(g, flow, SERVER, 0, nothing);
        flow_next(flow, STAGE_SERVER_FLIGHT, 800);
    } else {
        send(g, flow, CLIENT, 0, nothing); /* STAGE_FLIGHT_ACK */
        flow_next(flow, STAGE_FINISHED, 900);
    }
}

static void close_stage(struct generator *g, struct flow *flow)
{
    bool last = flow->stage == STAGE_LAST_ACK;
    send(g, flow, flow->stage == STAGE_FIN_BACK ? SERVER : CLIENT, last ? 0 : TCP_FIN, nothing);
    flow_next(flow, flow->stage + 1, flow->rtt_us);
}

void flow_step_tls(struct generator *g, struct flow *flow, bool closing)
{
    switch (flow->stage) {
    case STAGE_HELLO:
    case STAGE_HELLO_REST:
        send_hello(g, flow);
        break;
    case STAGE_SERVER_FLIGHT:
        send_flight(g, flow);
        break;
    case STAGE_FINISHED:
        send_finished(g, flow);
        break;
    case STAGE_TICKETS:
        send_tickets(g, flow);
        break;
    case STAGE_REQUEST:
        send_request(g, flow);
        break;
    case STAGE_RESPONSE:
        if (flow->kind == KIND_DOT) {
            send_dot_response(g, flow);
        } else {
            send_web_response(g, flow, closing);
        }
        break;
    case STAGE_DATA_ACK:
        acknowledge_data(g, flow, closing);
        break;
    case STAGE_FIN:
    case STAGE_FIN_BACK:
    case STAGE_LAST_ACK:
        close_stage(g, flow);
        break;
    default:
        open_stage(g, flow);
        break;
    }
}
