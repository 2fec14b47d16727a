/* What passes a gateway: 80 % TLS on 443, 10 % DNS, 5 % QUIC, 3 % DoT, 2 % the rest, by packets;
 * and DoT alone, over connections that last. */
#include "flow.h"
#include "names.h"

#include <err.h>
#include <stdlib.h>

enum { SERVERS = 0x20000, HYBRID_PER_CENT = 40, DOT_QUERIES = 8, LASTING_QUERIES = 1000 };

static const double gateway[KIND_COUNT] = {[KIND_TLS] = 0.80,
                                           [KIND_DO53] = 0.10,
                                           [KIND_QUIC] = 0.05,
                                           [KIND_DOT] = 0.03,
                                           [KIND_OTHER] = 0.02};
static const double dot_alone[KIND_COUNT] = {[KIND_DOT] = 1};
static void (*const steps[KIND_COUNT])(struct generator *, struct flow *,
                                       bool) = {[KIND_TLS] = flow_step_tls,
                                                [KIND_DOT] = flow_step_tls,
                                                [KIND_DO53] = flow_step_do53,
                                                [KIND_QUIC] = flow_step_quic,
                                                [KIND_OTHER] = flow_step_other};
/* A first guess of a flow's packets; what it really took is put right when it ends. */
static const uint64_t guesses[KIND_COUNT] = {
    [KIND_TLS] = 60, [KIND_DOT] = 36, [KIND_DO53] = 3, [KIND_QUIC] = 40, [KIND_OTHER] = 2};

struct mix {
    const double *shares; /* of each kind */
    bool lasting;
    struct flow *flows;
    uint32_t *heap; /* indexes of flows, the next to send at the top */
    size_t count;
    uint64_t booked[KIND_COUNT];
    uint32_t serial;
};

static bool earlier(const struct mix *mix, uint32_t a, uint32_t b)
{
    const struct flow *x = &mix->flows[a], *y = &mix->flows[b];
    return x->due_us != y->due_us ? x->due_us < y->due_us : x->serial < y->serial;
}

static void sift_down(struct mix *mix, size_t at)
{
    uint32_t moved = mix->heap[at];
    for (size_t child = 2 * at + 1; child < mix->count; child = 2 * at + 1) {
        if (child + 1 < mix->count && earlier(mix, mix->heap[child + 1], mix->heap[child])) {
            child++;
        }
        if (!earlier(mix, mix->heap[child], moved)) {
            break;
        }
        mix->heap[at] = mix->heap[child];
        at = child;
    }
    mix->heap[at] = moved;
}

/* The kind that is furthest behind its share of the packets. */
static enum kind choose_kind(const struct mix *mix)
{
    enum kind chosen = KIND_TLS;
    double least = 1e300;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        double filled =
            mix->shares[kind] > 0 ? (double)mix->booked[kind] / mix->shares[kind] : 1e300;
        if (filled < least) {
            least = filled;
            chosen = kind;
        }
    }
    return chosen;
}

/* 7919 and the number of ports have no common divisor: no port comes again before all have been
 * used. */
static uint16_t next_port(uint32_t serial)
{
    return (uint16_t)(32768 + (uint64_t)serial * 7919 % 28232);
}

static struct hop draw_hop(struct generator *g, const struct flow *flow)
{
    struct random *r = &g->random;
    struct hop hop = {client_address(random_below(r, g->plan.clients)), 0, next_port(flow->serial),
                      443};
    if (flow->kind == KIND_DO53 || flow->kind == KIND_DOT) {
        /* the resolvers on 853 are others than those on 53 */
        hop.destination = resolver_address(random_below(r, g->plan.resolvers)) +
                          (flow->kind == KIND_DOT ? 64 : 0);
        hop.destination_port = flow->kind == KIND_DO53 ? 53 : 853;
        if (flow->lasting) { /* a client has one at a time */
            hop.source = client_address(flow->serial % g->plan.clients);
        }
        return hop;
    }
    hop.destination =
        0xc6120000U | (uint32_t)(random_mix(flow->name) % SERVERS); /* 198.18.0.0/15 */
    if (flow->kind == KIND_OTHER) {
        hop.destination_port = hop.source_port = 123;
    }
    return hop;
}

