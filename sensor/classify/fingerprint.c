/* JA3, JA3S and JA4: what a hello offers, as one short text. JA3 is the MD5 of decimal numbers; JA4
 * is readable in front and sorts what clients shuffle. */
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify/hello.h"

enum { TEXT_SIZE = 8192, JA4_HASH = 6, JA4_COUNT_MAX = 99 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16 };

/* Bounded: five lists of HELLO_NUMBERS numbers of at most five digits and a separator. */
struct text {
    size_t used;
    char bytes[TEXT_SIZE];
};

_Static_assert(5 * HELLO_NUMBERS * 6 + 16 < TEXT_SIZE, "a whole hello fits");

static unsigned kept(const struct hello_numbers *n)
{
    return n->count < HELLO_NUMBERS ? n->count : HELLO_NUMBERS;
}

static void put_char(struct text *t, char c)
{
    t->bytes[t->used++] = c;
}

static void put_decimal(struct text *t, uint16_t number)
{
    char digits[5];
    int n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (n > 0)
        put_char(t, digits[--n]);
}

static void put_hex(struct text *t, uint16_t number)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        put_char(t, "0123456789abcdef"[number >> shift & 15]);
}

static void put_list(struct text *t, const struct hello_numbers *n)
{
    for (unsigned i = 0; i < kept(n); i++) {
        if (i > 0)
            put_char(t, '-');
        put_decimal(t, n->number[i]);
    }
}

static void put_hexes(struct text *t, const uint16_t *number, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            put_char(t, ',');
        put_hex(t, number[i]);
    }
}

static void hex_of(const uint8_t *digest, size_t length, char *out)
{
    for (size_t i = 0; i < length; i++) {
        *out++ = "0123456789abcdef"[digest[i] >> 4];
        *out++ = "0123456789abcdef"[digest[i] & 15];
    }
    *out = '\0';
}

static void md5_of(const struct text *t, char out[33])
{
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];

    md5_init(&md5);
    md5_update(&md5, t->used, (const uint8_t *)t->bytes);
    md5_digest(&md5, sizeof(digest), digest);
    hex_of(digest, sizeof(digest), out);
}

void hello_ja3(const struct hello_print *print, char out[33])
{
    const struct hello_numbers *lists[] = {&print->ciphers, &print->extensions, &print->groups,
                                           &print->formats};
    struct text t;

    t.used = 0;
    put_decimal(&t, print->version);
    for (int i = 0; i < 4; i++) {
        put_char(&t, ',');
        put_list(&t, lists[i]);
    }
    md5_of(&t, out);
}

void hello_ja3s(const struct hello_print *print, char out[33])
{
    struct text t;

    t.used = 0;
    put_decimal(&t, print->version);
    put_char(&t, ',');
    put_list(&t, &print->ciphers);
    put_char(&t, ',');
    put_list(&t, &print->extensions);
    md5_of(&t, out);
}

static int ascending(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static unsigned sorted(const struct hello_numbers *from, bool extensions, uint16_t *into)
{
    unsigned count = 0;

    for (unsigned i = 0; i < kept(from); i++) {
        uint16_t number = from->number[i];

        if (!extensions || (number != EXTENSION_SERVER_NAME && number != EXTENSION_ALPN))
            into[count++] = number;
    }
    qsort(into, count, sizeof(*into), ascending);
    return count;
}

static void ja4_hash(const struct text *t, char out[2 * JA4_HASH + 1])
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];

    if (t->used == 0) {
        memcpy(out, "000000000000", 2 * JA4_HASH + 1);
        return;
    }
    sha256_init(&sha);
    sha256_update(&sha, t->used, (const uint8_t *)t->bytes);
    sha256_digest(&sha, sizeof(digest), digest);
    hex_of(digest, JA4_HASH, out);
}

static const char *ja4_version(uint16_t version)
{
    switch (version) {
    case 0x0304:
        return "13";
    case 0x0303:
        return "12";
    case 0x0302:
        return "11";
    case 0x0301:
        return "10";
    case 0x0300:
        return "s3";
    default:
        return "00";
    }
}

static unsigned two_digits(const struct hello_numbers *n)
{
    return n->count < JA4_COUNT_MAX ? n->count : JA4_COUNT_MAX;
}

void hello_ja4(const struct hello_print *p, char out[40])
{
    char ciphers[2 * JA4_HASH + 1], extensions[2 * JA4_HASH + 1];
    uint16_t number[HELLO_NUMBERS];
    struct text t;

    t.used = 0;
    put_hexes(&t, number, sorted(&p->ciphers, false, number));
    ja4_hash(&t, ciphers);
    t.used = 0;
    put_hexes(&t, number, sorted(&p->extensions, true, number));
    if (p->signatures.count > 0) {
        put_char(&t, '_');
        put_hexes(&t, p->signatures.number, kept(&p->signatures));
    }
    ja4_hash(&t, extensions);
    snprintf(out, 40, "%c%s%c%02u%02u%c%c_%s_%s", p->quic ? 'q' : 't', ja4_version(p->best_version),
             p->named ? 'd' : 'i', two_digits(&p->ciphers), two_digits(&p->extensions),
             p->alpn_first, p->alpn_last, ciphers, extensions);
}
