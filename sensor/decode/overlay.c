/* VXLAN (RFC 7348, with the group policy and generic protocol extensions), Geneve (RFC 8926) and
 * the network service header (RFC 8300). */
#include "decode/layers.h"

enum { VXLAN_VNI = 0x08, VXLAN_PROTOCOL = 0x04, VXLAN_POLICY = 0x80 };

/* A service header's and VXLAN-GPE's next protocol. */
static int by_next_protocol(struct walk *w, uint8_t next)
{
    static const layer_fn layers[] = {
        [1] = layer_ip, [2] = layer_ip, [3] = layer_ethernet, [4] = layer_nsh, [5] = layer_mpls,
    };

    if (next >= sizeof layers / sizeof *layers || !layers[next])
        return walk_unsupported(w);
    return walk_to(w, layers[next]);
}

/* Plain, or with the bit of the generic extension, which names the next protocol. What is reserved
 * must be 0: a DNS message between these ports has bits there. */
bool looks_like_vxlan(struct cursor c)
{
    const uint8_t *h = cursor_take(&c, 8);

    if (!h || !(h[0] & VXLAN_VNI) || h[7] != 0)
        return false;
    if ((h[0] & ~VXLAN_POLICY) == VXLAN_VNI)
        return h[0] & VXLAN_POLICY || (h[1] == 0 && h[2] == 0 && h[3] == 0);
    return h[0] == (VXLAN_VNI | VXLAN_PROTOCOL) && h[1] == 0 && h[2] == 0 && h[3] >= 1 && h[3] <= 5;
}

/* The extension has a port of its own; there are senders that leave its bit out. */
bool looks_like_vxlan_gpe(struct cursor c)
{
    const uint8_t *h = cursor_take(&c, 8);

    return h && (h[0] & 0xc0) == 0 && h[0] & (VXLAN_VNI | VXLAN_PROTOCOL) && h[1] == 0 &&
           h[2] == 0 && h[3] >= 1 && h[3] <= 5;
}

int layer_vxlan(struct walk *w)
{
    const uint8_t *h = cursor_take(&w->c, 8);

    if (!h)
        return walk_short(w, IN_TUNNEL);
    w->out->tunnel = load32(h + 4) >> 8;
    return h[0] & VXLAN_PROTOCOL ? by_next_protocol(w, h[3]) : walk_to(w, layer_ethernet);
}

int layer_vxlan_gpe(struct walk *w)
{
    const uint8_t *h = cursor_take(&w->c, 8);

    if (!h)
        return walk_short(w, IN_TUNNEL);
    w->out->tunnel = load32(h + 4) >> 8;
    return by_next_protocol(w, h[3]);
}

bool looks_like_geneve(struct cursor c)
{
    const uint8_t *h = cursor_take(&c, 8);

    return h && h[0] >> 6 == 0 && (h[1] & 0x3f) == 0 && h[7] == 0 && ethertype_layer(load16(h + 2));
}

int layer_geneve(struct walk *w)
{
    const uint8_t *h = cursor_take(&w->c, 8);

    if (!h || !cursor_skip(&w->c, (h[0] & 0x3f) * 4U))
        return walk_short(w, IN_TUNNEL);
    w->out->tunnel = load32(h + 4) >> 8;
    return layer_by_ethertype(w, load16(h + 2));
}

int layer_nsh(struct walk *w)
{
    const uint8_t *h = cursor_take(&w->c, 4);
    size_t length;

    if (!h)
        return walk_short(w, IN_TUNNEL);
    length = (h[1] & 0x3f) * 4U;
    if (h[0] >> 6 != 0 || length < 8)
        return walk_malformed(w, IN_TUNNEL);
    if (!cursor_skip(&w->c, length - 4))
        return walk_short(w, IN_TUNNEL);
    return by_next_protocol(w, h[3]);
}
