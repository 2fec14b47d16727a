#include "capture/pcapng.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"

enum {
    SECTION = 0x0a0d0d0a,
    INTERFACE = 1,
    OLD_PACKET = 2,
    SIMPLE_PACKET = 3,
    ENHANCED_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d
};

enum {
    BLOCK_MAX = 64 << 20,
    INTERFACES_MAX = 65536,
    FRAME_MAX = 1 << 20 /* no link carries more */
};

struct interface {
    int linktype;
    uint32_t snaplen;
    bool binary; /* the resolution is a negative power of two, else of ten */
    uint8_t resolution;
    int64_t offset; /* seconds */
};

struct pcapng {
    FILE *file;
    bool swapped; /* the section's numbers are little-endian; the cursor reads big-endian */
    struct interface *interfaces;
    size_t count, room;
    uint8_t *body; /* of the block at hand, without type and lengths */
    size_t body_room;
    nsec_t last; /* time of the last packet: a simple packet has none of its own */
};

static uint32_t number32(const struct pcapng *p, struct cursor *c)
{
    uint32_t n = cursor_u32(c);

    return p->swapped ? __builtin_bswap32(n) : n;
}

static uint16_t number16(const struct pcapng *p, struct cursor *c)
{
    uint16_t n = cursor_u16(c);

    return p->swapped ? __builtin_bswap16(n) : n;
}

static int read_exactly(struct pcapng *p, void *to, size_t length)
{
    if (fread(to, 1, length, p->file) == length)
        return 0;
    return ferror(p->file) ? SD_EIO : SD_ETRUNC;
}

/* A resolution of 10^-n or 2^-n seconds to nanoseconds; what does not fit is clamped. */
static nsec_t to_time(const struct interface *i, uint64_t units)
{
    unsigned __int128 ns;
    nsec_t base;

    if (i->binary) {
        ns = (unsigned __int128)units * (uint64_t)NSEC_S >> i->resolution;
    } else {
        ns = units;
        for (unsigned n = i->resolution; n < 9; n++)
            ns *= 10;
        for (unsigned n = i->resolution; n > 9 && ns != 0; n--)
            ns /= 10;
    }
    base = ns > INT64_MAX / 2 ? INT64_MAX / 2 : (nsec_t)ns;
    if (i->offset > INT64_MAX / 4 / NSEC_S || i->offset < -(INT64_MAX / 4 / NSEC_S))
        return base;
    return base + i->offset * NSEC_S;
}

/* Options are a code, a length and a value padded to four. */
static void interface_options(const struct pcapng *p, struct cursor c, struct interface *i)
{
    enum { END = 0, RESOLUTION = 9, OFFSET = 14 };

    while (c.left >= 4 && cursor_ok(&c)) {
        uint16_t code = number16(p, &c);
        uint16_t length = number16(p, &c);
        struct cursor value = cursor_sub(&c, length);

        if (code == END || !cursor_ok(&value))
            return;
        if (code == RESOLUTION && length == 1) {
            uint8_t resolution = cursor_u8(&value);

            i->binary = resolution & 0x80;
            i->resolution = resolution & 0x7f;
        }
        if (code == OFFSET && length == 8) {
            uint32_t first = number32(p, &value), second = number32(p, &value);

            i->offset = (int64_t)(p->swapped ? (uint64_t)second << 32 | first
                                             : (uint64_t)first << 32 | second);
        }
        if (length % 4 && c.left >= 4U - length % 4)
            cursor_skip(&c, 4U - length % 4);
    }
}

static int interface_block(struct pcapng *p, struct cursor c)
{
    struct interface i = {.resolution = 6};

    i.linktype = number16(p, &c);
    cursor_skip(&c, 2);
    i.snaplen = number32(p, &c);
    if (!cursor_ok(&c) || p->count == INTERFACES_MAX)
        return SD_EMALF;
    interface_options(p, c, &i);
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 8;
        struct interface *more = realloc(p->interfaces, room * sizeof *more);

        if (!more)
            return SD_EMEM;
        p->interfaces = more;
        p->room = room;
    }
    p->interfaces[p->count++] = i;
    return 0;
}

static int give(const struct interface *i, struct cursor *c, uint32_t captured, uint32_t length,
                struct frame *out)
{
    out->bytes = captured <= FRAME_MAX ? cursor_take(c, captured) : NULL;
    if (!out->bytes)
        return SD_EMALF;
    out->captured = captured;
    out->length = length > captured ? length : captured;
    out->linktype = i->linktype;
    out->iface = 0;
    return 0;
}

