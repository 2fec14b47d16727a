#include "tls.h"

#include "wire.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    EXT_SERVER_NAME = 0,
    EXT_STATUS_REQUEST = 5,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_POINT_FORMATS = 11,
    EXT_SIGNATURE_ALGORITHMS = 13,
    EXT_ALPN = 16,
    EXT_PADDING = 21,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_SESSION_TICKET = 35,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_PSK_MODES = 45,
    EXT_KEY_SHARE = 51,
    EXT_QUIC_TRANSPORT_PARAMETERS = 57
};
enum { GROUP_X25519 = 29, GROUP_P256 = 23, GROUP_X25519MLKEM768 = 0x11ec };
enum { HYBRID_CLIENT_SHARE = 1216, HYBRID_SERVER_SHARE = 1120 };

/* Writes the length of what was written since `from` into the two bytes before it. */
static void close_u16(const struct pen *pen, uint8_t *from)
{
    size_t length = (size_t)(pen->at - from);
    from[-2] = (uint8_t)(length >> 8);
    from[-1] = (uint8_t)length;
}

static uint8_t *open_u16(struct pen *pen)
{
    pen_u16(pen, 0);
    return pen->at;
}

static uint8_t *open_extension(struct pen *pen, uint16_t type)
{
    pen_u16(pen, type);
    return open_u16(pen);
}

static void put_extension(struct pen *pen, uint16_t type, const uint8_t *body, size_t length)
{
    uint8_t *from = open_extension(pen, type);
    pen_bytes(pen, body, length);
    close_u16(pen, from);
}

static void put_noise(struct pen *pen, struct random *r, size_t length)
{
    random_bytes(r, pen->at, length);
    pen->at += length;
}

static void put_server_name(struct pen *pen, const char *name)
{
    uint8_t *extension = open_extension(pen, EXT_SERVER_NAME);
    uint8_t *list = open_u16(pen);
    pen_u8(pen, 0);
    pen_u16(pen, (uint16_t)strlen(name));
    pen_bytes(pen, name, strlen(name));
    close_u16(pen, list);
    close_u16(pen, extension);
}

static void put_alpn(struct pen *pen, const char *const *protocols)
{
    uint8_t *extension = open_extension(pen, EXT_ALPN);
    uint8_t *list = open_u16(pen);
    for (; *protocols != NULL; protocols++) {
        pen_u8(pen, (uint8_t)strlen(*protocols));
        pen_bytes(pen, *protocols, strlen(*protocols));
    }
    close_u16(pen, list);
    close_u16(pen, extension);
}

static void put_share(struct pen *pen, struct random *r, uint16_t group, uint16_t length)
{
    pen_u16(pen, group);
    pen_u16(pen, length);
    put_noise(pen, r, length);
}

static void put_client_shares(struct pen *pen, const struct hello *hello, struct random *r)
{
    uint8_t *groups = open_extension(pen, EXT_SUPPORTED_GROUPS);
    uint8_t *group_list = open_u16(pen);
    if (hello->hybrid) {
        pen_u16(pen, GROUP_X25519MLKEM768);
    }
    pen_u32(pen, GROUP_X25519 << 16 | GROUP_P256);
    close_u16(pen, group_list);
    close_u16(pen, groups);

    uint8_t *extension = open_extension(pen, EXT_KEY_SHARE);
    uint8_t *list = open_u16(pen);
    if (hello->hybrid) {
        put_share(pen, r, GROUP_X25519MLKEM768, HYBRID_CLIENT_SHARE);
    }
    put_share(pen, r, GROUP_X25519, 32);
    close_u16(pen, list);
    close_u16(pen, extension);
}

/* max_idle_timeout, initial_max_data, initial_source_connection_id (empty); RFC 9000 section 18 */
static const uint8_t transport_parameters[] = {0x01, 0x04, 0x80, 0x00, 0x75, 0x30, 0x04,
                                               0x04, 0x80, 0xf0, 0x00, 0x00, 0x0f, 0x00};

