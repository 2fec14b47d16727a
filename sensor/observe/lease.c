#include "observe/lease.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "observe/tell.h"

static void lower_case(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text | 0x20);
}

void lease_add_address(struct lease_observation *l, struct addr address)
{
    if (l->address_count < LEASE_ADDRESSES)
        l->address[l->address_count++] = address;
    else
        l->more = true;
}

void lease_add_resolver(struct lease_observation *l, struct addr address)
{
    if (l->resolver_count < LEASE_RESOLVERS)
        l->resolver[l->resolver_count++] = address;
    else
        l->more = true;
}

struct lease_designation *lease_add_designation(struct lease_observation *l, struct cursor adn)
{
    struct lease_designation *d;
    size_t length = adn.left;

    if (l->designation_count == LEASE_DESIGNATIONS) {
        l->more = true;
        return NULL;
    }
    d = &l->designation[l->designation_count++];
    memset(d, 0, sizeof *d);
    if (length == 0 || text_name(cursor_take(&adn, length), length, d->name, sizeof d->name) < 0)
        text_copy(d->name, sizeof d->name, "?");
    return d;
}

void lease_set_host(struct lease_observation *l, struct cursor text)
{
    size_t length = text.left;
    const char *from = (const char *)cursor_take(&text, length);

    if (!from || length == 0)
        return;
    text_printable(from, length, l->host, sizeof l->host);
    lower_case(l->host);
}

void lease_set_host_name(struct lease_observation *l, struct cursor wire)
{
    uint8_t name[256];
    size_t length = wire.left;

    if (length == 0 || length >= sizeof name)
        return;
    memcpy(name, cursor_take(&wire, length), length);
    name[length] = 0;
    if (text_name(name, length + 1, l->host, sizeof l->host) < 0 || strcmp(l->host, ".") == 0)
        l->host[0] = '\0';
}

static void read_packet(struct observer *o, const struct packet *p,
                        int (*read)(const struct lease_message *m))
{
    struct observation *out = tell_begin(o, OBSERVE_LEASE, p);
    struct lease_message m = {p, out};
    int status;

    memset(&out->lease, 0, sizeof out->lease);
    out->server = p->src;
    out->server_port = p->sport;
    out->client_port = p->dport;
    status = read(&m);
    if (status < 0)
        o->stats->leases_malformed += p->payload_missing == 0; /* decode/ counts what was cut */
    if (status != SD_OK)
        return;
    out->client = out->lease.address[0];
    o->stats->leases++;
    tell_put(o);
}

void lease_datagram(struct observer *o, const struct packet *p)
{
    bool six = p->sport >= PORT_DHCP6_CLIENT || p->dport >= PORT_DHCP6_CLIENT;
    bool pair = six ? (p->dport == PORT_DHCP6_CLIENT || p->dport == PORT_DHCP6_SERVER)
                    : lease_port(p->sport) && lease_port(p->dport);

    if (pair)
        read_packet(o, p, six ? dhcp6_read : dhcp4_read);
}

void lease_advertisement(struct observer *o, const struct packet *p)
{
    read_packet(o, p, router_read);
}
