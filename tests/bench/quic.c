#include "quic.h"

#include "wire.h"

#include <err.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET = 32, KEY = 16, NONCE = 12, TAG = 16, SAMPLE = 16, NUMBER = 4 };
enum { FRAME_ACK = 2, FRAME_CRYPTO = 6 };

struct direction {
    uint8_t key[KEY];
    uint8_t iv[NONCE];
    uint8_t header_key[KEY];
};

struct quic_keys {
    struct direction client;
    struct direction server;
};

static void require(int success)
{
    if (success <= 0) {
        errx(1, "the cryptographic library failed");
    }
}

struct derivation {
    int mode;
    const uint8_t *key;
    size_t key_length;
    const uint8_t *salt; /* or the label */
    size_t salt_length;
};

static void derive(const struct derivation *from, uint8_t *out, size_t length)
{
    char digest[] = "SHA256";
    int mode = from->mode;
    const char *third =
        mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from->key,
                                          from->key_length),
        OSSL_PARAM_construct_octet_string(third, (void *)(uintptr_t)from->salt, from->salt_length),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    require(EVP_KDF_derive(context, out, length, parameters));
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* HKDF-Expand-Label of RFC 8446 section 7.1, with an empty context */
static void expand_label(const uint8_t secret[SECRET], const char *label, uint8_t *out,
                         size_t length)
{
    uint8_t info[64];
    struct pen pen = {info};
    pen_u16(&pen, (uint16_t)length);
    pen_u8(&pen, (uint8_t)(6 + strlen(label)));
    pen_bytes(&pen, "tls13 ", 6);
    pen_bytes(&pen, label, strlen(label));
    pen_u8(&pen, 0);
    const struct derivation from = {EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, SECRET, info,
                                    (size_t)(pen.at - info)};
    derive(&from, out, length);
}

static void derive_direction(struct direction *direction, const uint8_t initial[SECRET],
                             const char *label)
{
    uint8_t secret[SECRET];
    expand_label(initial, label, secret, SECRET);
    expand_label(secret, "quic key", direction->key, KEY);
    expand_label(secret, "quic iv", direction->iv, NONCE);
    expand_label(secret, "quic hp", direction->header_key, KEY);
}

struct quic_keys *quic_keys_create(const uint8_t connection_id[QUIC_CONNECTION_ID])
{
    static const uint8_t salt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    struct quic_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    uint8_t initial[SECRET];
    const struct derivation from = {EVP_KDF_HKDF_MODE_EXTRACT_ONLY, connection_id,
                                    QUIC_CONNECTION_ID, salt, sizeof salt};
    derive(&from, initial, SECRET);
    derive_direction(&keys->client, initial, "client in");
    derive_direction(&keys->server, initial, "server in");
    return keys;
}

void quic_keys_destroy(struct quic_keys *keys)
{
    free(keys);
}

static void put_connection_id(struct pen *pen, const uint8_t *id)
{
    pen_u8(pen, id != NULL ? QUIC_CONNECTION_ID : 0);
    if (id != NULL) {
        pen_bytes(pen, id, QUIC_CONNECTION_ID);
    }
}

static void put_varint2(struct pen *pen, size_t value)
{
    pen_u16(pen, (uint16_t)(0x4000 | value));
}

/* In place: `body` has room for the tag behind it. */
static void seal(const struct direction *direction, uint32_t number, const struct payload *header,
                 uint8_t *body, size_t length)
{
    uint8_t nonce[NONCE];
    int written;
    memcpy(nonce, direction->iv, NONCE);
    for (int i = 0; i < 4; i++) {
        nonce[NONCE - 1 - i] ^= (uint8_t)(number >> (8 * i));
    }
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    require(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, direction->key, nonce));
    require(EVP_EncryptUpdate(context, NULL, &written, header->bytes, (int)header->length));
    require(EVP_EncryptUpdate(context, body, &written, body, (int)length));
    require(EVP_EncryptFinal_ex(context, body + length, &written));
    require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, body + length));
    EVP_CIPHER_CTX_free(context);
}

/* RFC 9001 section 5.4: the mask from a sample that begins four bytes after the packet number's
 * first byte */
static void protect_header(const struct direction *direction, uint8_t *packet, uint8_t *number)
{
    uint8_t mask[SAMPLE + TAG];
    int written;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    require(EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, direction->header_key, NULL));
    require(EVP_EncryptUpdate(context, mask, &written, number + NUMBER, SAMPLE));
    EVP_CIPHER_CTX_free(context);
    packet[0] ^= mask[0] & 0x0f;
    for (int i = 0; i < NUMBER; i++) {
        number[i] ^= mask[1 + i];
    }
}

static void put_frames(struct pen *pen, const struct initial *initial, size_t room)
{
    const uint8_t *from = pen->at;
    if (initial->from_server != 0 || initial->length == 0) {
        static const uint8_t ack[] = {FRAME_ACK, 0, 0, 0, 0};
        pen_bytes(pen, ack, sizeof ack);
    }
    if (initial->length != 0) {
        pen_u8(pen, FRAME_CRYPTO);
        put_varint2(pen, initial->offset);
        put_varint2(pen, initial->length);
        pen_bytes(pen, initial->crypto, initial->length);
    }
    pen_zeros(pen, room - (size_t)(pen->at - from));
}

size_t quic_initial(uint8_t out[QUIC_DATAGRAM_MAX], const struct quic_keys *keys,
                    const struct initial *initial)
{
    const struct direction *direction = initial->from_server != 0 ? &keys->server : &keys->client;
    struct pen pen = {out};
    pen_u8(&pen, 0xc0 | (NUMBER - 1));
    pen_u32(&pen, 1);
    put_connection_id(&pen, initial->destination);
    put_connection_id(&pen, initial->source);
    pen_u8(&pen, 0); /* no token */
    size_t rest = initial->size - (size_t)(pen.at + 2 - out);
    put_varint2(&pen, rest);
    uint8_t *number = pen.at;
    pen_u32(&pen, initial->number);
    uint8_t *body = pen.at;
    size_t room = rest - NUMBER - TAG;
    put_frames(&pen, initial, room);
    const struct payload header = {out, (size_t)(body - out)};
    seal(direction, initial->number, &header, body, room);
    protect_header(direction, out, number);
    return initial->size;
}

size_t quic_handshake(uint8_t *out, const uint8_t *destination, const uint8_t *source,
                      size_t length, struct random *r)
{
    struct pen pen = {out};
    pen_u8(&pen, (uint8_t)(0xe0 | (random_next(r) & 0x0f)));
    pen_u32(&pen, 1);
    put_connection_id(&pen, destination);
    put_connection_id(&pen, source);
    put_varint2(&pen, length);
    random_bytes(r, pen.at, length);
    return (size_t)(pen.at - out) + length;
}

size_t quic_short(uint8_t *out, const uint8_t *destination, size_t length, struct random *r)
{
    struct pen pen = {out};
    pen_u8(&pen, (uint8_t)(0x40 | (random_next(r) & 0x3f)));
    if (destination != NULL) {
        pen_bytes(&pen, destination, QUIC_CONNECTION_ID);
    }
    random_bytes(r, pen.at, length);
    return (size_t)(pen.at - out) + length;
}
