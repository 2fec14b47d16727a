#include "base/text.h"

#include <string.h>

#include "base/error.h"

/* One octet in presentation form; returns how many characters it took (1, 2 or 4). */
static size_t escape(uint8_t c, bool in_label, char out[4])
{
    if (c == '\\' || (in_label && c == '.')) {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c > 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    if (c == ' ' && !in_label) {
        out[0] = ' ';
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + c / 100);
    out[2] = (char)('0' + c / 10 % 10);
    out[3] = (char)('0' + c % 10);
    return 4;
}

size_t text_printable(const char *from, size_t limit, char *out, size_t size)
{
    size_t used = 0;
    char four[4];

    if (size == 0)
        return 0;
    for (size_t i = 0; i < limit && from[i]; i++) {
        size_t n = escape((uint8_t)from[i], false, four);

        if (used + n >= size)
            break;
        memcpy(out + used, four, n);
        used += n;
    }
    out[used] = '\0';
    return used;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

int text_name(const uint8_t *wire, size_t length, char *out, size_t size)
{
    size_t at = 0, used = 0;
    char four[4];

    if (size < 2)
        return SD_EINVAL;
    while (at < length && wire[at]) {
        size_t label = wire[at++];

        if (label > 63 || label > length - at || at + label > 255)
            return SD_EMALF;
        if (used && used + 1 < size)
            out[used++] = '.';
        for (size_t end = at + label; at < end; at++) {
            size_t n = escape(lower(wire[at]), true, four);

            if (used + n < size) {
                memcpy(out + used, four, n);
                used += n;
            }
        }
    }
    if (at >= length)
        return SD_EMALF;
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
    return (int)used;
}

bool text_copy(char *out, size_t size, const char *from)
{
    if (memccpy(out, from, '\0', size))
        return false;
    out[size - 1] = '\0';
    return true;
}

bool text_name_below(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);

    if (n < s || strcmp(name + n - s, suffix) != 0)
        return false;
    return n == s || name[n - s - 1] == '.';
}
