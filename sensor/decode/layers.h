/* The layers by name, and the tables that find them by number. Internal to decode/. */
#ifndef SEALDNS_DECODE_LAYERS_H
#define SEALDNS_DECODE_LAYERS_H

#include "decode/walk.h"

/* The content by its number; not one of ours: unsupported. */
int layer_by_linktype(struct walk *w, int linktype);
int layer_by_ethertype(struct walk *w, uint16_t ethertype);
int layer_by_ppp_protocol(struct walk *w, uint16_t protocol);
int layer_by_ip_protocol(struct walk *w, uint8_t protocol);
layer_fn ethertype_layer(uint16_t ethertype); /* NULL: none */

/* The tunnel that a UDP datagram between these ports carries, when it looks like one; else NULL. */
layer_fn udp_tunnel(uint16_t sport, uint16_t dport, struct cursor payload);

bool looks_like_vxlan(struct cursor c);
bool looks_like_vxlan_gpe(struct cursor c);
bool looks_like_geneve(struct cursor c);
int layer_vxlan(struct walk *w);
int layer_vxlan_gpe(struct walk *w);
int layer_geneve(struct walk *w);

int layer_ethernet(struct walk *w);
int layer_llc(struct walk *w);
int layer_wlan(struct walk *w);
int layer_radiotap(struct walk *w);
int layer_ppp(struct walk *w);
int layer_ppp_serial(struct walk *w);
int layer_chdlc(struct walk *w);
int layer_pppoe(struct walk *w);
int layer_mpls(struct walk *w);
int layer_nsh(struct walk *w);
int layer_erspan1(struct walk *w);
int layer_erspan(struct walk *w);
int layer_gre(struct walk *w);
int layer_ip(struct walk *w); /* either version, by its first four bits */
int layer_tcp(struct walk *w);
int layer_udp(struct walk *w);
int layer_icmp(struct walk *w);
int layer_icmpv6(struct walk *w);
/* Content of a pseudowire or of another tunnel that names no type: IP or Ethernet by its look. */
int layer_guess(struct walk *w);

#endif
