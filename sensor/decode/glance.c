#include "decode/glance.h"

#include "base/cursor.h"
#include "model/packet.h"

enum { LINK_ETHERNET = 1, LINK_BARE = 101, LINK_COOKED = 113 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, STATIONS = 12, COOKED = 14, TAGS = 2 };
enum { TLS_HANDSHAKE = 22, QUIC_LONG = 0x80 };

static bool is_tag(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static uint16_t type_of(struct cursor *c, int linktype)
{
    struct cursor look = *c;
    uint16_t type;

    if (linktype == LINK_BARE)
        return cursor_u8(&look) >> 4 == 4 ? TYPE_IPV4 : TYPE_IPV6;
    if (linktype != LINK_ETHERNET && linktype != LINK_COOKED)
        return 0;
    cursor_skip(c, linktype == LINK_ETHERNET ? STATIONS : COOKED);
    type = cursor_u16(c);
    for (int i = 0; i < TAGS && is_tag(type); i++) {
        cursor_skip(c, 2);
        type = cursor_u16(c);
    }
    return type;
}

/* The protocol, with its header next; 0: none that is told here. */
static uint8_t protocol_of(struct cursor *c, uint16_t type)
{
    const uint8_t *h = cursor_take(c, type == TYPE_IPV4 ? 20 : 40);

    if (!h)
        return 0;
    if (type == TYPE_IPV6)
        return h[6];
    if ((h[6] & 0x3f) != 0 || h[7] != 0 || (h[0] & 15) < 5) /* a fragment */
        return 0;
    cursor_skip(c, (h[0] & 15) * 4U - 20);
    return h[9];
}

static bool is_payload(struct cursor *c, uint8_t proto)
{
    const uint8_t *h;

    if (proto == IP_PROTO_UDP) {
        cursor_skip(c, 4);
        return c->left > 0 && !(*c->at & QUIC_LONG);
    }
    h = cursor_take(c, 16);
    if (!h || h[9] & (TCP_FIN | TCP_SYN | TCP_RST) || h[8] >> 4 < 5)
        return false;
    cursor_skip(c, (h[8] >> 4) * 4U - 20);
    return cursor_ok(c) && !(c->left > 0 && *c->at == TLS_HANDSHAKE);
}

enum glance glance(const struct frame *frame)
{
    struct cursor c = cursor_over(frame->bytes, frame->captured);
    uint16_t type = type_of(&c, frame->linktype), port[2];
    uint8_t proto = type == TYPE_IPV4 || type == TYPE_IPV6 ? protocol_of(&c, type) : 0;
    enum glance found = GLANCE_KEEP;

    if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP)
        return GLANCE_KEEP;
    port[0] = cursor_u16(&c);
    port[1] = cursor_u16(&c);
    if (port[0] == 53 || port[1] == 53)
        return GLANCE_KEEP;
    if (port[0] == 443 || port[1] == 443)
        found = GLANCE_443;
    else if (port[0] == 853 || port[1] == 853)
        found = GLANCE_853;
    return found && is_payload(&c, proto) && cursor_ok(&c) ? found : GLANCE_KEEP;
}
