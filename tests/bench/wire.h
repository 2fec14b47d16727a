/* Frames, and the capture file they go into. Numbers are in host order, addresses IPv4. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WIRE_FRAME_MAX   1514
#define WIRE_UDP_PAYLOAD (WIRE_FRAME_MAX - 42)
#define WIRE_TCP_PAYLOAD (WIRE_FRAME_MAX - 54)

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16 };

/* A position in a buffer that is being filled. */
struct pen {
    uint8_t *at;
};

void pen_u8(struct pen *pen, uint8_t value);
void pen_u16(struct pen *pen, uint16_t value);
void pen_u24(struct pen *pen, uint32_t value);
void pen_u32(struct pen *pen, uint32_t value);
void pen_bytes(struct pen *pen, const void *bytes, size_t length);
void pen_zeros(struct pen *pen, size_t length);

struct wire {
    FILE *file;
    uint64_t packets;
    uint64_t bytes;
    uint64_t first_us;
    uint64_t last_us;
};

/* Writes the header of a pcap file (microseconds, Ethernet); ends the program when it cannot. */
void wire_open(struct wire *wire, const char *path);
void wire_close(struct wire *wire);

struct hop {
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
};

struct hop hop_back(const struct hop *hop);

struct segment {
    uint32_t sequence;
    uint32_t acknowledgement;
    uint8_t flags;
};

struct payload {
    const uint8_t *bytes;
    size_t length;
};

void wire_udp(struct wire *wire, uint64_t time_us, const struct hop *hop, struct payload payload);
void wire_tcp(struct wire *wire, uint64_t time_us, const struct hop *hop, struct segment segment,
              struct payload payload);
/* A piece of what IP carries. IPv6 addresses are 2001:db8:: and the hop's 32 bits. */
struct piece {
    int version; /* 4 or 6 */
    uint32_t id; /* IPv4 takes the lower half */
    uint16_t offset;
    int more;
    uint8_t protocol;
    struct payload payload;
};

void wire_piece(struct wire *wire, uint64_t time_us, const struct hop *hop,
                const struct piece *piece);
/* The UDP header and the payload, to be sent in pieces; returns their length. */
size_t wire_datagram(uint8_t *out, int version, const struct hop *hop, struct payload payload);
void wire_icmp_echo(struct wire *wire, uint64_t time_us, const struct hop *hop, int reply);

#endif
