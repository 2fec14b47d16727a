#include "detect/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

#define PREFETCH 256  /* bytes of an entry at most */
#define MANY     1024 /* clients from which larger pages are worth it */
#define ALIGN    8    /* of parts of a record */

static bool join(struct slots *s, struct slots_record *r)
{
    if (r->parts == SLOTS_PARTS)
        return false;
    s->record = r;
    s->offset = r->stride;
    r->stride += (s->shape.entry_size + ALIGN - 1) / ALIGN * ALIGN;
    r->part[r->parts++] = s;
    return true;
}

static bool stand_alone(struct slots *s)
{
    s->stride = s->shape.entry_size;
    s->entries = pages_zeroed(CLIENTS_MOST * s->stride);
    return s->entries != NULL;
}

struct slots *slots_create(const struct slots_shape *shape, struct slots_record *record)
{
    struct slots *s = calloc(1, sizeof *s);

    assert(shape->entry_size >= sizeof(struct slot));
    if (!s)
        return NULL;
    s->shape = *shape;
    if (!s->shape.hot)
        s->shape.hot = shape->entry_size < PREFETCH ? shape->entry_size : PREFETCH;
    if (record ? join(s, record) : stand_alone(s))
        return s;
    free(s);
    return NULL;
}

void slots_destroy(struct slots *s)
{
    if (s && !s->record)
        pages_free(s->entries);
    free(s);
}

bool slots_record_open(struct slots_record *r)
{
    r->padding = (SLOTS_LINE - r->stride % SLOTS_LINE) % SLOTS_LINE;
    r->stride += r->padding;
    r->entries = pages_zeroed(CLIENTS_MOST * r->stride + 1); /* it may have no parts */
    for (unsigned i = 0; r->entries && i < r->parts; i++) {
        r->part[i]->stride = r->stride;
        r->part[i]->entries = r->entries + r->part[i]->offset;
    }
    return r->entries != NULL;
}

void slots_record_close(struct slots_record *r)
{
    pages_free(r->entries);
}

size_t slots_bytes(const struct slots *s)
{
    return sizeof *s + CLIENTS_MOST * s->shape.entry_size;
}

/* Places are given out in their order, so as far as there are clients the array is full. */
static void grow(struct slots *s, size_t end)
{
    s->end = end;
    if (end >= MANY && (end & (end - 1)) == 0)
        pages_enlarge(s->entries - s->offset,
                      (2 * end < CLIENTS_MOST ? 2 * end : CLIENTS_MOST) * s->stride);
}

void slots_take(struct slots *s, struct slot *slot, const struct observation_note *note)
{
    assert(note->who < CLIENTS_MOST);
    if (slot->tenure && s->shape.leaves)
        s->shape.leaves(s->shape.context, slot);
    memset(slot, 0, s->shape.entry_size);
    slot->tenure = note->tenure;
    if (note->who >= s->end)
        grow(s, note->who + 1U);
}

void *slots_next(struct slots *s, size_t *position)
{
    while (*position < s->end) {
        struct slot *slot = slots_place(s, (uint32_t)(*position)++);

        if (slot->tenure)
            return slot;
    }
    return NULL;
}
