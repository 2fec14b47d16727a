/* What the kernel's program (shunt.bpf.c) and shunt.c share: the map of flows. Both are compiled
 * with the kernel's types alone, as there is no libc behind `-target bpf`. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_SHUNT_MAP_H
#define SEALDNS_CAPTURE_SHUNT_MAP_H

#include <linux/types.h>

/* As struct shunt_flow of model/shunt.h: addresses in their octets' order, numbers in the host's.
 */
struct shunt_map_key {
    __u8 low[16], high[16];
    __u16 low_port, high_port;
    __u16 vlan;
    __u8 proto, zero;
};

struct shunt_map_value {
    __u64 packets;
    __u64 bytes[2]; /* that the low and the high end sent, as long as their frames were */
    __u64 last;     /* CLOCK_MONOTONIC, to a tick of the kernel; 0: no packet yet */
};

/* Of all flows, one for each processor. */
struct shunt_map_total {
    __u64 packets, bytes;
};

#endif
