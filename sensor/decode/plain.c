#include "decode/plain.h"

#include <string.h>

#include "decode/layers.h"

enum { ETHERNET = 14, V4 = 20, V6 = 40, UDP = 8, TCP = 20 };
enum { ETHERTYPE_V4 = 0x0800, ETHERTYPE_V6 = 0x86dd };

/* Any pointer below is to a header that cursor_take() gave whole. */

static bool plain_v4(struct cursor *c, struct packet *out)
{
    enum { VERSION_AND_LENGTH = 0x45, MORE_OR_OFFSET = 0x3fff };
    const uint8_t *h = cursor_take(c, V4);
    size_t total;

    if (!h || h[0] != VERSION_AND_LENGTH || load16(h + 6) & MORE_OR_OFFSET)
        return false;
    total = load16(h + 2);
    if (total < V4 || total - V4 > c->left)
        return false;
    cursor_limit(c, total - V4);
    out->src = addr_v4(h + 12);
    out->dst = addr_v4(h + 16);
    out->proto = h[9];
    out->ttl = h[8];
    out->ip_id = load16(h + 4);
    return true;
}

static bool plain_v6(struct cursor *c, struct packet *out)
{
    const uint8_t *h = cursor_take(c, V6);
    size_t length;

    if (!h || h[0] >> 4 != 6)
        return false;
    length = load16(h + 4);
    if (length == 0 || length > c->left)
        return false;
    cursor_limit(c, length);
    out->src = addr_v6(h + 8);
    out->dst = addr_v6(h + 24);
    out->proto = h[6];
    out->ttl = h[7];
    return true;
}

static bool plain_udp(struct cursor *c, bool tunnels, struct packet *out)
{
    const uint8_t *h = cursor_take(c, UDP);
    size_t length;

    if (!h)
        return false;
    out->sport = load16(h);
    out->dport = load16(h + 2);
    length = load16(h + 4);
    if (length < UDP || length - UDP > c->left)
        return false;
    cursor_limit(c, length - UDP);
    return !tunnels || !udp_tunnel(out->sport, out->dport, *c);
}

static bool plain_tcp(struct cursor *c, struct packet *out)
{
    const uint8_t *h = cursor_take(c, TCP);
    size_t header;

    if (!h)
        return false;
    header = (h[12] >> 4) * 4U;
    if (header < TCP || !cursor_skip(c, header - TCP))
        return false;
    tcp_fields(h, out);
    return true;
}

static bool plain_ip(struct cursor *c, uint16_t ethertype, struct packet *out)
{
    switch (ethertype) {
    case ETHERTYPE_V4:
        return plain_v4(c, out);
    case ETHERTYPE_V6:
        return plain_v6(c, out);
    default:
        return false;
    }
}

static bool plain_transport(struct cursor *c, bool tunnels, struct packet *out)
{
    switch (out->proto) {
    case IP_PROTO_UDP:
        return plain_udp(c, tunnels, out);
    case IP_PROTO_TCP:
        return plain_tcp(c, out);
    default:
        return false;
    }
}

bool plain_frame(const struct frame *frame, bool tunnels, struct packet *out)
{
    enum { LINKTYPE_ETHERNET = 1 };
    struct cursor c = cursor_over(frame->bytes, frame->captured);
    const uint8_t *link = cursor_take(&c, ETHERNET);

    if (!link || frame->linktype != LINKTYPE_ETHERNET)
        return false;
    memset(out, 0, offsetof(struct packet, quote));
    if (!plain_ip(&c, load16(link + 12), out) || !plain_transport(&c, tunnels, out))
        return false;
    out->quote.proto = 0;
    out->time = frame->time;
    out->iface = frame->iface;
    out->wire_length = frame->length;
    out->dst_station = (uint64_t)load16(link) << 32 | load32(link + 2);
    out->src_station = (uint64_t)load16(link + 6) << 32 | load32(link + 8);
    out->payload = c.at;
    out->payload_length = (uint32_t)c.left;
    return true;
}
