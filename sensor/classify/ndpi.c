/* nDPI behind dpi.h: the one file that knows the library, 4.2 (Debian 12) to 5. No field of its
 * flow is read but the protocol stack, which every version has; its structs change with each.
 *
 * What nDPI is asked: what a flow is whose first bytes are neither TLS nor a QUIC version that
 * quic_initial.c reads (DNSCrypt, DNS on other ports, Google's QUIC and its names). Not the hellos:
 * on 510 TLS and 143 QUIC hellos of real captures nDPI 4.2 was right on most and wrong or silent
 * here:
 *   - QUIC: nothing of 50, version 2 and whatever comes in many pieces or over several Initials, as
 *     every browser's does since the post-quantum key shares;
 *   - ALPN: the server's choice never (84), unless the client's list was not seen, and then as
 * that;
 *   - the negotiated version of 24 of 377 (drafts; 1.0 where 1.2 was offered; none);
 *   - JA3 of 25, JA3S of 21, mostly hellos in small segments or many; no JA4;
 *   - a name of more than 79 octets is cut.
 * Since these have to be read here anyway, they are read once: 1.4 us a TLS flow against
 * nDPI's 4.3, 3.5 a QUIC flow against 4.4. */
#include <arpa/inet.h>
#include <ndpi_api.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "classify/dpi.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

enum {
    HEADERS_MAX = sizeof(struct ip6_hdr) + sizeof(struct tcphdr),
    PAYLOAD_MAX = 16 * 1024, /* of one packet; nDPI counts lengths in 16 bits */
    SPARE_MAX = 4096,        /* closed states kept for the next flows */
    PACKETS_MAX = 24,
};

/* nDPI's struct grows from version to version: its size is asked, the memory follows this head. */
struct dpi_flow {
    struct dpi_flow *next_spare;
    uint16_t packets;
    ndpi_protocol protocol;
    _Alignas(16) unsigned char ndpi[];
};

struct dpi {
    struct ndpi_detection_module_struct *module;
    struct dpi_flow *spare;
    unsigned spare_count;
    size_t flow_size;
    /* IP and TCP or UDP headers made for nDPI, which wants a datagram, then the payload. */
    uint8_t datagram[HEADERS_MAX + PAYLOAD_MAX];
};

static struct ndpi_flow_struct *inside(const struct dpi_flow *f)
{
    return (struct ndpi_flow_struct *)f->ndpi;
}

/* Only what tells sealed DNS and its neighbours apart: the rest of nDPI costs and is not asked for.
 */
#if NDPI_MAJOR >= 5
#define START_WITH NULL /* no context shared between modules */

static void choose_protocols(struct ndpi_detection_module_struct *module)
{
    static const char *const words[] = {"tls", "quic", "dns", "dnscrypt"};

    ndpi_set_config(module, "any", "enable", "0");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        ndpi_set_config(module, words[i], "enable", "1");
}
#else
#if NDPI_MINOR >= 10
#define START_WITH NULL
#else
#define START_WITH ndpi_dont_load_tor_hosts
#endif

static void choose_protocols(struct ndpi_detection_module_struct *module)
{
    static const uint16_t ids[] = {NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_QUIC, NDPI_PROTOCOL_DNS,
                                   NDPI_PROTOCOL_DOH_DOT, NDPI_PROTOCOL_DNSCRYPT};
    NDPI_PROTOCOL_BITMASK enabled;

    NDPI_BITMASK_RESET(enabled);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        NDPI_BITMASK_ADD(enabled, ids[i]);
    ndpi_set_protocol_detection_bitmask2(module, &enabled);
}
#endif

#if NDPI_MAJOR >= 5 || NDPI_MINOR >= 6
#define PROCESS(module, flow, at, length, ms, info)                                                \
    ndpi_detection_process_packet(module, flow, at, length, ms, info)
#else
#define PROCESS(module, flow, at, length, ms, info)                                                \
    ndpi_detection_process_packet(module, flow, at, length, ms)
#endif

struct dpi *dpi_create(void)
{
    struct dpi *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->module = ndpi_init_detection_module(START_WITH);
    if (!d->module) {
        free(d);
        return NULL;
    }
    choose_protocols(d->module);
    ndpi_finalize_initialization(d->module);
    d->flow_size = sizeof(struct dpi_flow) + ndpi_detection_get_sizeof_ndpi_flow_struct();
    return d;
}

void dpi_destroy(struct dpi *d)
{
    if (!d)
        return;
    while (d->spare) {
        struct dpi_flow *f = d->spare;

        d->spare = f->next_spare;
        free(f);
    }
    ndpi_exit_detection_module(d->module);
    free(d);
}

const char *dpi_version(void)
{
    return "nDPI " TEXT(NDPI_MAJOR) "." TEXT(NDPI_MINOR) "." TEXT(NDPI_PATCH);
}