static void begin_flow(struct generator *g, struct mix *mix, struct flow *flow, uint64_t now_us)
{
    struct random *r = &g->random;
    enum kind kind = choose_kind(mix);
    uint32_t name = zipf_draw(&g->names, r);
    *flow = (struct flow){.due_us = now_us,
                          .serial = mix->serial++,
                          .kind = kind,
                          .name = name,
                          .lasting = mix->lasting,
                          .planned = guesses[kind]};
    flow->hop = draw_hop(g, flow);
    flow->rtt_us = 2000 + random_below(r, 40000);
    flow->sequence[0] = (uint32_t)random_next(r);
    flow->sequence[1] = (uint32_t)random_next(r);
    flow->hybrid =
        (kind == KIND_TLS || kind == KIND_QUIC) && random_below(r, 100) < HYBRID_PER_CENT;
    flow->variant = (uint8_t)random_below(r, kind == KIND_DOT ? 4 : 2);
    double queries = mix->lasting ? LASTING_QUERIES : DOT_QUERIES;
    flow->requests = 1 + (uint32_t)random_exponential(r, kind == KIND_DOT ? queries : 2);
    if (kind == KIND_DO53) {
        flow->variant = flow->variant + 1;
        flow->requests = flow->variant;
        flow->question = (struct question){name, (uint16_t)random_next(r), DNS_A};
    }
    mix->booked[kind] += flow->planned;
}

static void begin_all(struct generator *g, struct mix *mix, size_t count)
{
    mix->flows = calloc(count, sizeof *mix->flows);
    mix->heap = calloc(count, sizeof *mix->heap);
    if (mix->flows == NULL || mix->heap == NULL) {
        err(1, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        begin_flow(g, mix, &mix->flows[i], BENCH_START_US + random_below(&g->random, 5000000));
        mix->heap[i] = i;
    }
    mix->count = count;
    for (size_t i = count; i-- > 0;) {
        sift_down(mix, i);
    }
}

/* Takes the place of a flow that has ended, unless it is time to come to an end. */
static void replace_top(struct generator *g, struct mix *mix, bool closing)
{
    struct flow *flow = &mix->flows[mix->heap[0]];
    mix->booked[flow->kind] = mix->booked[flow->kind] - flow->planned + flow->sent;
    if (closing) {
        mix->heap[0] = mix->heap[--mix->count];
    } else {
        begin_flow(g, mix, flow, flow->due_us + random_below(&g->random, 200000));
    }
}

static void fill_up(struct generator *g)
{
    struct hop hop = {client_address(0), 0xc6120001U, 123, 123};
    while (g->wire.packets < g->plan.packets) {
        struct flow flow = {
            .kind = KIND_OTHER, .due_us = g->wire.last_us + 100, .hop = hop, .variant = 1};
        flow_step_other(g, &flow, true);
    }
}

static void run(struct generator *g, struct mix *mix, size_t parallel)
{
    begin_all(g, mix, parallel < 2000 ? parallel : 2000);
    while (mix->count != 0) {
        struct flow *flow = &mix->flows[mix->heap[0]];
        bool closing = g->wire.packets + 60 * mix->count >= g->plan.packets;
        steps[flow->kind](g, flow, closing);
        if (flow->stage == STAGE_DONE) {
            replace_top(g, mix, closing);
        }
        if (mix->count != 0) {
            sift_down(mix, 0);
        }
    }
    fill_up(g);
    free(mix->flows);
    free(mix->heap);
}

void workload_mix(struct generator *g)
{
    struct mix mix = {.shares = gateway};
    run(g, &mix, g->plan.packets / 400 + 1);
}

void workload_dot(struct generator *g)
{
    struct mix mix = {.shares = dot_alone, .lasting = true};
    run(g, &mix, g->plan.packets / 2000 + 1);
}
