/* ICMP (RFC 792) and ICMPv6 (RFC 4443): an error quotes the datagram it speaks of. */
#include "decode/layers.h"

/* The transport header is 8 octets at least (RFC 792); ports are its first four everywhere. */
static void quote_transport(struct cursor c, uint8_t protocol, struct packet_quote *q)
{
    if (protocol != IP_PROTO_TCP && protocol != IP_PROTO_UDP && protocol != IP_PROTO_ICMP &&
        protocol != IP_PROTO_ICMPV6)
        return;
    if (protocol == IP_PROTO_TCP || protocol == IP_PROTO_UDP) {
        q->sport = cursor_u16(&c);
        q->dport = cursor_u16(&c);
        q->seq = protocol == IP_PROTO_TCP ? cursor_u32(&c) : 0;
    }
    if (cursor_ok(&c))
        q->proto = protocol;
}

static void quote_ipv4(struct cursor c, struct packet_quote *q)
{
    enum { HEADER = 20, OFFSET = 0x1fff };
    const uint8_t *h = cursor_take(&c, HEADER);

    if (!h || (h[0] & 15) * 4 < HEADER || load16(h + 6) & OFFSET)
        return;
    cursor_skip(&c, (h[0] & 15) * 4U - HEADER);
    q->src = addr_v4(h + 12);
    q->dst = addr_v4(h + 16);
    quote_transport(c, h[9], q);
}

static void quote_ipv6(struct cursor c, struct packet_quote *q)
{
    enum { EXTENSIONS_MAX = 8, FRAGMENT = 44 };
    const uint8_t *h = cursor_take(&c, 40);
    uint8_t next;

    if (!h)
        return;
    q->src = addr_v6(h + 8);
    q->dst = addr_v6(h + 24);
    next = h[6];
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t type = next;
        uint8_t length;

        if (type != 0 && type != 43 && type != FRAGMENT && type != 60)
            break;
        next = cursor_u8(&c);
        length = cursor_u8(&c);
        if (type == FRAGMENT && cursor_u16(&c) & 0xfff8)
            return;
        cursor_skip(&c, type == FRAGMENT ? 4 : 6 + length * 8U);
    }
    quote_transport(c, next, q);
}

static int message(struct walk *w, bool is_error)
{
    struct cursor rest;

    w->out->icmp_type = cursor_u8(&w->c);
    w->out->icmp_code = cursor_u8(&w->c);
    cursor_skip(&w->c, 2);
    if (!cursor_ok(&w->c))
        return walk_short(w, IN_TRANSPORT);
    w->out->payload = w->c.at;
    w->out->payload_length = (uint32_t)w->c.left;
    w->out->payload_missing = w->missing;
    w->out->cut = w->missing > 0;
    rest = w->c;
    if (is_error && cursor_skip(&rest, 4) && rest.left > 0) {
        struct cursor look = rest;

        if (cursor_u8(&look) >> 4 == 4)
            quote_ipv4(rest, &w->out->quote);
        else
            quote_ipv6(rest, &w->out->quote);
    }
    return 0;
}

int layer_icmp(struct walk *w)
{
    struct cursor look = w->c;
    uint8_t type = cursor_u8(&look);

    /* unreachable, source quench, redirect, time exceeded, parameter problem */
    return message(w, type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

int layer_icmpv6(struct walk *w)
{
    struct cursor look = w->c;
    uint8_t type = cursor_u8(&look);

    return message(w, type >= 1 && type <= 4);
}