/* An enhanced packet, or the old one, whose interface number is half as wide. */
static int packet_block(struct pcapng *p, struct cursor c, bool old, struct frame *out)
{
    uint32_t number = old ? number16(p, &c) : number32(p, &c);
    uint64_t units;
    uint32_t captured, length;

    if (old)
        cursor_skip(&c, 2);
    units = (uint64_t)number32(p, &c) << 32;
    units |= number32(p, &c);
    captured = number32(p, &c);
    length = number32(p, &c);
    if (!cursor_ok(&c) || number >= p->count)
        return SD_EMALF;
    out->time = p->last = to_time(&p->interfaces[number], units);
    return give(&p->interfaces[number], &c, captured, length, out);
}

static int simple_block(struct pcapng *p, struct cursor c, struct frame *out)
{
    uint32_t length = number32(p, &c);
    uint32_t captured = length;

    if (!cursor_ok(&c) || p->count == 0)
        return SD_EMALF;
    if (p->interfaces[0].snaplen && captured > p->interfaces[0].snaplen)
        captured = p->interfaces[0].snaplen;
    if (captured > c.left)
        captured = (uint32_t)c.left;
    out->time = p->last;
    return give(&p->interfaces[0], &c, captured, length, out);
}

/* The rest of a block behind its type and length, and the length again. */
static int read_body(struct pcapng *p, size_t length, uint32_t total)
{
    uint8_t again[4] = {0};
    struct cursor c = cursor_over(again, sizeof again);
    int result;

    if (length > p->body_room) {
        uint8_t *more = realloc(p->body, length);

        if (!more)
            return SD_EMEM;
        p->body = more;
        p->body_room = length;
    }
    result = read_exactly(p, p->body, length);
    if (result == 0)
        result = read_exactly(p, again, sizeof again);
    if (result == 0 && number32(p, &c) != total)
        result = SD_EMALF;
    return result;
}

/* A section begins: its byte order decides how its own length is read. */
static int section_block(struct pcapng *p, uint32_t raw_total)
{
    enum { FIXED = 28 };
    uint8_t order[4] = {0};
    struct cursor c = cursor_over(order, sizeof order);
    uint32_t magic, total;
    int result = read_exactly(p, order, sizeof order);

    if (result != 0)
        return result;
    magic = cursor_u32(&c);
    if (magic != BYTE_ORDER_MAGIC && __builtin_bswap32(magic) != BYTE_ORDER_MAGIC)
        return SD_EMALF;
    p->swapped = magic != BYTE_ORDER_MAGIC;
    total = p->swapped ? __builtin_bswap32(raw_total) : raw_total;
    p->count = 0;
    if (total < FIXED || total > BLOCK_MAX || total % 4)
        return SD_EMALF;
    return read_body(p, total - 16, total); /* the byte order is read already */
}

int pcapng_open(FILE *file, struct pcapng **out)
{
    struct pcapng *p = calloc(1, sizeof *p);
    uint8_t head[8] = {0};
    struct cursor c = cursor_over(head, sizeof head);
    int result;

    if (!p)
        return SD_EMEM;
    p->file = file;
    result = read_exactly(p, head, sizeof head);
    if (result == 0 && cursor_u32(&c) != SECTION)
        result = SD_EFORMAT;
    if (result == 0)
        result = section_block(p, cursor_u32(&c));
    if (result != 0) {
        pcapng_close(p);
        return result == SD_EMEM || result == SD_EIO ? result : SD_EFORMAT;
    }
    *out = p;
    return 0;
}

void pcapng_close(struct pcapng *p)
{
    if (!p)
        return;
    free(p->interfaces);
    free(p->body);
    free(p);
}

/* 1: a packet is in *out. 0: another block. */
static int block(struct pcapng *p, uint32_t type, uint32_t total, struct frame *out)
{
    struct cursor c;
    int result;

    if (total < 12 || total > BLOCK_MAX || total % 4)
        return SD_EMALF;
    result = read_body(p, total - 12, total);
    if (result != 0)
        return result;
    c = cursor_over(p->body, total - 12);
    switch (type) {
    case INTERFACE:
        return interface_block(p, c);
    case ENHANCED_PACKET:
    case OLD_PACKET:
        result = packet_block(p, c, type == OLD_PACKET, out);
        return result == 0 ? 1 : result;
    case SIMPLE_PACKET:
        result = simple_block(p, c, out);
        return result == 0 ? 1 : result;
    default:
        return 0;
    }
}

int pcapng_next(struct pcapng *p, struct frame *out)
{
    int result = 0;

    while (result == 0) {
        uint8_t head[8] = {0};
        struct cursor c = cursor_over(head, sizeof head);
        size_t got = fread(head, 1, sizeof head, p->file);
        uint32_t type;

        if (got < sizeof head)
            return ferror(p->file) ? SD_EIO : got == 0 ? SD_EEND : SD_ETRUNC;
        type = cursor_u32(&c);
        if (type == SECTION) { /* the same in both byte orders */
            result = section_block(p, cursor_u32(&c));
            continue;
        }
        type = p->swapped ? __builtin_bswap32(type) : type;
        result = block(p, type, number32(p, &c), out);
    }
    return result == 1 ? 0 : result;
}
