#include "detect/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/pages.h"

#define PREFETCH 256 /* bytes of an entry at most */
#define LINE     64
#define MANY     1024 /* clients from which larger pages are worth it */

struct slots {
    struct slots_shape shape;
    size_t end; /* places that were ever used */
    uint8_t *entries;
};

struct slots *slots_create(const struct slots_shape *shape)
{
    struct slots *s = calloc(1, sizeof *s);

    assert(shape->entry_size >= sizeof(struct slot));
    if (!s)
        return NULL;
    s->shape = *shape;
    if (!s->shape.hot)
        s->shape.hot = shape->entry_size;
    s->entries = pages_zeroed(CLIENTS_MOST * shape->entry_size);
    if (s->entries)
        return s;
    free(s);
    return NULL;
}

void slots_destroy(struct slots *s)
{
    if (s)
        pages_free(s->entries);
    free(s);
}

size_t slots_bytes(const struct slots *s)
{
    return sizeof *s + CLIENTS_MOST * s->shape.entry_size;
}

void slots_prefetch(const struct slots *s, const struct observation *o)
{
    const uint8_t *entry = s->entries + o->note.who * s->shape.entry_size;

    for (size_t line = 0; line < s->shape.hot && line < PREFETCH; line += LINE)
        fetch(entry + line);
}

/* Places are given out in their order, so as far as there are clients the array is full. */
static void grow(struct slots *s, size_t end)
{
    s->end = end;
    if (end >= MANY && (end & (end - 1)) == 0)
        pages_enlarge(s->entries,
                      (2 * end < CLIENTS_MOST ? 2 * end : CLIENTS_MOST) * s->shape.entry_size);
}

void *slots_at(struct slots *s, const struct observation_note *note, bool *fresh)
{
    struct slot *slot = (struct slot *)(s->entries + note->who * s->shape.entry_size);
    bool other = slot->tenure != note->tenure;

    assert(note->who < CLIENTS_MOST);
    if (fresh)
        *fresh = other;
    if (!other)
        return slot;
    if (slot->tenure && s->shape.leaves)
        s->shape.leaves(s->shape.context, slot);
    memset(slot, 0, s->shape.entry_size);
    slot->tenure = note->tenure;
    if (note->who >= s->end)
        grow(s, note->who + 1U);
    return slot;
}

void *slots_find(struct slots *s, uint32_t who, uint32_t tenure)
{
    struct slot *slot = (struct slot *)(s->entries + who * s->shape.entry_size);

    return tenure && slot->tenure == tenure ? slot : NULL;
}

void *slots_next(struct slots *s, size_t *position)
{
    while (*position < s->end) {
        struct slot *slot = (struct slot *)(s->entries + (*position)++ * s->shape.entry_size);

        if (slot->tenure)
            return slot;
    }
    return NULL;
}
