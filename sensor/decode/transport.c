/* TCP (RFC 9293) and UDP (RFC 768). */
#include "decode/layers.h"

static int deliver(struct walk *w)
{
    w->out->payload = w->c.at;
    w->out->payload_length = (uint32_t)w->c.left;
    w->out->payload_missing = w->missing;
    w->out->cut = w->missing > 0;
    return 0;
}

int layer_udp(struct walk *w)
{
    enum { HEADER = 8 };
    const uint8_t *h = cursor_take(&w->c, HEADER);
    uint16_t length;

    if (!h)
        return walk_short(w, IN_TRANSPORT);
    w->out->sport = load16(h);
    w->out->dport = load16(h + 2);
    length = load16(h + 4);
    if (length != 0) { /* 0: a jumbogram (RFC 2675) */
        if (length < HEADER || (size_t)length - HEADER > w->c.left + w->missing)
            return walk_malformed(w, IN_TRANSPORT);
        walk_limit(w, length - HEADER);
    }
    if (w->tunnels) {
        layer_fn tunnel = udp_tunnel(w->out->sport, w->out->dport, w->c);

        if (tunnel)
            return walk_into(w, tunnel);
    }
    return deliver(w);
}

int layer_tcp(struct walk *w)
{
    enum { HEADER = 20 };
    const uint8_t *h = cursor_take(&w->c, HEADER);
    size_t header;

    if (!h)
        return walk_short(w, IN_TRANSPORT);
    header = (h[12] >> 4) * 4U;
    if (header < HEADER || header - HEADER > w->c.left + w->missing)
        return walk_malformed(w, IN_TRANSPORT);
    if (!cursor_skip(&w->c, header - HEADER))
        return walk_short(w, IN_TRANSPORT);
    tcp_fields(h, w->out);
    return deliver(w);
}
