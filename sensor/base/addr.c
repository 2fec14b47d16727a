#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

int addr_compare(const struct addr *a, const struct addr *b)
{
    bool a4 = addr_is_v4(a), b4 = addr_is_v4(b);

    if (a4 != b4)
        return a4 ? -1 : 1;
    return memcmp(a->b, b->b, 16);
}

/* inet_ntop(AF_INET), which takes a tenth of an event's line. */
static void four_text(const uint8_t *octet, char *at)
{
    for (int i = 0; i < 4; i++) {
        unsigned n = octet[i];

        if (n >= 100)
            *at++ = (char)('0' + n / 100);
        if (n >= 10)
            *at++ = (char)('0' + n / 10 % 10);
        *at++ = (char)('0' + n % 10);
        *at++ = i < 3 ? '.' : '\0';
    }
}

const char *addr_text(const struct addr *a, char text[ADDR_TEXT])
{
    if (addr_is_v4(a))
        four_text(a->b + 12, text);
    else
        inet_ntop(AF_INET6, a->b, text, ADDR_TEXT);
    return text;
}

int addr_parse(const char *text, struct addr *out)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        *out = addr_v4(bytes);
        return SD_OK;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        *out = addr_v6(bytes);
        return SD_OK;
    }
    return SD_EINVAL;
}

static bool bits_behind(const struct prefix *p)
{
    for (unsigned bit = p->length; bit < 128; bit++)
        if (p->addr.b[bit / 8] & (0x80u >> (bit % 8)))
            return true;
    return false;
}

int prefix_parse(const char *text, struct prefix *out)
{
    char copy[ADDR_TEXT + 4];
    size_t length = strlen(text);
    unsigned most, given;
    char *slash, *end;

    if (length == 0 || length >= sizeof copy)
        return SD_EINVAL;
    memcpy(copy, text, length + 1);
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    if (addr_parse(copy, &out->addr) != SD_OK)
        return SD_EINVAL;
    most = addr_is_v4(&out->addr) && strchr(copy, ':') == NULL ? 32 : 128;
    given = most;
    if (slash) {
        if (*slash < '0' || *slash > '9')
            return SD_EINVAL;
        given = (unsigned)strtoul(slash, &end, 10);
        if (*end || given > most)
            return SD_EINVAL;
    }
    out->length = (uint8_t)(given + 128 - most);
    return bits_behind(out) ? SD_EMALF : SD_OK;
}

const char *prefix_text(const struct prefix *p, char text[ADDR_TEXT + 4])
{
    char a[ADDR_TEXT];
    unsigned length = p->length;

    if (addr_is_v4(&p->addr) && length >= 96)
        length -= 96;
    snprintf(text, ADDR_TEXT + 4, "%s/%u", addr_text(&p->addr, a), length);
    return text;
}

bool prefix_holds(const struct prefix *p, const struct addr *a)
{
    unsigned whole = p->length / 8, rest = p->length % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    if (memcmp(p->addr.b, a->b, whole) != 0)
        return false;
    return rest == 0 || ((p->addr.b[whole] ^ a->b[whole]) & mask) == 0;
}

bool addr_is_private(const struct addr *a)
{
    const uint8_t *v4 = a->b + 12;

    if (addr_is_v4(a))
        return v4[0] == 10 || v4[0] == 127 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
               (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254);
    return (a->b[0] & 0xfe) == 0xfc || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
           (a->w[0] == 0 && a->b[8] == 0 && a->b[15] == 1);
}

int station_parse(const char *text, uint64_t *out)
{
    uint64_t station = 0;

    for (int i = 0; i < 6; i++, text += 3) {
        unsigned octet;

        if (strspn(text, "0123456789abcdefABCDEF") != 2 || text[2] != (i < 5 ? ':' : '\0') ||
            sscanf(text, "%2x", &octet) != 1)
            return SD_EINVAL;
        station = station << 8 | octet;
    }
    if (station == 0 || station >> 40 & 1)
        return SD_EINVAL;
    *out = station;
    return SD_OK;
}

struct addr addr_of_station(uint64_t station)
{
    struct addr a = {.b = {1}};

    for (int i = 0; i < 6; i++)
        a.b[10 + i] = (uint8_t)(station >> (40 - 8 * i));
    return a;
}

/* Stands in most events: six calls of snprintf() take a sixth of the line. */
const char *station_text(uint64_t station, char text[STATION_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    char *at = text;

    for (int shift = 40; shift >= 0; shift -= 8) {
        *at++ = hex[station >> (shift + 4) & 15];
        *at++ = hex[station >> shift & 15];
        *at++ = shift ? ':' : '\0';
    }
    return text;
}
