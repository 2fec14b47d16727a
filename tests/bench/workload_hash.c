/* Flows that a weak hash would throw into few buckets: equal low bits, sequences, sums and
 * exclusive ors that never change, and both directions of a pair. Nobody who sends a SYN to 853
 * asks in clear text as well. */
#include "dns.h"
#include "flood.h"

enum { LOW_BITS = 12, LOW_ALIKE = 0x10000000, ONE_CLIENT = 0x21000001, PORTS = 28000 };
enum { SUM_ALIKE = 0x22000000, XOR_ALIKE = 0x24000000, WEB = 0xc6120000, PAIR_A = 0x30000000 };

static void send_query(struct generator *g, uint64_t packet, const struct hop *hop, uint16_t id)
{
    uint8_t message[DNS_MESSAGE_MAX];
    struct question question = {zipf_draw(&g->names, &g->random), id, DNS_A};
    size_t length = dns_query(message, &question);
    wire_udp(&g->wire, flood_time(g, packet), hop, (struct payload){message, length});
    count_packet(g, KIND_DO53);
    count_flow(g, KIND_DO53, hop);
    g->tally[KIND_DO53].queries++;
}

static void send_syn(struct generator *g, uint64_t packet, const struct hop *hop)
{
    enum kind kind = hop->destination_port == 853 ? KIND_SYN_853 : KIND_SYN_443;
    struct segment syn = {0, 0, TCP_SYN};
    wire_tcp(&g->wire, flood_time(g, packet), hop, syn, (struct payload){NULL, 0});
    count_packet(g, kind);
    count_flow(g, kind, hop);
}

/* Addresses, ports and message ids whose low bits are all the same. */
static void low_bits(struct generator *g, uint64_t packet, uint32_t n)
{
    struct hop hop = {LOW_ALIKE | (n & 0xffff) << LOW_BITS, resolver_address(n >> 16),
                      (uint16_t)((4 + (n >> 16) % 12) << LOW_BITS), 53};
    send_query(g, packet, &hop, (uint16_t)((n >> 4) << LOW_BITS));
}

/* One client, ports one after the other; the next server when they are used up. */
static void sequence(struct generator *g, uint64_t packet, uint32_t n)
{
    struct hop hop = {ONE_CLIENT, resolver_address(n / PORTS), (uint16_t)(32768 + n % PORTS), 853};
    send_syn(g, packet, &hop);
}

static void equal_sum(struct generator *g, uint64_t packet, uint32_t n)
{
    uint32_t part = n % PORTS;
    struct hop hop = {SUM_ALIKE + part, resolver_address(n / PORTS), (uint16_t)(60768 - part), 53};
    send_query(g, packet, &hop, (uint16_t)part);
}

static void equal_xor(struct generator *g, uint64_t packet, uint32_t n)
{
    struct hop hop = {XOR_ALIKE + (n & 0xffffff), WEB | (n & 0x1ffff), 40000, 443};
    send_syn(g, packet, &hop);
}

/* A to B, then B to A, from one and the same port. */
static void symmetric(struct generator *g, uint64_t packet, uint32_t n)
{
    uint32_t a = PAIR_A + (n & 0xffffff), b = a ^ 0x70000000;
    struct hop hop = {a, b, 50000, 853};
    if (packet % 2 != 0) {
        hop = (struct hop){b, a, 50000, 853};
    }
    send_syn(g, packet, &hop);
}

void workload_flood_hash(struct generator *g)
{
    static void (*const kinds[])(struct generator *, uint64_t, uint32_t) = {
        low_bits, sequence, equal_sum, equal_xor, symmetric, symmetric};
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    for (uint64_t i = 0; i < g->plan.packets; i++) {
        kinds[i % KINDS](g, i, (uint32_t)(i / KINDS));
    }
}