struct dpi_flow *dpi_flow_open(struct dpi *d)
{
    struct dpi_flow *f = d->spare;

    if (!f)
        return calloc(1, d->flow_size);
    d->spare = f->next_spare;
    d->spare_count--;
    memset(f, 0, d->flow_size);
    return f;
}

void dpi_flow_close(struct dpi *d, struct dpi_flow *f)
{
    if (!f)
        return;
    ndpi_free_flow_data(inside(f));
    if (d->spare_count == SPARE_MAX) {
        free(f);
        return;
    }
    f->next_spare = d->spare;
    d->spare = f;
    d->spare_count++;
}

static size_t put_ip(uint8_t *at, const struct packet *p, size_t below)
{
    if (addr_is_v4(&p->src) && addr_is_v4(&p->dst)) {
        struct ip *ip = (struct ip *)at;

        *ip = (struct ip){.ip_v = 4, .ip_hl = 5, .ip_ttl = 64, .ip_p = p->proto};
        ip->ip_len = htons((uint16_t)(sizeof(*ip) + below));
        memcpy(&ip->ip_src, p->src.b + 12, 4);
        memcpy(&ip->ip_dst, p->dst.b + 12, 4);
        return sizeof(*ip);
    }
    struct ip6_hdr *ip6 = (struct ip6_hdr *)at;

    *ip6 = (struct ip6_hdr){.ip6_flow = htonl(6u << 28), .ip6_hlim = 64, .ip6_nxt = p->proto};
    ip6->ip6_plen = htons((uint16_t)below);
    memcpy(&ip6->ip6_src, p->src.b, 16);
    memcpy(&ip6->ip6_dst, p->dst.b, 16);
    return sizeof(*ip6);
}

static void put_tcp(uint8_t *at, const struct packet *p)
{
    struct tcphdr tcp = {.doff = 5, .source = htons(p->sport), .dest = htons(p->dport)};

    tcp.seq = htonl(p->seq);
    tcp.ack_seq = htonl(p->ack);
    tcp.th_flags = p->tcp_flags;
    tcp.window = htons(p->window);
    memcpy(at, &tcp, sizeof(tcp));
}

static void put_udp(uint8_t *at, const struct packet *p, size_t payload)
{
    struct udphdr udp = {.source = htons(p->sport), .dest = htons(p->dport)};

    udp.len = htons((uint16_t)(sizeof(udp) + payload));
    memcpy(at, &udp, sizeof(udp));
}

/* Returns the datagram's length. */
static size_t put_datagram(struct dpi *d, const struct packet *p)
{
    size_t payload = p->payload_length < PAYLOAD_MAX ? p->payload_length : PAYLOAD_MAX;
    size_t l4 = p->proto == IP_PROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
    size_t at = put_ip(d->datagram, p, l4 + payload);

    if (p->proto == IP_PROTO_TCP)
        put_tcp(d->datagram + at, p);
    else
        put_udp(d->datagram + at, p, payload);
    memcpy(d->datagram + at + l4, p->payload, payload);
    return at + l4 + payload;
}

bool dpi_flow_feed(struct dpi *d, struct dpi_flow *f, const struct packet *packet)
{
    if (f->packets == PACKETS_MAX)
        return false;
    size_t length = put_datagram(d, packet);

    f->protocol = PROCESS(d->module, inside(f), d->datagram, (uint16_t)length,
                          (uint64_t)(packet->time / NSEC_MS), NULL);
    f->packets++;
    enum classify_guess guess = dpi_flow_guess(f);

    if (f->packets == PACKETS_MAX)
        return false;
    return guess == GUESS_UNKNOWN ||
           (guess == GUESS_QUIC && !ndpi_get_flow_info(inside(f), &f->protocol));
}

/* The master and the application protocol, in an order that every version keeps here. */
static bool is(const struct dpi_flow *f, uint16_t protocol)
{
    const uint16_t *stack = inside(f)->detected_protocol_stack;

    return stack[0] == protocol || stack[1] == protocol;
}

enum classify_guess dpi_flow_guess(const struct dpi_flow *f)
{
    if (is(f, NDPI_PROTOCOL_QUIC))
        return GUESS_QUIC;
    if (is(f, NDPI_PROTOCOL_TLS) || is(f, NDPI_PROTOCOL_DOH_DOT))
        return GUESS_TLS;
    if (is(f, NDPI_PROTOCOL_DNSCRYPT))
        return GUESS_DNSCRYPT;
    if (is(f, NDPI_PROTOCOL_DNS))
        return GUESS_DNS;
    return inside(f)->detected_protocol_stack[0] == NDPI_PROTOCOL_UNKNOWN ? GUESS_UNKNOWN
                                                                          : GUESS_OTHER;
}

void dpi_flow_name(const struct dpi_flow *f, char *out, size_t size)
{
    const char *name = ndpi_get_flow_info(inside(f), &f->protocol);

    text_printable(name ? name : "", size, out, size);
}
