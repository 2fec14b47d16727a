#include "conf/stamp.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/option.h"

enum { STAMP_MOST = 2048 }; /* octets; a DoH stamp with four hashes has 300 */
enum { PROPERTIES = 8 };

/* The first octet; relays have the highest bit. */
enum protocol { PLAIN = 0, DNSCRYPT = 1, DOH = 2, DOT = 3, DOQ = 4, ODOH_TARGET = 5, RELAY = 0x80 };

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Octets written; -1: a character that is none of base64url's, or too long. */
static int decode(const char *text, size_t length, uint8_t *out)
{
    uint32_t bits = 0;
    int held = 0, count = 0;

    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);

        if (value < 0 || count == STAMP_MOST)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[count++] = (uint8_t)(bits >> held);
        }
    }
    return count;
}

/* A length and as many octets, as text. */
static bool take_text(struct cursor *c, char *out, size_t size)
{
    size_t length = cursor_u8(c);
    const uint8_t *from = cursor_take(c, length);

    if (!from || length >= size || memchr(from, 0, length))
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

/* Hashes of certificates: each length but the last has the highest bit. */
static void skip_hashes(struct cursor *c)
{
    uint8_t length;

    do {
        length = cursor_u8(c);
        cursor_skip(c, length & 0x7f);
    } while (length & 0x80 && cursor_ok(c));
}

/* "192.0.2.1", "192.0.2.1:8443", "[2001:db8::1]:443"; ":443" and "" have none. */
static bool read_address(struct stamp *s, char *text)
{
    char *end = text;

    if (!*text || *text == ':')
        return true;
    if (*text == '[') {
        end = strchr(++text, ']');
        if (!end)
            return false;
        *end = '\0';
    } else if ((end = strchr(text, ':')) && !strchr(end + 1, ':')) {
        *end = '\0';
    }
    s->has_address = addr_parse(text, &s->address) == SD_OK;
    return s->has_address;
}

static bool read_host(struct stamp *s, char *text)
{
    static const struct option option = {
        .name = "name", .kind = OPTION_NAME, .size = sizeof s->name};
    char error[OPTION_ERROR], *port = strrchr(text, ':');

    if (port && !strchr(text, '['))
        *port = '\0';
    return *text != '*' && option_set(&option, text, s->name, error) == SD_OK;
}

static int wrong(const char *what, char error[STAMP_ERROR])
{
    snprintf(error, STAMP_ERROR, "%s", what);
    return SD_EMALF;
}

static int transport_by(uint8_t protocol)
{
    switch (protocol) {
    case PLAIN:
        return TRANSPORT_DO53_UDP;
    case DNSCRYPT:
        return TRANSPORT_DNSCRYPT;
    case DOT:
        return TRANSPORT_DOT;
    case DOQ:
        return TRANSPORT_DOQ;
    case DOH:
    case ODOH_TARGET:
        return TRANSPORT_DOH2;
    default:
        return -1;
    }
}

static int read(struct cursor *c, uint8_t protocol, struct stamp *s, char error[STAMP_ERROR])
{
    char text[256];

    cursor_skip(c, PROPERTIES);
    if (protocol != ODOH_TARGET && !(take_text(c, text, sizeof text) && read_address(s, text)))
        return wrong("its address is none", error);
    if (protocol == DOH || protocol == DOT || protocol == DOQ)
        skip_hashes(c);
    if (protocol != PLAIN && protocol != DNSCRYPT &&
        !(take_text(c, text, sizeof text) && read_host(s, text)))
        return wrong("its host name is none", error);
    return cursor_ok(c) ? SD_OK : wrong("it ends too early", error);
}

int stamp_parse(const char *text, size_t length, struct stamp *out, char error[STAMP_ERROR])
{
    size_t begin = strlen(STAMP_BEGIN);
    uint8_t bytes[STAMP_MOST], protocol;
    struct cursor c;
    int size, transport;

    *out = (struct stamp){.has_address = false};
    if (length < begin || memcmp(text, STAMP_BEGIN, begin) != 0)
        return wrong("it does not begin with " STAMP_BEGIN, error);
    size = decode(text + begin, length - begin, bytes);
    if (size <= 0)
        return wrong("it is no base64url, or too long", error);
    c = cursor_over(bytes, (size_t)size);
    protocol = cursor_u8(&c);
    if (protocol & RELAY)
        return SD_EUNSUP;
    transport = transport_by(protocol);
    if (transport < 0)
        return wrong("its protocol is not known", error);
    out->transport = (enum transport)transport;
    return read(&c, protocol, out, error);
}
