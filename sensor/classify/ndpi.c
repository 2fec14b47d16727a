#include <arpa/inet.h>
#include <ndpi/ndpi_api.h>
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
    bool quic;
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

static const uint16_t protocols[] = {
    NDPI_PROTOCOL_TLS,     NDPI_PROTOCOL_QUIC,     NDPI_PROTOCOL_DNS,
    NDPI_PROTOCOL_DOH_DOT, NDPI_PROTOCOL_DNSCRYPT,
};

struct dpi *dpi_create(void)
{
    struct dpi *d = calloc(1, sizeof(*d));
    NDPI_PROTOCOL_BITMASK enabled;

    if (!d)
        return NULL;
    d->module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
    if (!d->module) {
        free(d);
        return NULL;
    }
    NDPI_BITMASK_RESET(enabled);
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        NDPI_BITMASK_ADD(enabled, protocols[i]);
    ndpi_set_protocol_detection_bitmask2(d->module, &enabled);
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

bool dpi_flow_feed(struct dpi *d, struct dpi_flow *f, const struct packet *packet, int from_client)
{
    (void)from_client;
    if (f->packets == PACKETS_MAX)
        return false;
    size_t length = put_datagram(d, packet);

    f->protocol = ndpi_detection_process_packet(d->module, inside(f), d->datagram, (uint16_t)length,
                                                (uint64_t)(packet->time / NSEC_MS));
    f->packets++;
    return f->packets < PACKETS_MAX && (f->protocol.app_protocol == NDPI_PROTOCOL_UNKNOWN ||
                                        ndpi_extra_dissection_possible(d->module, inside(f)));
}

static bool is(const struct dpi_flow *f, uint16_t protocol)
{
    return f->protocol.master_protocol == protocol || f->protocol.app_protocol == protocol;
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
    return f->protocol.app_protocol == NDPI_PROTOCOL_UNKNOWN ? GUESS_UNKNOWN : GUESS_OTHER;
}

static void keep(char *to, size_t size, const char *from)
{
    if (to[0] == '\0' && from)
        text_printable(from, size - 1, to, size);
}

void dpi_flow_facts(const struct dpi_flow *f, struct tls_facts *out)
{
    const struct ndpi_flow_struct *n = inside(f);
    enum classify_guess guess = dpi_flow_guess(f);

    if (guess != GUESS_TLS && guess != GUESS_QUIC)
        return;
    keep(out->sni, sizeof(out->sni), n->host_server_name);
    keep(out->alpn, sizeof(out->alpn), n->protos.tls_quic.alpn);
    keep(out->ja3, sizeof(out->ja3), n->protos.tls_quic.ja3_client);
    keep(out->ja3s, sizeof(out->ja3s), n->protos.tls_quic.ja3_server);
    keep(out->issuer, sizeof(out->issuer), n->protos.tls_quic.issuerDN);
    keep(out->subject, sizeof(out->subject), n->protos.tls_quic.subjectDN);
}
