/* DHCP (RFC 2131, options of RFC 2132): the server's offer and acknowledgment, and the host name in
 * the client's request. */
#include <string.h>

#include "base/error.h"
#include "observe/lease.h"

enum { BOOT_REQUEST = 1, BOOT_REPLY = 2, ETHERNET = 1, COOKIE = 0x63825363 };
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, INFORM = 8 };
enum {
    OPTION_PAD = 0,
    OPTION_RESOLVERS = 6,
    OPTION_HOST = 12,
    OPTION_LIFETIME = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_FQDN = 81,
    OPTION_DNR = 162,
    OPTION_END = 255
};

/* An option longer than 255 octets comes in pieces (RFC 3396). */
struct pieces {
    size_t length;
    uint8_t bytes[512];
};

static void add_piece(struct pieces *p, struct cursor value)
{
    size_t n = value.left;

    if (n > sizeof p->bytes - p->length)
        n = sizeof p->bytes - p->length;
    if (n > 0)
        memcpy(p->bytes + p->length, cursor_take(&value, n), n);
    p->length += n;
}

/* RFC 9463 5.1. */
static int read_designations(const struct pieces *p, struct lease_observation *l)
{
    struct cursor all = cursor_over(p->bytes, p->length);

    while (all.left > 0 && cursor_ok(&all)) {
        struct cursor c = cursor_sub(&all, cursor_u16(&all));
        struct lease_designation *d;
        struct cursor adn, addresses;

        cursor_skip(&c, 2); /* priority */
        adn = cursor_sub(&c, cursor_u8(&c));
        if (!cursor_ok(&c))
            return SD_EMALF;
        if (!(d = lease_add_designation(l, adn)) || c.left == 0)
            continue;
        addresses = cursor_sub(&c, cursor_u8(&c));
        while (addresses.left >= 4 && d->service.hint_count < SVCB_HINTS)
            d->service.hint[d->service.hint_count++] = addr_v4(cursor_take(&addresses, 4));
        if (svcb_params(&c, &d->service) != SD_OK)
            return SD_EMALF;
    }
    return cursor_ok(&all) ? SD_OK : SD_EMALF;
}

/* RFC 4702 2: flags, two codes, then a name as text or, by the flag E, in wire form. */
static void read_fqdn(struct cursor value, struct lease_observation *l)
{
    enum { ENCODED = 4 };
    uint8_t flags = cursor_u8(&value);

    cursor_skip(&value, 2);
    if (!cursor_ok(&value) || l->host[0])
        return;
    if (flags & ENCODED)
        lease_set_host_name(l, value);
    else
        lease_set_host(l, value);
}

static void read_option(uint8_t code, struct cursor value, struct observation *out, uint8_t *type)
{
    struct lease_observation *l = &out->lease;

    switch (code) {
    case OPTION_TYPE:
        *type = cursor_u8(&value);
        break;
    case OPTION_RESOLVERS:
        while (value.left >= 4)
            lease_add_resolver(l, addr_v4(cursor_take(&value, 4)));
        break;
    case OPTION_HOST:
        lease_set_host(l, value);
        break;
    case OPTION_LIFETIME:
        l->lifetime_s = cursor_u32(&value);
        break;
    case OPTION_SERVER:
        if (value.left == 4)
            out->server = addr_v4(value.at);
        break;
    case OPTION_FQDN:
        read_fqdn(value, l);
        break;
    default:
        break;
    }
}

static int read_options(struct cursor *c, struct observation *out, uint8_t *type)
{
    struct pieces dnr = {.length = 0};

    while (c->left > 0) {
        uint8_t code = cursor_u8(c);
        struct cursor value;

        if (code == OPTION_END)
            break;
        if (code == OPTION_PAD)
            continue;
        value = cursor_sub(c, cursor_u8(c));
        if (!cursor_ok(c))
            return SD_ETRUNC;
        if (code == OPTION_DNR)
            add_piece(&dnr, value);
        else
            read_option(code, value, out, type);
    }
    return read_designations(&dnr, &out->lease);
}

static int step_of(uint8_t op, uint8_t type, struct lease_observation *l)
{
    if (op == BOOT_REPLY && (type == OFFER || type == ACK)) {
        l->step = type == ACK ? LEASE_GIVEN : LEASE_OFFERED;
        return 0;
    }
    l->step = LEASE_ASKED;
    return op == BOOT_REQUEST && (type == DISCOVER || type == REQUEST || type == INFORM) &&
                   l->host[0]
               ? 0
               : 1;
}

int dhcp4_read(const struct lease_message *m)
{
    enum { TO_HAS = 9, TO_STATION = 8, TO_COOKIE = 10 + 64 + 128 };
    struct cursor c = cursor_over(m->packet->payload, m->packet->payload_length);
    struct lease_observation *l = &m->out->lease;
    uint8_t op = cursor_u8(&c), hardware = cursor_u8(&c), length = cursor_u8(&c), type = 0;
    const uint8_t *has, *own, *station;
    int status;

    cursor_skip(&c, TO_HAS);
    has = cursor_take(&c, 4); /* ciaddr */
    own = cursor_take(&c, 4); /* yiaddr */
    cursor_skip(&c, TO_STATION);
    station = cursor_take(&c, 6);
    cursor_skip(&c, TO_COOKIE);
    if (cursor_u32(&c) != COOKIE)
        return cursor_ok(&c) ? 1 : SD_EMALF; /* BOOTP (RFC 951) */
    l->source = LEASE_DHCP4;
    l->giver = m->packet->src_station;
    for (int i = 0; hardware == ETHERNET && length == 6 && i < 6; i++)
        m->out->station = m->out->station << 8 | station[i];
    status = read_options(&c, m->out, &type);
    if (status != SD_OK)
        return status;
    if (memcmp(own, "\0\0\0\0", 4) == 0)
        own = has; /* the answer to an INFORM (RFC 2131 4.3.5) */
    if (memcmp(own, "\0\0\0\0", 4) != 0 && op == BOOT_REPLY)
        lease_add_address(l, addr_v4(own));
    return step_of(op, type, l);
}
