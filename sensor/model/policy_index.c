#include "model/policy_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

static size_t slots_for(size_t capacity)
{
    size_t slots = 8;

    while (slots < 2 * capacity)
        slots *= 2;
    return slots;
}

static uint64_t hash_addr(const struct addr *a, uint64_t more)
{
    return hash_mix(a->w[0] ^ more, a->w[1]);
}

int prefix_map_init(struct prefix_map *m, size_t capacity)
{
    size_t slots = slots_for(capacity);

    memset(m, 0, sizeof *m);
    m->entries = calloc(capacity ? capacity : 1, sizeof *m->entries);
    m->slots = calloc(slots, sizeof *m->slots);
    m->capacity = capacity;
    m->mask = slots - 1;
    if (m->entries && m->slots)
        return SD_OK;
    prefix_map_finish(m);
    return SD_EMEM;
}

void prefix_map_finish(struct prefix_map *m)
{
    free(m->entries);
    free(m->slots);
    m->entries = NULL;
    m->slots = NULL;
}

static struct addr mask_of(unsigned length)
{
    struct addr mask = {.w = {0, 0}};

    for (unsigned bit = 0; bit < length; bit++)
        mask.b[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return mask;
}

static void add_length(struct prefix_map *m, bool v4, uint8_t length)
{
    struct prefix_length *lengths = m->lengths[v4];
    unsigned at = 0;

    while (at < m->length_count[v4] && lengths[at].length > length)
        at++;
    if (at < m->length_count[v4] && lengths[at].length == length)
        return;
    memmove(lengths + at + 1, lengths + at, (m->length_count[v4] - at) * sizeof *lengths);
    lengths[at] = (struct prefix_length){.mask = mask_of(length), .length = length};
    m->length_count[v4]++;
}

static uint32_t *prefix_slot(const struct prefix_map *m, const struct addr *masked, uint8_t length,
                             bool v4)
{
    size_t at = hash_addr(masked, length) & m->mask;

    while (m->slots[at]) {
        const struct prefix_entry *e = m->entries + m->slots[at] - 1;

        if (e->length == length && e->v4 == v4 && addr_equal(&e->addr, masked))
            break;
        at = (at + 1) & m->mask;
    }
    return m->slots + at;
}

void prefix_map_add(struct prefix_map *m, const struct prefix *p, int32_t value)
{
    bool v4 = addr_is_v4(&p->addr) && p->length >= 96;
    uint32_t *slot = prefix_slot(m, &p->addr, p->length, v4);
    struct prefix_entry *e;

    assert(m->count < m->capacity);
    e = m->entries + m->count++;
    *e = (struct prefix_entry){p->addr, value, -1, p->length, v4};
    if (*slot) {
        struct prefix_entry *last = m->entries + *slot - 1;

        while (last->next >= 0)
            last = m->entries + last->next;
        last->next = (int32_t)(e - m->entries);
        return;
    }
    *slot = (uint32_t)m->count;
    add_length(m, v4, p->length);
}

struct prefix_walk prefix_walk_from(const struct prefix_map *m, const struct addr *key)
{
    return (struct prefix_walk){.map = m, .key = *key, .entry = -1, .v4 = addr_is_v4(key)};
}

int32_t prefix_walk_next(struct prefix_walk *w)
{
    const struct prefix_map *m = w->map;
    const struct prefix_entry *e;

    while (w->entry < 0) {
        const struct prefix_length *l = m->lengths[w->v4] + w->at;
        struct addr masked;

        if (w->at == m->length_count[w->v4])
            return -1;
        masked.w[0] = w->key.w[0] & l->mask.w[0];
        masked.w[1] = w->key.w[1] & l->mask.w[1];
        w->entry = (int32_t)*prefix_slot(m, &masked, l->length, w->v4) - 1;
        w->at++;
    }
    e = m->entries + w->entry;
    w->entry = e->next;
    return e->value;
}

int address_map_init(struct address_map *m, size_t capacity)
{
    size_t slots = slots_for(capacity);

    m->slots = calloc(slots, sizeof *m->slots);
    m->mask = slots - 1;
    return m->slots ? SD_OK : SD_EMEM;
}

void address_map_finish(struct address_map *m)
{
    free(m->slots);
    m->slots = NULL;
}

static struct address_entry *address_slot(const struct address_map *m, const struct addr *a)
{
    size_t at = hash_addr(a, 0) & m->mask;

    while (m->slots[at].used && !addr_equal(&m->slots[at].addr, a))
        at = (at + 1) & m->mask;
    return m->slots + at;
}

void address_map_add(struct address_map *m, const struct addr *a, int16_t value, bool shared)
{
    struct address_entry *e = address_slot(m, a);

    if (!e->used)
        *e = (struct address_entry){*a, value, true, shared};
}

const struct address_entry *address_map_find(const struct address_map *m, const struct addr *a)
{
    const struct address_entry *e = address_slot(m, a);

    return e->used ? e : NULL;
}

int name_map_init(struct name_map *m, size_t capacity)
{
    size_t slots = slots_for(capacity);

    m->slots = calloc(slots, sizeof *m->slots);
    m->mask = slots - 1;
    m->wildcards = false;
    return m->slots ? SD_OK : SD_EMEM;
}

void name_map_finish(struct name_map *m)
{
    free(m->slots);
    m->slots = NULL;
}

static struct name_entry *name_slot(const struct name_map *m, const char *name, size_t length,
                                    bool wildcard)
{
    size_t at = hash_bytes(name, length, wildcard) & m->mask;

    for (; m->slots[at].name; at = (at + 1) & m->mask) {
        const struct name_entry *e = m->slots + at;

        if (e->length == length && e->wildcard == wildcard && memcmp(e->name, name, length) == 0)
            break;
    }
    return m->slots + at;
}

void name_map_add(struct name_map *m, const char *name, int16_t value)
{
    bool wildcard = name[0] == '*' && name[1] == '.';
    struct name_entry *e;

    if (wildcard)
        name += 2;
    m->wildcards |= wildcard;
    e = name_slot(m, name, strlen(name), wildcard);
    if (!e->name)
        *e = (struct name_entry){name, (uint32_t)strlen(name), value, wildcard};
}

int16_t name_map_find(const struct name_map *m, const char *name)
{
    size_t length = strlen(name);
    const struct name_entry *e = name_slot(m, name, length, false);
    const char *dot = name;

    if (e->name)
        return e->value;
    while (m->wildcards && (dot = strchr(dot, '.')) != NULL) {
        dot++;
        e = name_slot(m, dot, length - (size_t)(dot - name), true);
        if (e->name)
            return e->value;
    }
    return -1;
}

int16_t name_map_same(const struct name_map *m, const char *name)
{
    bool wildcard = name[0] == '*' && name[1] == '.';
    const struct name_entry *e;

    if (wildcard)
        name += 2;
    e = name_slot(m, name, strlen(name), wildcard);
    return e->name ? e->value : -1;
}
