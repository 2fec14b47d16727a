/* Fragments, IPv4 and IPv6 in turn: first ones and later ones that stay alone, such that overlap,
 * and in between a query that is whole, in pieces of 24 bytes from the last to the first. */
#include "dns.h"
#include "flood.h"

#include <string.h>

enum { PIECE = 24, LONE = 584, WHOLE_ONE_IN = 16, UDP = 17 };

struct source {
    int version;
    uint32_t id;
    struct hop hop;
};

/* Which datagram; both versions have their own addresses, as conversations are told by 32 bits. */
static struct source source_of(const struct generator *g, uint32_t number)
{
    uint32_t client = 0x10000000U | (number & 1) << 27 | (number * 0x9e3779b1U & 0x07ffffffU);
    return (struct source){.version = number % 2 == 0 ? 4 : 6,
                           .id = number & 0xffff,
                           .hop = {client, resolver_address(number % g->plan.resolvers),
                                   (uint16_t)(32768 + number % 28000), 53}};
}

static void send(struct generator *g, const struct source *from, uint16_t offset, int more,
                 struct payload payload)
{
    struct piece piece = {from->version, from->id, offset, more, UDP, payload};
    wire_piece(&g->wire, flood_time(g, g->wire.packets), &from->hop, &piece);
    g->fragments.sent++;
}

static void send_lone(struct generator *g, const struct source *from, uint16_t offset, int more)
{
    uint8_t noise[LONE];
    random_bytes(&g->random, noise, sizeof noise);
    send(g, from, offset, more, (struct payload){noise, sizeof noise});
    count_packet(g, KIND_OTHER);
}

/* RFC 5722: the datagram is given up. */
static void send_overlap(struct generator *g, const struct source *from)
{
    send_lone(g, from, 0, 1);
    send_lone(g, from, LONE / 2 & ~7, 1);
    g->fragments.overlaps++;
}

static void send_whole(struct generator *g, const struct source *from)
{
    uint8_t message[DNS_MESSAGE_MAX], datagram[8 + DNS_MESSAGE_MAX];
    struct question question = {zipf_draw(&g->names, &g->random), (uint16_t)from->id, DNS_A};
    struct payload query = {message, dns_query(message, &question)};
    size_t length = wire_datagram(datagram, from->version, &from->hop, query);
    for (size_t pieces = (length + PIECE - 1) / PIECE, left = pieces; left-- > 0;) {
        size_t at = left * PIECE, rest = length - at;
        send(g, from, (uint16_t)at, left + 1 < pieces,
             (struct payload){datagram + at, rest < PIECE ? rest : PIECE});
        count_packet(g, KIND_DO53);
        g->fragments.of_whole++;
    }
    g->fragments.whole++;
    g->tally[KIND_DO53].queries++;
    count_flow(g, KIND_DO53, &from->hop);
}

void workload_flood_fragments(struct generator *g)
{
    enum { PIECES_MAX = (8 + DNS_MESSAGE_MAX) / PIECE + 1 };
    for (uint32_t number = 0; g->wire.packets + PIECES_MAX < g->plan.packets; number++) {
        struct source from = source_of(g, number);
        switch (number / 2 % WHOLE_ONE_IN) {
        case 0:
            send_whole(g, &from);
            break;
        case 1:
        case 2:
        case 3:
            send_overlap(g, &from);
            break;
        case 4:
        case 5:
        case 6:
            send_lone(g, &from, 2 * LONE, number % 4 < 2);
            break;
        default:
            send_lone(g, &from, 0, 1);
            break;
        }
    }
    for (uint32_t number = 0; g->wire.packets < g->plan.packets; number++) {
        struct source from = source_of(g, UINT32_MAX - number);
        send_lone(g, &from, 0, 1);
    }
}
