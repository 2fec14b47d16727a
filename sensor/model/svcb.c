#include "model/svcb.h"

#include <string.h>

#include "base/error.h"
#include "model/names.h"

enum { KEY_ALPN = 1, KEY_PORT = 3, KEY_V4_HINT = 4, KEY_V6_HINT = 6 }; /* RFC 9460 14.3.2 */

/* RFC 9461 6; http/1.1 is no DoH (RFC 8484 5.2). */
static const struct {
    const char *alpn;
    enum transport transport;
} alpns[] = {
    {"dot", TRANSPORT_DOT}, {"doq", TRANSPORT_DOQ}, {"h2", TRANSPORT_DOH2}, {"h3", TRANSPORT_DOH3}};

static void take_alpns(struct cursor value, struct svcb *out)
{
    while (value.left > 0 && cursor_ok(&value)) {
        uint8_t length = cursor_u8(&value);
        const uint8_t *alpn = cursor_take(&value, length);

        for (size_t i = 0; alpn && i < sizeof alpns / sizeof *alpns; i++)
            if (strlen(alpns[i].alpn) == length && memcmp(alpns[i].alpn, alpn, length) == 0)
                out->transports |= 1u << alpns[i].transport;
    }
}

static void take_hints(struct cursor value, size_t size, struct svcb *out)
{
    while (value.left >= size && out->hint_count < SVCB_HINTS) {
        const uint8_t *a = cursor_take(&value, size);

        out->hint[out->hint_count++] = size == 4 ? addr_v4(a) : addr_v6(a);
    }
}

int svcb_params(struct cursor *c, struct svcb *out)
{
    while (c->left > 0 && cursor_ok(c)) {
        uint16_t key = cursor_u16(c);
        struct cursor value = cursor_sub(c, cursor_u16(c));

        if (!cursor_ok(&value))
            break;
        if (key == KEY_ALPN)
            take_alpns(value, out);
        else if (key == KEY_PORT)
            out->port = cursor_u16(&value);
        else if (key == KEY_V4_HINT)
            take_hints(value, 4, out);
        else if (key == KEY_V6_HINT)
            take_hints(value, 16, out);
    }
    return cursor_ok(c) ? SD_OK : SD_EMALF;
}
