#include "output/community.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

struct endpoint {
    const uint8_t *bytes;
    size_t length;
    uint16_t port;
};

static struct endpoint endpoint_of(const struct addr *a, uint16_t port)
{
    return addr_is_v4(a) ? (struct endpoint){a->b + 12, 4, port}
                         : (struct endpoint){a->b, 16, port};
}

static bool in_order(const struct endpoint *a, const struct endpoint *b)
{
    int order = memcmp(a->bytes, b->bytes, a->length);

    return order < 0 || (order == 0 && a->port <= b->port);
}

static void add_u16(struct sha1_ctx *hash, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    sha1_update(hash, 2, bytes);
}

bool community_id(const struct finding *f, char out[64])
{
    struct endpoint a = endpoint_of(&f->client, f->client_port);
    struct endpoint b = endpoint_of(&f->server, f->server_port), swap;
    uint8_t proto_and_zero[2] = {f->proto, 0}, digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx hash;

    if ((f->proto != 6 && f->proto != 17) || a.length != b.length)
        return false;
    if (!in_order(&a, &b)) {
        swap = a;
        a = b;
        b = swap;
    }
    sha1_init(&hash);
    add_u16(&hash, 0); /* the seed */
    sha1_update(&hash, a.length, a.bytes);
    sha1_update(&hash, b.length, b.bytes);
    sha1_update(&hash, 2, proto_and_zero);
    add_u16(&hash, a.port);
    add_u16(&hash, b.port);
    sha1_digest(&hash, sizeof digest, digest);
    memcpy(out, "1:", 2);
    base64_encode_raw(out + 2, sizeof digest, digest);
    out[2 + BASE64_ENCODE_RAW_LENGTH(sizeof digest)] = '\0';
    return true;
}
