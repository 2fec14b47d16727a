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

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A zero octet of `word` has its highest bit set in the result; so may octets above one. */
static uint64_t zeros(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Eight characters at a time; says no once too often rather than yes. */
static bool are_plain(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, text, sizeof word);
    return !(zeros(word ^ ones * '"') | zeros(word ^ ones * '\\') | zeros(word ^ ones * 0x7f) |
             ((word | (word - ones * 0x20)) & ones * 0x80));
}

static size_t plain_part(const char *text, size_t length)
{
    size_t n = 0;

    while (length - n >= 8 && are_plain(text + n))
        n += 8;
    while (n < length && is_plain((uint8_t)text[n]))
        n++;
    return n;
}

static void put_escaped(struct json_writer *w, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";

    if (c == '"' || c == '\\')
        put(w, (const char[]){'\\', (char)c}, 2);
    else
        put(w, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

static void put_quoted(struct json_writer *w, const char *value)
{
    size_t left = strlen(value);

    put(w, "\"", 1);
    while (left && !w->full) {
        size_t plain = plain_part(value, left);

        put(w, value, plain);
        value += plain;
        left -= plain;
        if (left) {
            put_escaped(w, (uint8_t)*value++);
            left--;
        }
    }
    put(w, "\"", 1);
}

static void put_key(struct json_writer *w, const char *key)
{
    size_t length = key ? strlen(key) : 0, needed = w->comma + (key ? length + 3 : 0);
    char *at = w->text + w->used;

    if (needed >= w->size - w->used) {
        w->full = true;
        return;
    }
    if (w->comma)
        *at++ = ',';
    w->comma = true;
    if (key) {
        *at++ = '"';
        at = (char *)memcpy(at, key, length) + length;
        *at++ = '"';
        *at++ = ':';
    }
    *at = '\0';
    w->used += needed;
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
