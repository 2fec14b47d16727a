#include "classify/quic_keys.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"

enum { TAG = GCM_DIGEST_SIZE, SAMPLE = 16, NUMBER_MAX = 4, SALT = 20, SECRET = SHA256_DIGEST_SIZE };

struct quic_version {
    uint32_t first, last;
    uint8_t initial; /* the type bits */
    const char *key, *iv, *hp;
    uint8_t salt[SALT];
};

#define LABELS_V1 "tls13 quic key", "tls13 quic iv", "tls13 quic hp"
#define LABELS_V2 "tls13 quicv2 key", "tls13 quicv2 iv", "tls13 quicv2 hp"
/* RFC 9001 5.2, RFC 9369 3.3.1; drafts 33 and 34 are version 1 already; drafts 29 to 32, 23 to 28.
 */
#define SALT_V1                                                                                    \
    {                                                                                              \
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,  \
            0xad, 0xcc, 0xbb, 0x7f, 0x0a                                                           \
    }
#define SALT_V2                                                                                    \
    {                                                                                              \
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d,  \
            0xcb, 0xf9, 0xbd, 0x2e, 0xd9                                                           \
    }
#define SALT_29                                                                                    \
    {                                                                                              \
        0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11,  \
            0xe0, 0x43, 0x90, 0xa8, 0x99                                                           \
    }
#define SALT_23                                                                                    \
    {                                                                                              \
        0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63,  \
            0x65, 0xbe, 0xf9, 0xf5, 0x02                                                           \
    }

#define SALT_T050                                                                                  \
    {                                                                                              \
        0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36,  \
            0x7c, 0x60, 0x48, 0x83, 0x10                                                           \
    }
#define SALT_T051                                                                                  \
    {                                                                                              \
        0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8,  \
            0xcc, 0xda, 0x6e, 0x03, 0x3d                                                           \
    }

static const struct quic_version versions[] = {
    {1, 1, 0, LABELS_V1, SALT_V1},
    {0x6b3343cf, 0x6b3343cf, 1, LABELS_V2, SALT_V2},
    {0xff000021, 0xff000022, 0, LABELS_V1, SALT_V1},
    {0xff00001d, 0xff000020, 0, LABELS_V1, SALT_29},
    {0xff000017, 0xff00001c, 0, LABELS_V1, SALT_23},
    {0xfaceb002, 0xfaceb002, 0, LABELS_V1, SALT_23},   /* mvfst */
    {0x54303530, 0x54303530, 0, LABELS_V1, SALT_T050}, /* Google's, with TLS */
    {0x54303531, 0x54303531, 0, LABELS_V1, SALT_T051},
};

/* RFC 9000 15: a version that is there to be refused; clients that do so spoke draft 29. */
static bool is_grease(uint32_t version)
{
    return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

static const struct quic_version *version_of(uint32_t version)
{
    if (is_grease(version))
        version = 0xff00001d;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (version >= versions[i].first && version <= versions[i].last)
            return &versions[i];
    return NULL;
}

bool quic_version_known(uint32_t version)
{
    return version_of(version) != NULL;
}

bool quic_is_initial(uint32_t version, uint8_t first)
{
    const struct quic_version *v = version_of(version);

    return v && (first >> 4 & 3) == v->initial;
}

/* HKDF-Expand-Label without context (RFC 8446 7.1). */
static void expand(const uint8_t secret[SECRET], const char *label, uint8_t *out, size_t length)
{
    struct hmac_sha256_ctx hmac;
    uint8_t message[32];
    size_t n = strlen(label);

    message[0] = 0;
    message[1] = (uint8_t)length;
    message[2] = (uint8_t)n;
    memcpy(message + 3, label, n);
    message[3 + n] = 0;
    hmac_sha256_set_key(&hmac, SECRET, secret);
    hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
                (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE, n + 4, message,
                length, out);
}

static void side_keys(const struct quic_version *v, const uint8_t initial[SECRET],
                      const char *label, struct quic_keys *keys)
{
    uint8_t secret[SECRET];

    expand(initial, label, secret, sizeof(secret));
    expand(secret, v->key, keys->key, sizeof(keys->key));
    expand(secret, v->iv, keys->iv, sizeof(keys->iv));
    expand(secret, v->hp, keys->hp, sizeof(keys->hp));
}

void quic_keys_derive(uint32_t version, const uint8_t *dcid, size_t length,
                      struct quic_keys *client, struct quic_keys *server)
{
    const struct quic_version *v = version_of(version);
    struct hmac_sha256_ctx hmac;
    uint8_t initial[SECRET];

    if (!v)
        return;
    hmac_sha256_set_key(&hmac, SALT, v->salt);
    hmac_sha256_update(&hmac, length, dcid);
    hmac_sha256_digest(&hmac, sizeof(initial), initial);
    side_keys(v, initial, "tls13 client in", client);
    side_keys(v, initial, "tls13 server in", server);
}

/* Header protection (RFC 9001 5.4): the header in the clear into header, its length returned. */
static size_t unprotect(const struct quic_keys *keys, const uint8_t *packet, size_t number,
                        uint8_t *header, uint8_t nonce[QUIC_IV])
{
    struct aes128_ctx aes;
    uint8_t mask[SAMPLE];

    aes128_set_encrypt_key(&aes, keys->hp);
    aes128_encrypt(&aes, SAMPLE, mask, packet + number + NUMBER_MAX);
    memcpy(header, packet, number + NUMBER_MAX);
    header[0] ^= mask[0] & 0x0f;
    size_t octets = (header[0] & 3u) + 1;

    memcpy(nonce, keys->iv, QUIC_IV);
    for (size_t i = 0; i < octets; i++) {
        header[number + i] ^= mask[1 + i];
        nonce[QUIC_IV - octets + i] ^= header[number + i];
    }
    return number + octets;
}

int quic_open(const struct quic_keys *keys, const uint8_t *packet, size_t length, size_t number,
              uint8_t *plain)
{
    struct gcm_aes128_ctx gcm;
    uint8_t nonce[QUIC_IV], tag[TAG];

    if (length < number + NUMBER_MAX + SAMPLE)
        return SD_ETRUNC;
    size_t header = unprotect(keys, packet, number, plain, nonce);

    if (length < header + TAG)
        return SD_ETRUNC;
    size_t payload = length - header - TAG;

    gcm_aes128_set_key(&gcm, keys->key);
    gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
    gcm_aes128_update(&gcm, header, plain);
    gcm_aes128_decrypt(&gcm, payload, plain, packet + header);
    gcm_aes128_digest(&gcm, sizeof(tag), tag);
    return memeql_sec(tag, packet + header + payload, sizeof(tag)) ? (int)payload : SD_EMALF;
}
