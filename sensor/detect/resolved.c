#include "detect/resolved.h"

#include <stdlib.h>

#include "base/fetch.h"
#include "base/hash.h"

enum { SLOTS = 65536, HOUR = 3600 };

struct slot {
    uint64_t key;
    uint32_t name, second;
};

struct resolved {
    uint64_t seed;
    struct slot slots[SLOTS];
};

struct resolved *resolved_create(uint64_t seed)
{
    struct resolved *r = calloc(1, sizeof *r);

    if (r)
        r->seed = seed;
    return r;
}

void resolved_destroy(struct resolved *r)
{
    free(r);
}

size_t resolved_bytes(void)
{
    return sizeof(struct resolved);
}

/* By a factor that nobody knows: whoever chooses addresses must not make two of them one. */
static inline uint64_t word_of(const struct resolved *r, const struct addr *a)
{
    return a->w[0] * (r->seed | 1) + a->w[1];
}

static inline uint64_t key_of(const struct resolved *r, const struct addr *client,
                              const struct addr *address)
{
    return hash_mix(word_of(r, client) ^ r->seed, word_of(r, address));
}

void resolved_prefetch(const struct resolved *r, const struct addr *client,
                       const struct addr *address, size_t count)
{
    for (; count; count--, address++)
        fetch(&r->slots[key_of(r, client, address) % SLOTS]);
}

void resolved_put(struct resolved *r, const struct addr *client, const struct addr *address,
                  size_t count, uint32_t name, nsec_t now)
{
    uint32_t second = (uint32_t)(now / NSEC_S);

    for (; count; count--, address++) {
        uint64_t key = key_of(r, client, address);

        r->slots[key % SLOTS] = (struct slot){key, name, second};
    }
}

uint32_t resolved_name(const struct resolved *r, const struct addr *client,
                       const struct addr *address, nsec_t now)
{
    uint64_t key = key_of(r, client, address);
    const struct slot *s = &r->slots[key % SLOTS];

    return s->key == key && (uint32_t)(now / NSEC_S) - s->second <= HOUR ? s->name : 0;
}
