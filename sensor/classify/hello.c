#include "classify/hello.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_SUPPORTED_GROUPS = 10,
    EXTENSION_EC_POINT_FORMATS = 11,
    EXTENSION_SIGNATURE_ALGORITHMS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_ECH = 0xfe0d,
};

enum { RANDOM = 32, NAME_HOST = 0, TLS13 = 0x0304 };

/* A draft of TLS 1.3 (RFC 8446 4.2.1 while it was one), or the experiments on the way (0x7e.. of
 * Chrome, 0xfb.. of Facebook), is TLS 1.3 to everybody who only asks which. */
static uint16_t version_of(uint16_t number)
{
    switch (number >> 8) {
    case 0x7e:
    case 0x7f:
    case 0xfb:
        return TLS13;
    default:
        return number;
    }
}

static bool is_tls(uint16_t version)
{
    return version >= 0x0300 && version <= TLS13;
}

static void numbers(struct cursor list, struct hello_numbers *into)
{
    while (list.left >= 2) {
        uint16_t number = cursor_u16(&list);

        if (!hello_is_grease(number))
            hello_number(into, number);
    }
}

static void server_name(struct cursor body, struct tls_facts *out)
{
    struct cursor list = cursor_sub(&body, cursor_u16(&body));

    while (list.left > 0 && cursor_ok(&list)) {
        uint8_t type = cursor_u8(&list);
        struct cursor name = cursor_sub(&list, cursor_u16(&list));

        if (type != NAME_HOST || !cursor_ok(&name) || name.left == 0)
            continue;
        text_printable((const char *)name.at, name.left, out->sni, sizeof(out->sni));
        for (char *c = out->sni; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
        return;
    }
}

/* "h2,http/1.1" of a protocol name list (RFC 7301 3.1). */
static void alpn_text(struct cursor body, char *out, size_t size)
{
    struct cursor list = cursor_sub(&body, cursor_u16(&body));
    size_t used = 0;

    out[0] = '\0';
    while (list.left > 0) {
        struct cursor name = cursor_sub(&list, cursor_u8(&list));

        if (!cursor_ok(&name) || used + name.left + 2 > size)
            return;
        if (used > 0)
            out[used++] = ',';
        used += text_printable((const char *)name.at, name.left, out + used, size - used);
    }
}

static char alnum_or(uint8_t c)
{
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    return alnum ? (char)c : '9';
}

static void alpn_ends(struct cursor body, struct hello_print *print)
{
    struct cursor list = cursor_sub(&body, cursor_u16(&body));
    struct cursor name = cursor_sub(&list, cursor_u8(&list));

    if (!cursor_ok(&name) || name.left == 0)
        return;
    print->alpn_first = alnum_or(name.at[0]);
    cursor_skip(&name, name.left - 1);
    print->alpn_last = alnum_or(cursor_u8(&name));
}

static void offered_versions(struct cursor body, struct tls_facts *out)
{
    struct cursor list = cursor_sub(&body, cursor_u8(&body));
    uint16_t best = 0;

    while (list.left >= 2) {
        uint16_t version = version_of(cursor_u16(&list));

        if (is_tls(version) && version > best)
            best = version;
    }
    if (best)
        out->version_offered = best;
}

static void client_extension(uint16_t type, struct cursor body, struct hello_print *print,
                             struct tls_facts *out)
{
    switch (type) {
    case EXTENSION_SERVER_NAME:
        print->named = true;
        server_name(body, out);
        break;
    case EXTENSION_SUPPORTED_GROUPS:
        numbers(cursor_sub(&body, cursor_u16(&body)), &print->groups);
        break;
    case EXTENSION_EC_POINT_FORMATS:
        for (uint8_t n = cursor_u8(&body); n > 0 && body.left > 0; n--)
            hello_number(&print->formats, cursor_u8(&body));
        break;
    case EXTENSION_SIGNATURE_ALGORITHMS:
        numbers(cursor_sub(&body, cursor_u16(&body)), &print->signatures);
        break;
    case EXTENSION_ALPN:
        alpn_text(body, out->alpn, sizeof(out->alpn));
        alpn_ends(body, print);
        break;
    case EXTENSION_SUPPORTED_VERSIONS:
        offered_versions(body, out);
        break;
    case EXTENSION_ECH:
        out->ech = true;
        break;
    default:
        break;
    }
}

int hello_client(struct cursor c, bool quic, struct tls_facts *out)
{
    struct hello_print print = {.quic = quic, .alpn_first = '0', .alpn_last = '0'};

    print.version = cursor_u16(&c);
    cursor_skip(&c, RANDOM);
    cursor_skip(&c, cursor_u8(&c)); /* legacy_session_id */
    numbers(cursor_sub(&c, cursor_u16(&c)), &print.ciphers);
    cursor_skip(&c, cursor_u8(&c)); /* legacy_compression_methods */
    if (!cursor_ok(&c) || print.version >> 8 != 3)
        return SD_EMALF;
    out->hello_seen = true;
    out->version_offered = print.version;
    struct cursor extensions = c.left >= 2 ? cursor_sub(&c, cursor_u16(&c)) : c;

    while (extensions.left > 0 && cursor_ok(&extensions)) {
        uint16_t type = cursor_u16(&extensions);
        struct cursor body = cursor_sub(&extensions, cursor_u16(&extensions));

        if (!cursor_ok(&extensions))
            break;
        if (!hello_is_grease(type))
            hello_number(&print.extensions, type);
        client_extension(type, body, &print, out);
    }
    print.best_version = out->version_offered;
    hello_ja3(&print, out->ja3);
    hello_ja4(&print, out->ja4);
    return cursor_ok(&extensions) ? 0 : SD_EMALF;
}

static void server_extension(uint16_t type, struct cursor body, struct tls_facts *out)
{
    switch (type) {
    case EXTENSION_ALPN:
        alpn_text(body, out->alpn_selected, sizeof(out->alpn_selected));
        break;
    case EXTENSION_SUPPORTED_VERSIONS:
        out->version = version_of(cursor_u16(&body));
        break;
    case EXTENSION_PRE_SHARED_KEY:
        out->resumed = true;
        break;
    default:
        break;
    }
}

int hello_server(struct cursor c, struct tls_facts *out)
{
    struct hello_print print = {.version = cursor_u16(&c)};

    cursor_skip(&c, RANDOM);
    out->version = version_of(print.version);
    /* TLS 1.3 says so in an extension; a draft before 22 says so here, and has less to follow. */
    if (out->version != TLS13)
        cursor_skip(&c, cursor_u8(&c)); /* legacy_session_id_echo */
    out->cipher = cursor_u16(&c);
    if (out->version != TLS13)
        cursor_skip(&c, 1); /* legacy_compression_method */
    if (!cursor_ok(&c) || !is_tls(out->version))
        return SD_EMALF;
    out->server_hello_seen = true;
    hello_number(&print.ciphers, out->cipher);
    struct cursor extensions = c.left >= 2 ? cursor_sub(&c, cursor_u16(&c)) : c;

    while (extensions.left > 0 && cursor_ok(&extensions)) {
        uint16_t type = cursor_u16(&extensions);
        struct cursor body = cursor_sub(&extensions, cursor_u16(&extensions));

        if (!cursor_ok(&extensions))
            break;
        hello_number(&print.extensions, type);
        server_extension(type, body, out);
    }
    hello_ja3s(&print, out->ja3s);
    return cursor_ok(&extensions) ? 0 : SD_EMALF;
}
