#include "observe/vpn.h"

#include "base/cursor.h"
#include "observe/tell.h"

enum { PORT_IKE = 500, PORT_IKE_NAT = 4500, PORT_OPENVPN = 1194 };
enum { WIREGUARD_RESPONSE = 0x02000000, WIREGUARD_RESPONSE_LENGTH = 92 };
enum { IKE_V1_MAIN = 2, IKE_V1_AGGRESSIVE = 4, IKE_SA_INIT = 34, IKE_RESPONSE = 0x20 };
enum { OPENVPN_RESET_SERVER_V2 = 8, OPENVPN_LEAST = 14 };

/* Message type 2 and three zeros, and nothing varies in its length (Donenfeld, WireGuard, 5.4.3).
 */
static bool is_wireguard(struct cursor c)
{
    return c.left == WIREGUARD_RESPONSE_LENGTH && cursor_u32(&c) == WIREGUARD_RESPONSE;
}

/* RFC 7296 3.1, for version 1 RFC 2408 3.1: only an answer names both sides' SPI. On port 4500 four
 * zeros tell it from ESP (RFC 3948 2.2). */
static bool is_ike(struct cursor c, uint16_t port)
{
    bool marked = port != PORT_IKE_NAT || cursor_u32(&c) == 0, answered;
    uint8_t version, exchange, flags;

    cursor_skip(&c, 8);
    answered = (cursor_u32(&c) | cursor_u32(&c)) != 0;
    cursor_skip(&c, 1);
    version = cursor_u8(&c);
    exchange = cursor_u8(&c);
    flags = cursor_u8(&c);
    if (!cursor_ok(&c) || !marked || !answered)
        return false;
    if (version >> 4 == 2)
        return exchange == IKE_SA_INIT && (flags & IKE_RESPONSE) != 0;
    return version == 0x10 && (exchange == IKE_V1_MAIN || exchange == IKE_V1_AGGRESSIVE);
}

/* P_CONTROL_HARD_RESET_SERVER_V2 and key 0, a session, the list of what is acknowledged, a number.
 */
static bool is_openvpn(struct cursor c)
{
    return c.left >= OPENVPN_LEAST && cursor_u8(&c) == OPENVPN_RESET_SERVER_V2 << 3;
}

static enum vpn vpn_of(const struct packet *p)
{
    struct cursor c = cursor_over(p->payload, p->payload_length);

    if (is_wireguard(c))
        return VPN_WIREGUARD;
    if ((p->sport == PORT_IKE || p->sport == PORT_IKE_NAT) && is_ike(c, p->sport))
        return VPN_IKE;
    return p->sport == PORT_OPENVPN && is_openvpn(c) ? VPN_OPENVPN : VPN_NONE;
}

bool vpn_datagram(struct observer *o, const struct packet *p)
{
    enum vpn vpn = vpn_of(p);
    struct observation *out;

    if (vpn == VPN_NONE)
        return false;
    out = tell_begin(o, OBSERVE_VPN, p);
    out->vpn = (uint8_t)vpn;
    out->client = p->dst;
    out->client_port = p->dport;
    out->server = p->src;
    out->server_port = p->sport;
    out->station = p->dst_station;
    o->stats->vpns++;
    tell_put(o);
    return true;
}
