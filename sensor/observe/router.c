/* Router advertisements (RFC 4861 4.2): prefixes on the link, and the resolvers they offer (RFC
 * 8106 5.1, RFC 9463 6). */
#include "base/error.h"
#include "observe/lease.h"

enum { OPTION_PREFIX = 3, OPTION_RESOLVERS = 25, OPTION_DNR = 144, HEAD = 12, FROM_THE_LINK = 255 };

static int read_prefix(struct cursor c, struct lease_observation *l)
{
    enum { ON_LINK = 0x80 };
    uint8_t flags, length;
    uint32_t valid;
    const uint8_t *prefix;

    length = cursor_u8(&c);
    flags = cursor_u8(&c);
    valid = cursor_u32(&c);
    cursor_skip(&c, 8);
    prefix = cursor_take(&c, 16);
    if (!prefix || length > 128)
        return SD_EMALF;
    if (valid == 0 || !(flags & ON_LINK))
        return SD_OK;
    if (l->lifetime_s == 0)
        l->lifetime_s = valid;
    lease_add_address(l, addr_v6(prefix));
    return SD_OK;
}

/* Lifetime 0 takes them back. */
static int read_resolvers(struct cursor c, struct lease_observation *l)
{
    uint32_t lifetime;

    cursor_skip(&c, 2);
    lifetime = cursor_u32(&c);
    if (!cursor_ok(&c))
        return SD_EMALF;
    while (lifetime && c.left >= 16)
        lease_add_resolver(l, addr_v6(cursor_take(&c, 16)));
    return SD_OK;
}

/* Without addresses and parameters the rest is padding (RFC 9463 6.1). */
static int read_designation(struct cursor c, struct lease_observation *l)
{
    struct lease_designation *d;
    struct cursor adn, addresses, params;
    uint32_t lifetime;

    cursor_skip(&c, 2); /* priority */
    lifetime = cursor_u32(&c);
    adn = cursor_sub(&c, cursor_u16(&c));
    if (!cursor_ok(&c))
        return SD_EMALF;
    if (lifetime == 0 || !(d = lease_add_designation(l, adn)) || c.left < 2)
        return SD_OK;
    addresses = cursor_sub(&c, cursor_u16(&c));
    while (addresses.left >= 16 && d->service.hint_count < SVCB_HINTS)
        d->service.hint[d->service.hint_count++] = addr_v6(cursor_take(&addresses, 16));
    if (!cursor_ok(&c) || c.left < 2)
        return cursor_ok(&c) ? SD_OK : SD_EMALF;
    params = cursor_sub(&c, cursor_u16(&c));
    return cursor_ok(&params) ? svcb_params(&params, &d->service) : SD_EMALF;
}

int router_read(const struct lease_message *m)
{
    struct cursor c = cursor_over(m->packet->payload, m->packet->payload_length);
    struct lease_observation *l = &m->out->lease;
    int status = SD_OK;

    /* From farther away no host takes it (RFC 4861 6.1.2). */
    if (m->packet->ttl != FROM_THE_LINK || !cursor_skip(&c, HEAD))
        return SD_EMALF;
    while (c.left > 0 && status == SD_OK) {
        uint8_t type = cursor_u8(&c);
        size_t octets = cursor_u8(&c) * 8U;
        struct cursor value = cursor_sub(&c, octets >= 2 ? octets - 2 : SIZE_MAX);

        if (!cursor_ok(&value))
            return SD_EMALF;
        if (type == OPTION_PREFIX)
            status = read_prefix(value, l);
        else if (type == OPTION_RESOLVERS)
            status = read_resolvers(value, l);
        else if (type == OPTION_DNR)
            status = read_designation(value, l);
    }
    l->source = LEASE_ROUTER;
    l->step = LEASE_GIVEN;
    l->giver = m->packet->src_station;
    return status;
}
