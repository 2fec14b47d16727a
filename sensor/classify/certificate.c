/* The leaf of a Certificate message (RFC 5246 7.4.2): its fingerprint, and of its DER (RFC
 * 5280 4.1) who it names and how long it lasts. */
#include <nettle/sha1.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "classify/hello.h"

enum der_tag {
    DER_OID = 0x06,
    DER_BMP_STRING = 0x1e,
    DER_GENERALIZED_TIME = 0x18,
    DER_UTC_TIME = 0x17,
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0,
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

static int read_leaf(struct cursor leaf, struct tls_facts *out)
{
    struct cursor certificate = der_sequence(&leaf);
    struct cursor tbs = der_sequence(&certificate);
    uint8_t tag;

    der_next(&tbs, &tag);
    if (tag == DER_VERSION)
        der_next(&tbs, &tag); /* serialNumber */
    der_sequence(&tbs);       /* signature */
    struct cursor issuer = der_sequence(&tbs);
    struct cursor validity = der_sequence(&tbs);
    struct cursor subject = der_sequence(&tbs);

    if (!cursor_ok(&tbs))
        return SD_EMALF;
    name_text(issuer, out->issuer, sizeof(out->issuer));
    name_text(subject, out->subject, sizeof(out->subject));
    out->not_before = time_of(&validity);
    out->not_after = time_of(&validity);
    return 0;
}

int hello_certificate(struct cursor c, struct tls_facts *out)
{
    struct sha1_ctx sha;

    cursor_skip(&c, 3); /* of the list; a message cut to a block is shorter */
    struct cursor leaf = cursor_sub(&c, cursor_u24(&c));

    if (!cursor_ok(&leaf) || leaf.left == 0)
        return SD_EMALF;
    sha1_init(&sha);
    sha1_update(&sha, leaf.left, leaf.at);
    sha1_digest(&sha, sizeof(out->certificate_sha1), out->certificate_sha1);
    out->certificate_seen = true;
    return read_leaf(leaf, out);
}