static void put_client_extensions(struct pen *pen, const struct hello *hello, struct random *r)
{
    static const uint8_t signatures[] = {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1};
    static const uint8_t status[] = {1, 0, 0, 0, 0};
    if (hello->name != NULL) {
        put_server_name(pen, hello->name);
    }
    if (!hello->quic) {
        put_extension(pen, EXT_EXTENDED_MASTER_SECRET, NULL, 0);
        put_extension(pen, EXT_POINT_FORMATS, (const uint8_t[]){1, 0}, 2);
        put_extension(pen, EXT_SESSION_TICKET, NULL, 0);
    }
    if (hello->alpn[0] != NULL) {
        put_alpn(pen, hello->alpn);
    }
    put_extension(pen, EXT_STATUS_REQUEST, status, sizeof status);
    put_extension(pen, EXT_SIGNATURE_ALGORITHMS, signatures, sizeof signatures);
    put_client_shares(pen, hello, r);
    put_extension(pen, EXT_PSK_MODES, (const uint8_t[]){1, 1}, 2);
    if (hello->quic) {
        put_extension(pen, EXT_SUPPORTED_VERSIONS, (const uint8_t[]){2, 3, 4}, 3);
        put_extension(pen, EXT_QUIC_TRANSPORT_PARAMETERS, transport_parameters,
                      sizeof transport_parameters);
    } else {
        put_extension(pen, EXT_SUPPORTED_VERSIONS, (const uint8_t[]){4, 3, 4, 3, 3}, 5);
    }
}

/* As browsers do, up to 512 bytes and not beyond. */
static void put_padding(struct pen *pen, const uint8_t *message)
{
    size_t length = (size_t)(pen->at - message);
    if (length + 4 < 512) {
        uint8_t *from = open_extension(pen, EXT_PADDING);
        pen_zeros(pen, 512 - length - 4);
        close_u16(pen, from);
    }
}

static void put_message_head(struct pen *pen, uint8_t type, const struct hello *hello,
                             struct random *r)
{
    pen_u8(pen, type);
    pen_u24(pen, 0);
    pen_u16(pen, 0x0303);
    put_noise(pen, r, 32);
    uint8_t session = hello->quic ? 0 : 32;
    pen_u8(pen, session);
    put_noise(pen, r, session);
}

static size_t close_message(uint8_t *message, const struct pen *pen)
{
    size_t length = (size_t)(pen->at - message);
    message[2] = (uint8_t)((length - 4) >> 8);
    message[3] = (uint8_t)(length - 4);
    return length;
}

size_t tls_client_hello(uint8_t out[TLS_HELLO_MAX], const struct hello *hello, struct random *r)
{
    static const uint16_t suites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                      0xc02c, 0xc030, 0xcca9, 0xcca8};
    struct pen pen = {out};
    put_message_head(&pen, 1, hello, r);
    size_t count = hello->quic ? 3 : COUNT(suites);
    pen_u16(&pen, (uint16_t)(2 * count));
    for (size_t i = 0; i < count; i++) {
        pen_u16(&pen, suites[i]);
    }
    pen_u16(&pen, 0x0100); /* no compression */
    uint8_t *extensions = open_u16(&pen);
    put_client_extensions(&pen, hello, r);
    if (!hello->quic) {
        put_padding(&pen, out);
    }
    close_u16(&pen, extensions);
    return close_message(out, &pen);
}

size_t tls_server_hello(uint8_t out[TLS_HELLO_MAX], const struct hello *hello, struct random *r)
{
    struct pen pen = {out};
    put_message_head(&pen, 2, hello, r);
    pen_u16(&pen, 0x1301);
    pen_u8(&pen, 0);
    uint8_t *extensions = open_u16(&pen);
    put_extension(&pen, EXT_SUPPORTED_VERSIONS, (const uint8_t[]){3, 4}, 2);
    uint8_t *share = open_extension(&pen, EXT_KEY_SHARE);
    if (hello->hybrid) {
        put_share(&pen, r, GROUP_X25519MLKEM768, HYBRID_SERVER_SHARE);
    } else {
        put_share(&pen, r, GROUP_X25519, 32);
    }
    close_u16(&pen, share);
    close_u16(&pen, extensions);
    return close_message(out, &pen);
}

static void put_record_head(struct pen *pen, uint8_t type, size_t length)
{
    pen_u8(pen, type);
    pen_u16(pen, 0x0303);
    pen_u16(pen, (uint16_t)length);
}

size_t tls_record(uint8_t *out, uint8_t type, const uint8_t *body, size_t length)
{
    struct pen pen = {out};
    put_record_head(&pen, type, length);
    pen_bytes(&pen, body, length);
    return (size_t)(pen.at - out);
}

size_t tls_sealed_record(uint8_t *out, size_t length, struct random *r)
{
    struct pen pen = {out};
    put_record_head(&pen, TLS_RECORD_APPLICATION, length);
    put_noise(&pen, r, length);
    return (size_t)(pen.at - out);
}

size_t tls_change_cipher_spec(uint8_t *out)
{
    const uint8_t one = 1;
    return tls_record(out, TLS_RECORD_CCS, &one, 1);
}
