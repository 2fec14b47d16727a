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

static void put(struct json_writer *w, const char *bytes, size_t length)
{
    if (length >= w->size - w->used) {
        w->full = true;
        return;
    }
    memcpy(w->text + w->used, bytes, length);
    w->used += length;
    w->text[w->used] = '\0';
}

/* A member is written whole or not at all: half a member would be half a document. */
static void append(struct evidence *e, const char *key, const char *value, size_t length)
{
    struct json_writer w = {.text = e->text, .size = EVIDENCE_SIZE, .used = e->used};

    if (e->used)
        put(&w, ",", 1);
    put(&w, "\"", 1);
    put(&w, key, strlen(key));
    put(&w, "\":", 2);
    put(&w, value, length);
    if (w.full) {
        e->text[e->used] = '\0';
        e->truncated = true;
        return;
    }
    e->used = (uint16_t)w.used;
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

    append(e, key, quoted, quote(value, quoted, sizeof quoted));
}

/* The text ends where `end` does; returns where it starts. */
static const char *decimal(int64_t value, char *end)
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        *--end = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--end = '-';
    return end;
}

void evidence_integer(struct evidence *e, const char *key, int64_t value)
{
    char number[24], *end = number + sizeof number;
    const char *start = decimal(value, end);

    append(e, key, start, (size_t)(end - start));
}

void evidence_real(struct evidence *e, const char *key, double value)
{
    char number[48];

    if (!isfinite(value))
        value = 0;
    snprintf(number, sizeof number, "%.3f", value);
    append(e, key, number, strlen(number));
}

void evidence_boolean(struct evidence *e, const char *key, bool value)
{
    append(e, key, value ? "true" : "false", value ? 4 : 5);
}

static void put_quoted(struct json_writer *w, const char *value)
{
    static const char hex[] = "0123456789abcdef";

    put(w, "\"", 1);
    while (*value && !w->full) {
        size_t plain = 0;
        uint8_t c;

        while ((c = (uint8_t)value[plain]) >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            plain++;
        put(w, value, plain);
        value += plain;
        if (!*value)
            break;
        c = (uint8_t)*value++;
        if (c == '"' || c == '\\')
            put(w, (const char[]){'\\', (char)c}, 2);
        else
            put(w, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
    put(w, "\"", 1);
}

static void put_key(struct json_writer *w, const char *key)
{
    if (w->comma)
        put(w, ",", 1);
    w->comma = true;
    if (!key)
        return;
    put(w, "\"", 1);
    put(w, key, strlen(key));
    put(w, "\":", 2);
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
    put_key(w, key);
    put(w, &bracket, 1);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    put(w, &bracket, 1);
    w->comma = true;
}

void json_string_member(struct json_writer *w, const char *key, const char *value)
{
    put_key(w, key);
    put_quoted(w, value);
}

void json_integer_member(struct json_writer *w, const char *key, int64_t value)
{
    char number[24], *end = number + sizeof number;
    const char *start = decimal(value, end);

    put_key(w, key);
    put(w, start, (size_t)(end - start));
}

void json_raw_member(struct json_writer *w, const char *key, const char *json)
{
    put_key(w, key);
    put(w, json, strlen(json));
}
