/* DHCPv6 (RFC 9915): the server's advertisement and reply, and the host name in the client's
 * messages. What goes between relays is left alone: the client's own link shows the same. */
#include <string.h>

#include "base/error.h"
#include "observe/lease.h"

enum {
    SOLICIT = 1,
    ADVERTISE = 2,
    REQUEST = 3,
    RENEW = 5,
    REBIND = 6,
    REPLY = 7,
    INFORMATION_REQUEST = 11
};
enum {
    OPTION_CLIENT = 1,
    OPTION_IA_NA = 3,
    OPTION_IA_TA = 4,
    OPTION_IA_ADDRESS = 5,
    OPTION_RESOLVERS = 23,
    OPTION_FQDN = 39,
    OPTION_DNR = 144
};
enum { DUID_TIME = 1, DUID_LINK = 3, ETHERNET = 1 };
#define GROUP_BIT (UINT64_C(1) << 40) /* of a link address */

/* A DUID made of a link address (RFC 9915 11.2, 11.4). */
static uint64_t station_of(struct cursor duid)
{
    uint16_t type = cursor_u16(&duid);
    uint16_t hardware = cursor_u16(&duid);
    uint64_t station = 0;

    if (type == DUID_TIME)
        cursor_skip(&duid, 4);
    if ((type != DUID_TIME && type != DUID_LINK) || hardware != ETHERNET || duid.left != 6)
        return 0;
    for (int i = 0; i < 6; i++)
        station = station << 8 | cursor_u8(&duid);
    return cursor_ok(&duid) ? station : 0;
}

static int read_addresses(struct cursor ia, size_t head, struct lease_observation *l)
{
    cursor_skip(&ia, head);
    while (ia.left > 0 && cursor_ok(&ia)) {
        uint16_t code = cursor_u16(&ia);
        struct cursor value = cursor_sub(&ia, cursor_u16(&ia));
        const uint8_t *address;
        uint32_t valid;

        if (code != OPTION_IA_ADDRESS)
            continue;
        address = cursor_take(&value, 16);
        cursor_skip(&value, 4); /* preferred lifetime */
        valid = cursor_u32(&value);
        if (!cursor_ok(&value))
            return SD_EMALF;
        if (valid == 0)
            continue; /* no longer (RFC 9915 18.2.10.1) */
        if (l->lifetime_s == 0)
            l->lifetime_s = valid;
        lease_add_address(l, addr_v6(address));
    }
    return cursor_ok(&ia) ? SD_OK : SD_EMALF;
}

/* RFC 9463 4.1. */
static int read_designation(struct cursor c, struct lease_observation *l)
{
    struct lease_designation *d;
    struct cursor adn, addresses;

    cursor_skip(&c, 2); /* priority */
    adn = cursor_sub(&c, cursor_u16(&c));
    if (!cursor_ok(&c))
        return SD_EMALF;
    if (!(d = lease_add_designation(l, adn)) || c.left == 0)
        return SD_OK;
    addresses = cursor_sub(&c, cursor_u16(&c));
    while (addresses.left >= 16 && d->service.hint_count < SVCB_HINTS)
        d->service.hint[d->service.hint_count++] = addr_v6(cursor_take(&addresses, 16));
    return svcb_params(&c, &d->service);
}

static int read_option(uint16_t code, struct cursor value, struct observation *out, uint64_t *duid)
{
    switch (code) {
    case OPTION_CLIENT:
        *duid = station_of(value);
        return SD_OK;
    case OPTION_IA_NA:
        return read_addresses(value, 12, &out->lease);
    case OPTION_IA_TA:
        return read_addresses(value, 4, &out->lease);
    case OPTION_RESOLVERS:
        while (value.left >= 16)
            lease_add_resolver(&out->lease, addr_v6(cursor_take(&value, 16)));
        return SD_OK;
    case OPTION_FQDN: /* RFC 4704 4: flags, then a name that may lack its root */
        cursor_skip(&value, 1);
        lease_set_host_name(&out->lease, value);
        return SD_OK;
    case OPTION_DNR:
        return read_designation(value, &out->lease);
    default:
        return SD_OK;
    }
}

static int step_of(uint8_t type, struct lease_observation *l)
{
    switch (type) {
    case ADVERTISE:
    case REPLY:
        l->step = type == REPLY ? LEASE_GIVEN : LEASE_OFFERED;
        return l->address_count + l->resolver_count + l->designation_count > 0 ? 0 : 1;
    case SOLICIT:
    case REQUEST:
    case RENEW:
    case REBIND:
    case INFORMATION_REQUEST:
        l->step = LEASE_ASKED;
        l->address_count = 0; /* what it had or wishes for */
        l->resolver_count = 0;
        memset(l->address, 0, sizeof l->address);
        return l->host[0] ? 0 : 1;
    default:
        return 1;
    }
}

int dhcp6_read(const struct lease_message *m)
{
    const struct packet *p = m->packet;
    struct cursor c = cursor_over(p->payload, p->payload_length);
    uint8_t type = cursor_u8(&c);
    uint64_t duid = 0, link;
    int status;

    if (!cursor_skip(&c, 3)) /* transaction */
        return SD_EMALF;
    if (type == 0 || type > INFORMATION_REQUEST)
        return 1; /* relays' and later ones */
    while (c.left > 0) {
        uint16_t code = cursor_u16(&c);
        struct cursor value = cursor_sub(&c, cursor_u16(&c));

        if (!cursor_ok(&c))
            return SD_EMALF;
        if ((status = read_option(code, value, m->out, &duid)) != SD_OK)
            return status;
    }
    link = type == ADVERTISE || type == REPLY ? p->dst_station : p->src_station;
    m->out->station = link && !(link & GROUP_BIT) ? link : duid;
    m->out->lease.source = LEASE_DHCP6;
    m->out->lease.giver = p->src_station;
    return step_of(type, &m->out->lease);
}
