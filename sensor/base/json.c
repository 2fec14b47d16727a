#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void evidence_clear(struct evidence *e)
{
    e->used = 0;
    e->truncated = false;
    e->text[0] = '\0';
}

/* A member is written whole or not at all: half a member would be half a document. */
static void append(struct evidence *e, const char *key, const char *value)
{
    size_t room = EVIDENCE_SIZE - e->used;
    int n = snprintf(e->text + e->used, room, "%s\"%s\":%s", e->used ? "," : "", key, value);

    if (n < 0 || (size_t)n >= room) {
        e->text[e->used] = '\0';
        e->truncated = true;
        return;
    }
    e->used = (uint16_t)(e->used + n);
}

static size_t quote(const char *value, char *out, size_t size)
{
    size_t used = 0;

    out[used++] = '"';
    for (; *value && used + 8 < size; value++) {
        uint8_t c = (uint8_t)*value;

        if (c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
        } else {
            out[used++] = (char)c;
        }
    }
    out[used++] = '"';
    out[used] = '\0';
    return used;
}

void evidence_string(struct evidence *e, const char *key, const char *value)
{
    char quoted[EVIDENCE_SIZE];

    quote(value, quoted, sizeof quoted);
    append(e, key, quoted);
}

void evidence_integer(struct evidence *e, const char *key, int64_t value)
{
    char number[24];

    snprintf(number, sizeof number, "%lld", (long long)value);
    append(e, key, number);
}

void evidence_real(struct evidence *e, const char *key, double value)
{
    char number[48];

    if (!isfinite(value))
        value = 0;
    snprintf(number, sizeof number, "%.3f", value);
    append(e, key, number);
}

void evidence_boolean(struct evidence *e, const char *key, bool value)
{
    append(e, key, value ? "true" : "false");
}
