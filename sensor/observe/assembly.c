#include "observe/assembly.h"

#include <string.h>

#include "base/cursor.h"

enum { PREFIX = 2, HEADER = 12, GROW = 1024 };

/* RFC 1035 4.1.1: what a header must say to be believed without a question behind it. */
static bool header_plausible(struct cursor c, uint32_t length)
{
    uint16_t flags, count[4];
    unsigned opcode;

    cursor_skip(&c, 2);
    flags = cursor_u16(&c);
    for (int i = 0; i < 4; i++)
        count[i] = cursor_u16(&c);
    opcode = flags >> 11 & 15;
    if (!cursor_ok(&c) || opcode > 6 || opcode == 3 || flags & 0x0040 || count[0] > 1)
        return false;
    if (!(flags & 0x8000) && (flags & 0x000f || (count[0] == 0 && opcode == 0)))
        return false;
    return HEADER + 5u * count[0] + 11u * ((uint32_t)count[1] + count[2] + count[3]) <= length;
}

bool assembly_plausible(const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_over(bytes, length);
    uint16_t want = cursor_u16(&c);

    if (length < PREFIX)
        return true;
    if (want < HEADER)
        return false;
    return c.left < HEADER || header_plausible(c, want);
}

void assembly_begin_lost(struct dns_assembly *a)
{
    a->lost = true;
}

void assembly_drop(struct dns_assembly *a, struct budget *b)
{
    budget_free(b, a->bytes, a->room);
    a->bytes = NULL;
    a->room = a->have = a->skip = 0;
    a->prefix_have = 0;
}

static void lose(struct dns_assembly *a, struct budget *b)
{
    assembly_drop(a, b);
    a->lost = true;
}

/* Room for n more bytes; it grows with what came, not with what a prefix claims. */
static bool keep(struct dns_assembly *a, struct budget *b, const uint8_t *bytes, uint32_t n)
{
    uint32_t room = a->have + n;
    uint8_t *grown;

    if (room > a->room) {
        room = room + GROW < a->want ? room + GROW : a->want;
        grown = budget_resize(b, a->bytes, a->room, room);
        if (!grown)
            return false;
        a->bytes = grown;
        a->room = room;
    }
    memcpy(a->bytes + a->have, bytes, n);
    a->have += n;
    return true;
}

/* After a whole message: the next one begins. One that did not parse puts its stream in doubt. */
static void finish(struct dns_assembly *a, struct budget *b, bool parsed)
{
    assembly_drop(a, b);
    a->doubtful = !parsed;
}

static bool believed(const struct dns_assembly *a, const uint8_t *bytes, uint32_t n)
{
    return !a->doubtful || n < HEADER || header_plausible(cursor_over(bytes, n), a->want);
}

static void take_prefix(struct dns_assembly *a, struct cursor *c)
{
    while (a->prefix_have < PREFIX && c->left > 0)
        a->prefix[a->prefix_have++] = cursor_u8(c);
    a->want = (uint16_t)((unsigned)a->prefix[0] << 8 | a->prefix[1]);
}

/* One message, or what there is of it. False: the place in the stream is lost. */
static bool take_message(struct dns_assembly *a, struct budget *b, struct cursor *c,
                         struct assembly_reader reader)
{
    uint32_t rest = a->want - a->have;
    uint32_t n = c->left < rest ? (uint32_t)c->left : rest;
    const uint8_t *bytes = cursor_take(c, n);

    if (a->have == 0 && n == a->want) {
        if (!believed(a, bytes, n))
            return false;
        finish(a, b, reader.message(reader.context, bytes, n, n));
        return true;
    }
    if (n == 0)
        return true;
    if (!keep(a, b, bytes, n) || !believed(a, a->bytes, a->have))
        return false;
    if (a->have == a->want)
        finish(a, b, reader.message(reader.context, a->bytes, a->have, a->want));
    return true;
}

static void feed_bytes(struct dns_assembly *a, struct budget *b, struct cursor c,
                       struct assembly_reader reader)
{
    if (a->lost) {
        if (!assembly_plausible(c.at, c.left))
            return;
        a->lost = false;
        a->doubtful = true;
    }
    if (a->skip > 0) {
        uint32_t n = c.left < a->skip ? (uint32_t)c.left : a->skip;

        cursor_skip(&c, n);
        a->skip -= n;
    }
    while (c.left > 0) {
        take_prefix(a, &c);
        if (a->prefix_have < PREFIX)
            return;
        if ((a->doubtful && a->want < HEADER) || !take_message(a, b, &c, reader)) {
            lose(a, b);
            return;
        }
    }
}

/* Bytes that the capture lacks. A message whose header is there counts when they end within it. */
static void feed_hole(struct dns_assembly *a, struct budget *b, uint32_t missing,
                      struct assembly_reader reader)
{
    if (a->lost)
        return;
    if (missing <= a->skip) {
        a->skip -= missing;
        return;
    }
    if (a->skip > 0 || a->prefix_have < PREFIX || a->have < HEADER || missing > a->want - a->have ||
        !header_plausible(cursor_over(a->bytes, a->have), a->want)) {
        lose(a, b);
        return;
    }
    reader.message(reader.context, a->bytes, a->have, a->want);
    missing = a->want - a->have - missing;
    finish(a, b, true);
    a->skip = missing;
}

void assembly_feed(struct dns_assembly *a, struct budget *b, const struct stream_piece *piece,
                   struct assembly_reader reader)
{
    if (piece->length > 0)
        feed_bytes(a, b, cursor_over(piece->bytes, piece->length), reader);
    if (piece->missing > 0)
        feed_hole(a, b, piece->missing, reader);
}
