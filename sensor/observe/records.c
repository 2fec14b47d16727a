#include "observe/records.h"

#include <stddef.h>

#include "base/cursor.h"

enum { HEADER = 5, BODY_MAX = 16384 + 2048, TYPE_LAST = 24, SSL2_HELLO = 1 };

static bool header_valid(const uint8_t *h)
{
    unsigned length = (unsigned)h[3] << 8 | h[4];

    return h[0] >= TLS_CCS && h[0] <= TYPE_LAST && h[1] == 3 && h[2] <= 4 && length > 0 &&
           length <= BODY_MAX;
}

static bool ssl2_hello(const uint8_t *h)
{
    return h[0] & 0x80 && h[2] == SSL2_HELLO && (h[3] == 3 || (h[3] == 0 && h[4] == 2));
}

bool tls_begins(const uint8_t *bytes, size_t length)
{
    if (length < HEADER)
        return length > 0 && bytes[0] >= TLS_CCS && bytes[0] <= TYPE_LAST &&
               (length < 2 || bytes[1] == 3);
    return header_valid(bytes) || ssl2_hello(bytes);
}

void meter_begin_lost(struct meter *m)
{
    m->state = METER_LOST;
}

static void tell(const struct meter *m, struct meter_reader reader)
{
    struct tls_record r = {.type = m->type, .length = m->length};

    if (m->type == TLS_ALERT) {
        r.alert_level = m->length == 2 ? m->alert[0] : 0;
        r.alert = m->length == 2 ? m->alert[1] : 255;
    }
    reader.record(reader.context, &r);
}

/* The header is whole. False: it is none. */
static bool open_record(struct meter *m, struct meter_reader reader)
{
    const uint8_t *h = m->header;

    m->have = 0;
    if (m->state == METER_FRESH && ssl2_hello(h)) {
        m->type = TLS_HANDSHAKE;
        m->length = (uint16_t)((h[0] & 0x7fu) << 8 | h[1]);
        m->left = m->length > HEADER - 2 ? m->length - (HEADER - 2u) : 0;
    } else if (header_valid(h)) {
        m->type = h[0];
        m->length = (uint16_t)((unsigned)h[3] << 8 | h[4]);
        m->left = m->length;
    } else {
        return false;
    }
    m->state = METER_RUNNING;
    if (m->type != TLS_ALERT)
        tell(m, reader);
    return true;
}

static void skip_body(struct meter *m, struct cursor *c, struct meter_reader reader)
{
    uint32_t n = c->left < m->left ? (uint32_t)c->left : m->left;
    const uint8_t *bytes = cursor_take(c, n);

    for (uint32_t i = 0; m->type == TLS_ALERT && i < n && m->length - m->left + i < 2; i++)
        m->alert[m->length - m->left + i] = bytes[i];
    m->left -= n;
    if (m->left == 0 && m->type == TLS_ALERT)
        tell(m, reader);
}

/* A segment that begins with a header, and with another behind that record where it ends inside. */
static bool finds_itself(const struct cursor *c)
{
    struct cursor next = *c;
    const uint8_t *h = cursor_take(&next, HEADER);

    if (!h || !header_valid(h))
        return false;
    if (!cursor_skip(&next, (size_t)h[3] << 8 | h[4]) || next.left == 0)
        return true;
    return tls_begins(next.at, next.left);
}

static void feed_bytes(struct meter *m, struct cursor c, struct meter_reader reader)
{
    if (m->state == METER_LOST) {
        if (!finds_itself(&c))
            return;
        m->state = METER_RUNNING;
        m->have = 0;
        m->left = 0;
    }
    while (c.left > 0) {
        if (m->left > 0) {
            skip_body(m, &c, reader);
            continue;
        }
        m->header[m->have++] = cursor_u8(&c);
        if (m->have == HEADER && !open_record(m, reader)) {
            m->state = m->state == METER_FRESH ? METER_NOT_TLS : METER_LOST;
            return;
        }
    }
    if (m->state == METER_FRESH && m->have > 0 && !tls_begins(m->header, m->have) &&
        !(m->header[0] & 0x80))
        m->state = METER_NOT_TLS;
}

void meter_feed(struct meter *m, const struct stream_piece *piece, struct meter_reader reader)
{
    if (m->state == METER_NOT_TLS)
        return;
    if (piece->length > 0)
        feed_bytes(m, cursor_over(piece->bytes, piece->length), reader);
    if (piece->missing == 0 || m->state == METER_NOT_TLS)
        return;
    if (piece->missing <= m->left && m->type != TLS_ALERT)
        m->left -= piece->missing;
    else
        m->state = METER_LOST;
}
