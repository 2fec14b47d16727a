/* Every packet is a flow of its own, from a source that never comes again. */
#include "dns.h"
#include "flood.h"

/* 16.0.0.0/4 onwards: an odd factor modulo 2^28 makes distinct numbers distinct addresses. */
static uint32_t flood_source(uint64_t number)
{
    return 0x10000000U + (uint32_t)((number * 0x9e3779b1U) & 0x0fffffffU);
}

uint64_t flood_time(const struct generator *g, uint64_t number)
{
    return BENCH_START_US + (uint64_t)((double)number * 1e6 / g->plan.rate);
}

void workload_flood_dns(struct generator *g)
{
    for (uint64_t i = 0; i < g->plan.packets; i++) {
        struct random *r = &g->random;
        uint8_t message[DNS_MESSAGE_MAX];
        struct question question = {zipf_draw(&g->names, r), (uint16_t)random_next(r), DNS_A};
        struct hop hop = {flood_source(i), resolver_address((uint32_t)(i % g->plan.resolvers)),
                          ephemeral_port(r), 53};
        size_t length = dns_query(message, &question);
        wire_udp(&g->wire, flood_time(g, i), &hop, (struct payload){message, length});
        count_packet(g, KIND_DO53);
        g->tally[KIND_DO53].queries++;
        g->tally[KIND_DO53].flows++;
        g->tally[KIND_DO53].conversations++;
    }
}

void workload_flood_syn(struct generator *g)
{
    for (uint64_t i = 0; i < g->plan.packets; i++) {
        struct random *r = &g->random;
        enum kind kind = i % 2 == 0 ? KIND_SYN_853 : KIND_SYN_443;
        struct hop hop = {flood_source(i), resolver_address((uint32_t)(i % g->plan.resolvers)),
                          ephemeral_port(r), kind == KIND_SYN_853 ? 853 : 443};
        struct segment syn = {(uint32_t)random_next(r), 0, TCP_SYN};
        wire_tcp(&g->wire, flood_time(g, i), &hop, syn, (struct payload){NULL, 0});
        count_packet(g, kind);
        g->tally[kind].flows++;
        g->tally[kind].conversations++;
    }
}
