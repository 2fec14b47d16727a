#include "probe/question.h"

#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/text.h"
#include "model/dns.h"

enum { HEADER = 12, CLASS_IN = 1, OPTION_PADDING = 12, UDP_SIZE = 1232, RECORDS_MOST = 256 };

static uint8_t *put_u16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

static int name_to_wire(const char *name, uint8_t out[DNS_NAME_WIRE])
{
    size_t used = 0;

    while (*name) {
        size_t length = strcspn(name, ".");

        if (length == 0 || length > 63 || used + length + 2 > DNS_NAME_WIRE)
            return SD_EINVAL;
        out[used++] = (uint8_t)length;
        memcpy(out + used, name, length);
        used += length;
        name += length + (name[length] == '.');
    }
    out[used++] = 0;
    return (int)used;
}

/* OPT (RFC 6891 6.1.2), which ends the message, with padding behind it (RFC 7830 3). */
static uint8_t *put_options(uint8_t *at, const uint8_t *start, bool padded)
{
    size_t fill = 0, used = (size_t)(at - start) + 11;

    if (padded)
        fill = (QUESTION_BLOCK - (used + 4) % QUESTION_BLOCK) % QUESTION_BLOCK;
    *at++ = 0;
    at = put_u16(at, DNS_TYPE_OPT);
    at = put_u16(at, UDP_SIZE);
    memset(at, 0, 4);
    at = put_u16(at + 4, padded ? (unsigned)fill + 4 : 0);
    if (!padded)
        return at;
    at = put_u16(at, OPTION_PADDING);
    at = put_u16(at, (unsigned)fill);
    memset(at, 0, fill);
    return at + fill;
}

int question_write(const struct question *q, uint8_t out[QUESTION_BYTES])
{
    uint8_t name[DNS_NAME_WIRE], *at = out;
    int length = name_to_wire(q->name, name);

    if (length < 0)
        return length;
    at = put_u16(at, q->id);
    at = put_u16(at, 0x0100); /* recursion desired */
    at = put_u16(at, 1);
    at = put_u16(at, 0);
    at = put_u16(at, 0);
    at = put_u16(at, 1);
    memcpy(at, name, (size_t)length);
    at = put_u16(at + length, q->type);
    at = put_u16(at, CLASS_IN);
    return (int)(put_options(at, out, q->padded) - out);
}

/* Compression ends a name where it stands (RFC 1035 4.1.4). */
static void skip_name(struct cursor *c)
{
    while (cursor_ok(c)) {
        uint8_t length = cursor_u8(c);

        if (length == 0)
            return;
        if (length >= 0xc0) {
            cursor_skip(c, 1);
            return;
        }
        if (length > 63)
            c->failed = true;
        cursor_skip(c, length);
    }
}

static bool same_question(const struct question *q, struct cursor *c)
{
    uint8_t name[DNS_NAME_WIRE];
    int length = name_to_wire(q->name, name);
    const uint8_t *asked = length > 0 ? cursor_take(c, (size_t)length) : NULL;

    if (!asked)
        return false;
    for (int i = 0; i < length; i++) { /* upper case is the same name (RFC 4343) */
        uint8_t a = asked[i], b = name[i];

        if (a >= 'A' && a <= 'Z')
            a |= 0x20;
        if (b >= 'A' && b <= 'Z')
            b |= 0x20;
        if (a != b)
            return false;
    }
    return cursor_u16(c) == q->type && cursor_u16(c) == CLASS_IN && cursor_ok(c);
}

static void read_padding(struct cursor options, struct answer *out)
{
    while (options.left >= 4) {
        uint16_t code = cursor_u16(&options), length = cursor_u16(&options);

        if (!cursor_skip(&options, length))
            return;
        if (code == OPTION_PADDING) {
            out->padded = true;
            out->padding = length;
        }
    }
}

/* Priority 0 is an alias and "." the owner itself (RFC 9460 2.4, 2.5.2): neither is a resolver. */
static void read_service(struct cursor data, struct answer *out)
{
    uint16_t priority = cursor_u16(&data);

    if (priority == 0 || out->target[0] || data.left == 0 || data.at[0] == 0)
        return;
    if (text_name(data.at, data.left, out->target, sizeof out->target) < 0)
        out->target[0] = '\0';
}

static void read_record(struct cursor *c, const struct question *q, bool answers,
                        struct answer *out)
{
    uint16_t type;
    struct cursor data;

    skip_name(c);
    type = cursor_u16(c);
    cursor_skip(c, 6);
    data = cursor_sub(c, cursor_u16(c));
    if (!cursor_ok(c))
        return;
    if (answers && type == q->type) {
        out->records++;
        if (type == DNS_TYPE_SVCB)
            read_service(data, out);
    }
    if (!answers && type == DNS_TYPE_OPT)
        read_padding(data, out);
}

int answer_read(const struct question *q, const uint8_t *bytes, size_t length, struct answer *out)
{
    struct cursor c = cursor_over(bytes, length);
    uint16_t id = cursor_u16(&c), flags = cursor_u16(&c), counts[4];
    unsigned records, answers;

    memset(out, 0, sizeof *out);
    for (int i = 0; i < 4; i++)
        counts[i] = cursor_u16(&c);
    if (!cursor_ok(&c) || id != q->id || !(flags & 0x8000) || counts[0] != 1 ||
        !same_question(q, &c))
        return SD_EMALF;
    out->rcode = flags & 15;
    out->truncated = (flags & 0x0200) != 0;
    out->length = (uint16_t)(length > UINT16_MAX ? UINT16_MAX : length);
    answers = counts[1];
    records = answers + counts[2] + counts[3];
    if (records > RECORDS_MOST)
        return SD_EMALF;
    for (unsigned i = 0; i < records && cursor_ok(&c); i++)
        read_record(&c, q, i < answers, out);
    return cursor_ok(&c) ? SD_OK : SD_EMALF;
}
