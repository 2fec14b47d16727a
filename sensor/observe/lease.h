/* DHCP and router advertisements: who got which address, which resolvers the network offers. Rare
 * packets, no state: each becomes one observation or none. */
#ifndef SEALDNS_OBSERVE_LEASE_H
#define SEALDNS_OBSERVE_LEASE_H

#include "base/cursor.h"
#include "observe/observer.h"

enum { PORT_DHCP_SERVER = 67, PORT_DHCP_CLIENT = 68 };
enum { PORT_DHCP6_CLIENT = 546, PORT_DHCP6_SERVER = 547 };
enum { ICMP6_ROUTER_ADVERTISEMENT = 134 };

/* Whether a datagram to or from this port is DHCP. */
static inline bool lease_port(uint16_t port)
{
    return port == PORT_DHCP_SERVER || port == PORT_DHCP_CLIENT || port == PORT_DHCP6_CLIENT ||
           port == PORT_DHCP6_SERVER;
}

void lease_datagram(struct observer *o, const struct packet *p);
void lease_advertisement(struct observer *o, const struct packet *p);

/* What the files of the protocols share. Each returns 0: *out says something (step is set); 1:
 * nothing to tell of; SD_EMALF. They find *out empty but for the fields of every observation. */
struct lease_message {
    const struct packet *packet;
    struct observation *out;
};

int dhcp4_read(const struct lease_message *m);
int dhcp6_read(const struct lease_message *m);
int router_read(const struct lease_message *m);

void lease_add_address(struct lease_observation *l, struct addr address);
void lease_add_resolver(struct lease_observation *l, struct addr address);
/* One instance of DNR behind its lengths (RFC 9463): NULL when there is no room. */
struct lease_designation *lease_add_designation(struct lease_observation *l, struct cursor adn);
/* Text or a name in wire form (which may lack its root label, RFC 4702 2.3.1). */
void lease_set_host(struct lease_observation *l, struct cursor text);
void lease_set_host_name(struct lease_observation *l, struct cursor wire);

#endif
