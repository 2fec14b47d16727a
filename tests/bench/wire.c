#include "wire.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

void pen_u8(struct pen *pen, uint8_t value)
{
    *pen->at++ = value;
}

void pen_u16(struct pen *pen, uint16_t value)
{
    pen_u8(pen, (uint8_t)(value >> 8));
    pen_u8(pen, (uint8_t)value);
}

void pen_u24(struct pen *pen, uint32_t value)
{
    pen_u8(pen, (uint8_t)(value >> 16));
    pen_u16(pen, (uint16_t)value);
}

void pen_u32(struct pen *pen, uint32_t value)
{
    pen_u16(pen, (uint16_t)(value >> 16));
    pen_u16(pen, (uint16_t)value);
}

void pen_bytes(struct pen *pen, const void *bytes, size_t length)
{
    memcpy(pen->at, bytes, length);
    pen->at += length;
}

void pen_zeros(struct pen *pen, size_t length)
{
    memset(pen->at, 0, length);
    pen->at += length;
}

struct hop hop_back(const struct hop *hop)
{
    return (struct hop){hop->destination, hop->source, hop->destination_port, hop->source_port};
}

void wire_open(struct wire *wire, const char *path)
{
    /* magic, version 2.4, zone, accuracy, snaplen, Ethernet */
    const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
    *wire = (struct wire){.file = fopen(path, "wb")};
    if (wire->file == NULL) {
        err(1, "%s", path);
    }
    setvbuf(wire->file, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof header, 1, wire->file);
}

void wire_close(struct wire *wire)
{
    if (ferror(wire->file) != 0 || fclose(wire->file) != 0) {
        err(1, "writing the capture");
    }
}

static void write_frame(struct wire *wire, uint64_t time_us, const uint8_t *frame, size_t length)
{
    const uint32_t header[4] = {(uint32_t)(time_us / 1000000), (uint32_t)(time_us % 1000000),
                                (uint32_t)length, (uint32_t)length};
    fwrite(header, sizeof header, 1, wire->file);
    fwrite(frame, length, 1, wire->file);
    if (wire->packets++ == 0) {
        wire->first_us = time_us;
    }
    wire->last_us = time_us;
    wire->bytes += length;
}

