/* The kernel's jhash (Bob Jenkins' lookup3) over an address: rules and this must agree for every
 * client. Words are read in the machine's own order, as the kernel does. */
#include <string.h>

#include "base/hash.h"
#include "model/policy_zone.h"

#define START 0xdeadbeefu

struct lookup3 {
    uint32_t a, b, c;
};

static uint32_t rotated(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void mix(struct lookup3 *h)
{
    static const uint8_t bits[] = {4, 6, 8, 16, 19, 4};

    for (unsigned i = 0; i < sizeof bits; i++) {
        uint32_t a = h->a - h->c;

        a ^= rotated(h->c, bits[i]);
        *h = (struct lookup3){.a = h->b, .b = h->c + h->b, .c = a};
    }
}

static uint32_t last_of(struct lookup3 h)
{
    static const uint8_t bits[] = {14, 11, 25, 16, 4, 14, 24};

    for (unsigned i = 0; i < sizeof bits; i++) {
        uint32_t c = (h.c ^ h.b) - rotated(h.b, bits[i]);

        h = (struct lookup3){.a = h.b, .b = c, .c = h.a};
    }
    return h.b;
}

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t hash_address(const struct addr *a, uint32_t seed)
{
    bool v4 = addr_is_v4(a);
    const uint8_t *bytes = v4 ? a->b + 12 : a->b;
    uint32_t start = START + (v4 ? 4 : 16) + seed;
    struct lookup3 h = {start, start, start};

    if (!v4) {
        h.a += word_at(bytes);
        h.b += word_at(bytes + 4);
        h.c += word_at(bytes + 8);
        mix(&h);
        bytes += 12;
    }
    h.a += word_at(bytes);
    return last_of(h);
}

uint32_t rollout_seed(const struct policy_zone *z)
{
    return (uint32_t)hash_bytes(z->id, strnlen(z->id, sizeof z->id), 0);
}

unsigned rollout_place(const struct addr *client, uint32_t seed)
{
    return (unsigned)((uint64_t)hash_address(client, seed) * 100 >> 32);
}

/* ::/0 holds no address of IPv4. */
static bool is_of_family(const struct prefix *p, bool v4)
{
    return (addr_is_v4(&p->addr) && p->length >= 96) == v4;
}

bool rollout_holds(const struct policy_zone *z, const struct addr *client)
{
    const struct policy_rollout *o = &z->rollout;

    if (!o->given || rollout_place(client, rollout_seed(z)) < o->percent)
        return true;
    for (size_t i = 0; i < o->client_count; i++)
        if (is_of_family(o->clients + i, addr_is_v4(client)) &&
            prefix_holds(o->clients + i, client))
            return true;
    return false;
}
