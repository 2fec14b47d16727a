/* A Certificate message (RFC 5246 7.4.2): the keys of its chain, and of the leaf's DER (RFC 5280
 * 4.1) who it names and how long it lasts. Nothing here proves a signature. */
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/text.h"
#include "classify/hello.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_OID = 0x06,
    DER_BMP_STRING = 0x1e,
    DER_GENERALIZED_TIME = 0x18,
    DER_UTC_TIME = 0x17,
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0,
    DER_EXTENSIONS = 0xa3,
};

static uint32_t der_length(struct cursor *c)
{
    uint8_t first = cursor_u8(c);

    switch (first) {
    case 0x81:
        return cursor_u8(c);
    case 0x82:
        return cursor_u16(c);
    case 0x83:
        return cursor_u24(c);
    default:
        return first < 0x80 ? first : UINT32_MAX;
    }
}

/* The contents of the next element. */
static struct cursor der_next(struct cursor *c, uint8_t *tag)
{
    *tag = cursor_u8(c);
    return cursor_sub(c, der_length(c));
}

static struct cursor der_sequence(struct cursor *c)
{
    uint8_t tag;
    struct cursor inner = der_next(c, &tag);

    inner.failed |= tag != DER_SEQUENCE;
    if (inner.failed)
        inner.left = 0;
    return inner;
}

/* id-at (2.5.4) attributes as RFC 4514 3 abbreviates them; NULL for others. */
static const char *attribute_word(struct cursor oid)
{
    if (oid.left != 3 || cursor_u16(&oid) != 0x5504)
        return NULL;
    switch (cursor_u8(&oid)) {
    case 3:
        return "CN";
    case 6:
        return "C";
    case 7:
        return "L";
    case 8:
        return "ST";
    case 10:
        return "O";
    case 11:
        return "OU";
    default:
        return NULL;
    }
}

static size_t append(char *out, size_t size, size_t used, const char *text, size_t length)
{
    return used + text_printable(text, length, out + used, size - used);
}

/* "C=US, O=Example, CN=dns.example" in the order of the certificate. */
static void name_text(struct cursor name, char *out, size_t size)
{
    size_t used = 0;
    uint8_t tag;

    out[0] = '\0';
    while (name.left > 0) {
        struct cursor set = der_next(&name, &tag);
        struct cursor pair = der_sequence(&set);
        const char *word = attribute_word(der_next(&pair, &tag));
        struct cursor value = der_next(&pair, &tag);

        if (!cursor_ok(&value) || !cursor_ok(&name))
            return;
        if (!word || tag == DER_BMP_STRING)
            continue;
        if (used > 0)
            used = append(out, size, used, ", ", 2);
        used = append(out, size, used, word, strlen(word));
        used = append(out, size, used, "=", 1);
        used = append(out, size, used, (const char *)value.at, value.left);
    }
}

/* YYMMDDHHMMSSZ, or YYYY...; 0: neither. RFC 5280 4.1.2.5.1: 50 and above is 19YY. */
static nsec_t time_of(struct cursor *validity)
{
    char text[] = "2000-00-00T00:00:00Z";
    static const int places[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    uint8_t tag;
    struct cursor c = der_next(validity, &tag);
    int from = tag == DER_UTC_TIME ? 2 : 0;
    nsec_t at;

    if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
        return 0;
    for (int i = from; i < 14; i++)
        text[places[i]] = (char)cursor_u8(&c);
    if (tag == DER_UTC_TIME && text[2] >= '5')
        memcpy(text, "19", 2);
    return cursor_ok(&c) && time_parse(text, 0, &at) == 0 ? at : 0;
}

/* DER up to and with the subjectPublicKeyInfo of one certificate; tbs stands behind it. */
struct head {
    struct cursor tbs, issuer, validity, subject, spki;
};

static bool read_head(struct cursor certificate, struct head *out)
{
    struct cursor outer = der_sequence(&certificate);
    const uint8_t *start;
    uint8_t tag;

    out->tbs = der_sequence(&outer);
    der_next(&out->tbs, &tag);
    if (tag == DER_VERSION)
        der_next(&out->tbs, &tag); /* serialNumber */
    der_sequence(&out->tbs);       /* signature */
    out->issuer = der_sequence(&out->tbs);
    out->validity = der_sequence(&out->tbs);
    out->subject = der_sequence(&out->tbs);
    start = out->tbs.at;
    der_sequence(&out->tbs);
    out->spki = cursor_over(start, (size_t)(out->tbs.at - start));
    return cursor_ok(&out->tbs);
}

static void digest_spki(struct cursor spki, uint8_t out[32])
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, spki.left, spki.at);
    sha256_digest(&sha, SHA256_DIGEST_SIZE, out);
}

static bool same_letters(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((a[i] >= 'A' && a[i] <= 'Z') ? a[i] | 0x20 : a[i]) !=
            ((b[i] >= 'A' && b[i] <= 'Z') ? b[i] | 0x20 : b[i]))
            return false;
    return true;
}