static uint32_t sum_words(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (; length > 1; bytes += 2, length -= 2) {
        sum += (uint32_t)(bytes[0] << 8 | bytes[1]);
    }
    return length != 0 ? sum + (uint32_t)(bytes[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    return (uint16_t)~sum;
}

static void put_checksum(uint8_t *at, uint32_t sum)
{
    uint16_t checksum = fold(sum);
    at[0] = (uint8_t)(checksum >> 8);
    at[1] = (uint8_t)checksum;
}

static void put_ethernet(struct pen *pen, const struct hop *hop, uint16_t type)
{
    pen_u16(pen, 0x0200);
    pen_u32(pen, hop->destination);
    pen_u16(pen, 0x0200);
    pen_u32(pen, hop->source);
    pen_u16(pen, type);
}

/* Returns the sum of the pseudo header. `fragment` is the identification and what follows it. */
static uint32_t put_ipv4(struct pen *pen, const struct hop *hop, uint8_t protocol, size_t length,
                         uint32_t fragment)
{
    uint8_t *ip = pen->at;
    pen_u16(pen, 0x4500);
    pen_u16(pen, (uint16_t)(20 + length));
    pen_u32(pen, fragment);
    pen_u8(pen, 64);
    pen_u8(pen, protocol);
    pen_u16(pen, 0);
    pen_u32(pen, hop->source);
    pen_u32(pen, hop->destination);
    put_checksum(ip + 10, sum_words(ip, 20, 0));
    return sum_words(ip + 12, 8, (uint32_t)(protocol + length));
}

/* Ethernet and IPv4 headers; returns the sum of the pseudo header. */
static uint32_t put_headers(struct pen *pen, const struct hop *hop, uint8_t protocol, size_t length)
{
    put_ethernet(pen, hop, 0x0800);
    return put_ipv4(pen, hop, protocol, length, 0x00004000); /* do not fragment */
}

static void put_ipv6_address(struct pen *pen, uint32_t address)
{
    pen_u32(pen, 0x20010db8);
    pen_zeros(pen, 8);
    pen_u32(pen, address);
}

/* With the fragment header (RFC 8200 4.5). */
static void put_ipv6(struct pen *pen, const struct hop *hop, const struct piece *piece)
{
    pen_u32(pen, 0x60000000);
    pen_u16(pen, (uint16_t)(8 + piece->payload.length));
    pen_u16(pen, 44 << 8 | 64); /* fragment header, hop limit */
    put_ipv6_address(pen, hop->source);
    put_ipv6_address(pen, hop->destination);
    pen_u16(pen, (uint16_t)(piece->protocol << 8));
    pen_u16(pen, (uint16_t)(piece->offset | (piece->more != 0)));
    pen_u32(pen, piece->id);
}

void wire_piece(struct wire *wire, uint64_t time_us, const struct hop *hop,
                const struct piece *piece)
{
    uint8_t frame[WIRE_FRAME_MAX];
    struct pen pen = {frame};
    put_ethernet(&pen, hop, piece->version == 4 ? 0x0800 : 0x86dd);
    if (piece->version == 4) {
        uint32_t more = piece->more != 0 ? 0x2000 : 0;
        put_ipv4(&pen, hop, piece->protocol, piece->payload.length,
                 piece->id << 16 | more | (uint32_t)piece->offset / 8);
    } else {
        put_ipv6(&pen, hop, piece);
    }
    pen_bytes(&pen, piece->payload.bytes, piece->payload.length);
    write_frame(wire, time_us, frame, (size_t)(pen.at - frame));
}

/* Of UDP's pseudo header; IPv6 has the prefix in both addresses, too. */
static uint32_t sum_of_ends(int version, const struct hop *hop, size_t length)
{
    uint32_t prefix = version == 6 ? 2 * (0x2001 + 0x0db8) : 0;
    return prefix + (hop->source >> 16) + (hop->source & 0xffff) + (hop->destination >> 16) +
           (hop->destination & 0xffff) + 17 + (uint32_t)length;
}

/* Returns where the next byte goes. */
static uint8_t *put_udp(uint8_t *udp, const struct hop *hop, uint32_t sum, struct payload payload)
{
    struct pen pen = {udp};
    pen_u16(&pen, hop->source_port);
    pen_u16(&pen, hop->destination_port);
    pen_u16(&pen, (uint16_t)(8 + payload.length));
    pen_u16(&pen, 0);
    pen_bytes(&pen, payload.bytes, payload.length);
    put_checksum(udp + 6, sum_words(udp, 8 + payload.length, sum));
    if (udp[6] == 0 && udp[7] == 0) {
        udp[6] = udp[7] = 0xff; /* RFC 768: zero would mean no checksum */
    }
    return pen.at;
}

size_t wire_datagram(uint8_t *out, int version, const struct hop *hop, struct payload payload)
{
    uint32_t sum = sum_of_ends(version, hop, 8 + payload.length);
    return (size_t)(put_udp(out, hop, sum, payload) - out);
}

void wire_udp(struct wire *wire, uint64_t time_us, const struct hop *hop, struct payload payload)
{
    uint8_t frame[WIRE_FRAME_MAX];
    struct pen pen = {frame};
    uint32_t sum = put_headers(&pen, hop, 17, 8 + payload.length);
    pen.at = put_udp(pen.at, hop, sum, payload);
    write_frame(wire, time_us, frame, (size_t)(pen.at - frame));
}

static void put_syn_options(struct pen *pen)
{
    static const uint8_t options[12] = {2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7, 1, 1};
    pen_bytes(pen, options, sizeof options);
}

void wire_tcp(struct wire *wire, uint64_t time_us, const struct hop *hop, struct segment segment,
              struct payload payload)
{
    uint8_t frame[WIRE_FRAME_MAX];
    struct pen pen = {frame};
    size_t header = (segment.flags & TCP_SYN) != 0 ? 32 : 20;
    uint32_t sum = put_headers(&pen, hop, 6, header + payload.length);
    uint8_t *tcp = pen.at;
    pen_u16(&pen, hop->source_port);
    pen_u16(&pen, hop->destination_port);
    pen_u32(&pen, segment.sequence);
    pen_u32(&pen, segment.acknowledgement);
    pen_u8(&pen, (uint8_t)(header << 2));
    pen_u8(&pen, segment.flags);
    pen_u16(&pen, 64240);
    pen_u32(&pen, 0);
    if (header == 32) {
        put_syn_options(&pen);
    }
    pen_bytes(&pen, payload.bytes, payload.length);
    put_checksum(tcp + 16, sum_words(tcp, header + payload.length, sum));
    write_frame(wire, time_us, frame, (size_t)(pen.at - frame));
}

void wire_icmp_echo(struct wire *wire, uint64_t time_us, const struct hop *hop, int reply)
{
    uint8_t frame[WIRE_FRAME_MAX];
    struct pen pen = {frame};
    put_headers(&pen, hop, 1, 64);
    uint8_t *icmp = pen.at;
    pen_u32(&pen, reply != 0 ? 0 : 0x08000000);
    pen_u32(&pen, 0x00010001);
    pen_zeros(&pen, 56);
    put_checksum(icmp + 2, sum_words(icmp, 64, 0));
    write_frame(wire, time_us, frame, (size_t)(pen.at - frame));
}
