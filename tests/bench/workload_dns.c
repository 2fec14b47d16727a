/* Queries and their responses on UDP/53: many clients, Zipf names, time that runs over minutes. */
#include "dns.h"
#include "generator.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>

struct exchange {
    uint64_t due_us; /* of the response */
    struct hop hop;
    struct question question;
};

/* Responses on their way: a binary heap by the time they are due. */
struct pending {
    struct exchange *heap;
    size_t count;
    size_t room;
};

static bool earlier(const struct exchange *a, const struct exchange *b)
{
    return a->due_us < b->due_us;
}

static void pending_push(struct pending *p, const struct exchange *exchange)
{
    if (p->count == p->room) {
        p->room = p->room == 0 ? 1024 : 2 * p->room;
        p->heap = realloc(p->heap, p->room * sizeof *p->heap);
        if (p->heap == NULL) {
            err(1, "out of memory");
        }
    }
    size_t at = p->count++;
    for (; at != 0 && earlier(exchange, &p->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        p->heap[at] = p->heap[(at - 1) / 2];
    }
    p->heap[at] = *exchange;
}

static struct exchange pending_pop(struct pending *p)
{
    struct exchange first = p->heap[0], last = p->heap[--p->count];
    size_t at = 0;
    for (size_t child = 1; child < p->count; child = 2 * at + 1) {
        if (child + 1 < p->count && earlier(&p->heap[child + 1], &p->heap[child])) {
            child++;
        }
        if (!earlier(&p->heap[child], &last)) {
            break;
        }
        p->heap[at] = p->heap[child];
        at = child;
    }
    p->heap[at] = last;
    return first;
}

static void send_response(struct generator *g, const struct exchange *exchange)
{
    uint8_t message[DNS_MESSAGE_MAX];
    struct hop back = hop_back(&exchange->hop);
    size_t length = dns_response(message, &exchange->question);
    wire_udp(&g->wire, exchange->due_us, &back, (struct payload){message, length});
    count_packet(g, KIND_DO53);
    g->tally[KIND_DO53].responses++;
}

static struct exchange draw_exchange(struct generator *g)
{
    struct random *r = &g->random;
    uint32_t client = random_below(r, g->plan.clients);
    uint32_t resolver = (uint32_t)(random_mix(client) % g->plan.resolvers);
    return (struct exchange){
        .hop = {client_address(client), resolver_address(resolver), ephemeral_port(r), 53},
        .question = {zipf_draw(&g->names, r), (uint16_t)random_next(r), DNS_A}};
}

static void send_query(struct generator *g, struct exchange *exchange, uint64_t now_us)
{
    uint8_t message[DNS_MESSAGE_MAX];
    size_t length = dns_query(message, &exchange->question);
    wire_udp(&g->wire, now_us, &exchange->hop, (struct payload){message, length});
    count_packet(g, KIND_DO53);
    count_flow(g, KIND_DO53, &exchange->hop);
    g->tally[KIND_DO53].queries++;
    exchange->due_us = now_us + 1000 + (uint64_t)random_exponential(&g->random, 15000);
}

static void drain_until(struct generator *g, struct pending *pending, uint64_t now_us)
{
    while (pending->count != 0 && pending->heap[0].due_us <= now_us) {
        struct exchange exchange = pending_pop(pending);
        send_response(g, &exchange);
    }
}

void workload_dns(struct generator *g)
{
    struct pending pending = {0};
    double now_us = BENCH_START_US;
    for (uint64_t pair = 0; pair < g->plan.packets / 2; pair++) {
        now_us += random_exponential(&g->random, 1e6 / g->plan.rate);
        drain_until(g, &pending, (uint64_t)now_us);
        struct exchange exchange = draw_exchange(g);
        send_query(g, &exchange, (uint64_t)now_us);
        pending_push(&pending, &exchange);
    }
    drain_until(g, &pending, UINT64_MAX);
    free(pending.heap);
}