/* A wildcard stands for one whole label (RFC 6125 6.4.3). */
static bool is_for(struct cursor name, const char *host)
{
    const char *text = (const char *)name.at, *dot = strchr(host, '.');
    size_t length = strlen(host);

    if (name.left > 2 && text[0] == '*' && text[1] == '.' && dot && dot != host)
        return strlen(dot) == name.left - 1 && same_letters(text + 1, dot, name.left - 1);
    return name.left == length && length > 0 && same_letters(text, host, length);
}

static void add_name(struct tls_facts *out, const char *text, size_t length)
{
    size_t used = strlen(out->certificate_names);
    char harmless[256];
    size_t n = text_printable(text, length, harmless, sizeof harmless);

    if (length == 0 || memchr(text, ',', length) || length > 250 ||
        used + n + 2 > sizeof out->certificate_names) {
        out->names_cut = true;
        return;
    }
    if (used)
        out->certificate_names[used++] = ',';
    memcpy(out->certificate_names + used, harmless, n + 1);
}

static void add_address(struct tls_facts *out, struct cursor bytes)
{
    char text[ADDR_TEXT];
    struct addr a;

    if (bytes.left != 4 && bytes.left != 16)
        return;
    a = bytes.left == 4 ? addr_v4(bytes.at) : addr_v6(bytes.at);
    addr_text(&a, text);
    add_name(out, text, strlen(text));
}

/* GeneralNames (RFC 5280 4.2.1.6): dNSName is [2], iPAddress [7]. */
static void read_names(struct cursor value, struct tls_facts *out)
{
    struct cursor names = der_sequence(&value);

    while (names.left > 0 && cursor_ok(&names)) {
        uint8_t tag;
        struct cursor name = der_next(&names, &tag);

        if (!cursor_ok(&name))
            return;
        if (tag == 0x82) {
            add_name(out, (const char *)name.at, name.left);
            out->sni_certified |= is_for(name, out->sni);
        } else if (tag == 0x87) {
            add_address(out, name);
        }
    }
}

/* Behind the key: unique identifiers, which nobody uses, and the extensions in [3]. */
static void read_extensions(struct cursor tbs, struct tls_facts *out)
{
    static const uint8_t alternative[] = {0x55, 0x1d, 0x11}; /* id-ce-subjectAltName */
    struct cursor explicit = {0}, list;
    uint8_t tag = 0;

    while (tbs.left > 0 && cursor_ok(&tbs) && tag != DER_EXTENSIONS)
        explicit = der_next(&tbs, &tag);
    if (tag != DER_EXTENSIONS)
        return;
    list = der_sequence(&explicit);
    while (list.left > 0 && cursor_ok(&list)) {
        struct cursor extension = der_sequence(&list), oid = der_next(&extension, &tag), value;

        value = der_next(&extension, &tag);
        if (tag == DER_BOOLEAN) /* critical */
            value = der_next(&extension, &tag);
        if (cursor_ok(&oid) && oid.left == sizeof alternative &&
            memcmp(oid.at, alternative, sizeof alternative) == 0 && cursor_ok(&value))
            read_names(value, out);
    }
}

static int read_leaf(struct cursor leaf, struct tls_facts *out)
{
    struct head head;

    if (!read_head(leaf, &head))
        return SD_EMALF;
    name_text(head.issuer, out->issuer, sizeof(out->issuer));
    name_text(head.subject, out->subject, sizeof(out->subject));
    out->not_before = time_of(&head.validity);
    out->not_after = time_of(&head.validity);
    read_extensions(head.tbs, out);
    return 0;
}

/* The keys of the chain as it was sent, the leaf's first. */
static void read_chain(struct cursor list, struct tls_facts *out)
{
    while (list.left > 0) {
        struct cursor certificate = cursor_sub(&list, cursor_u24(&list));
        struct head head;

        if (!cursor_ok(&certificate) || out->chain >= TLS_CHAIN || !read_head(certificate, &head)) {
            out->chain = UINT8_MAX;
            return;
        }
        digest_spki(head.spki, out->spki_sha256[out->chain++]);
    }
}

int hello_certificate(struct cursor c, struct tls_facts *out)
{
    uint32_t whole = cursor_u24(&c);
    struct sha1_ctx sha;
    struct cursor list = c, leaf;

    leaf = cursor_sub(&c, cursor_u24(&c));
    if (!cursor_ok(&leaf) || leaf.left == 0)
        return SD_EMALF;
    sha1_init(&sha);
    sha1_update(&sha, leaf.left, leaf.at);
    sha1_digest(&sha, sizeof(out->certificate_sha1), out->certificate_sha1);
    out->certificate_seen = true;
    out->certificate_names[0] = '\0';
    out->chain = 0;
    out->names_cut = out->sni_certified = false;
    read_chain(list, out);
    if (whole > list.left) /* a message cut to a block is shorter than it says */
        out->chain = UINT8_MAX;
    return read_leaf(leaf, out);
}
