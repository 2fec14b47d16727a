#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

#define FIRST 1024 /* keys to begin with, a power of two */

void intern_init(struct intern *n, size_t most, uint64_t seed)
{
    *n = (struct intern){.most = most, .seed = seed};
}

void intern_finish(struct intern *n)
{
    free(n->keys);
    free(n->bytes);
    free(n->slots);
    *n = (struct intern){0};
}

/* The slot that holds this key, or the free one where it belongs. */
static uint32_t *slot_of(const struct intern *n, const void *key, size_t length)
{
    size_t at = (size_t)hash_bytes(key, length, n->seed) & n->mask;

    for (; n->slots[at]; at = (at + 1) & n->mask) {
        const struct intern_key *k = n->keys + n->slots[at] - 1;

        if (k->length == length && memcmp(n->bytes + k->at, key, length) == 0)
            break;
    }
    return n->slots + at;
}

/* At most half of the slots are ever used. */
static int grow_keys(struct intern *n)
{
    size_t capacity = n->capacity ? n->capacity * 2 : FIRST;
    struct intern_key *keys = realloc(n->keys, capacity * sizeof *keys);
    uint32_t *slots = calloc(capacity * 2, sizeof *slots);

    if (keys)
        n->keys = keys;
    if (!keys || !slots) {
        free(slots);
        return SD_EMEM;
    }
    free(n->slots);
    n->slots = slots;
    n->capacity = capacity;
    n->mask = capacity * 2 - 1;
    for (size_t i = 0; i < n->count; i++)
        *slot_of(n, n->bytes + n->keys[i].at, n->keys[i].length) = (uint32_t)i + 1;
    return SD_OK;
}

static int grow_bytes(struct intern *n, size_t length)
{
    size_t room = n->room ? n->room : 16384;
    char *bytes;

    while (room - n->used < length)
        room *= 2;
    if (room == n->room)
        return SD_OK;
    bytes = realloc(n->bytes, room);
    if (!bytes)
        return SD_EMEM;
    n->bytes = bytes;
    n->room = room;
    return SD_OK;
}

int64_t intern_find(const struct intern *n, const void *key, size_t length)
{
    uint32_t slot = n->capacity ? *slot_of(n, key, length) : 0;

    return slot ? (int64_t)slot - 1 : SD_ENOENT;
}

int64_t intern_number(struct intern *n, const void *key, size_t length)
{
    int64_t known = intern_find(n, key, length);
    uint32_t *slot;
    int e = SD_OK;

    if (known >= 0)
        return known;
    if (n->count == n->most)
        return SD_ELIMIT;
    if (n->count == n->capacity)
        e = grow_keys(n);
    if (e == SD_OK)
        e = grow_bytes(n, length);
    if (e != SD_OK)
        return e;
    slot = slot_of(n, key, length);
    if (length)
        memcpy(n->bytes + n->used, key, length);
    n->keys[n->count] = (struct intern_key){.at = n->used, .length = (uint32_t)length};
    n->used += length;
    *slot = (uint32_t)++n->count;
    return *slot - 1;
}
