/* Texts and other short keys to small numbers, 0, 1, 2, ... in the order of their first sight; for
 * a run over much history, where nothing may be evicted. Seeded; grows up to a bound. Worst case in
 * bytes: most * 20, twice that while it grows, and the keys themselves. */
#ifndef SEALDNS_BASE_INTERN_H
#define SEALDNS_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern {
    struct intern_key {
        size_t at;
        uint32_t length;
    } * keys;
    char *bytes;
    uint32_t *slots; /* open addressing: 1 + number, 0 free */
    uint64_t seed;
    size_t count, most, capacity, used, room, mask;
};

void intern_init(struct intern *n, size_t most, uint64_t seed);
void intern_finish(struct intern *n);
/* The number of this key, a new one (count - 1) on first sight. SD_ELIMIT: a new one when `most`
 * are there; SD_EMEM. */
int64_t intern_number(struct intern *n, const void *key, size_t length);
/* The number of a key that is there already. SD_ENOENT. */
int64_t intern_find(const struct intern *n, const void *key, size_t length);

/* The bytes of a key; valid until the next new one. */
static inline const char *intern_bytes(const struct intern *n, uint32_t number)
{
    return n->bytes + n->keys[number].at;
}

#endif
