/* State for each client without a look-up: an array that note.who indexes. An entry whose tenure is
 * not the note's belongs to a client that has left the place; it is zeroed for the new one. What
 * most messages touch of several detectors lies side by side in a record of the client, so that it
 * is waited for once. Memory is touched when a client comes: worst case CLIENTS_MOST * entry_size.
 */
#ifndef SEALDNS_DETECT_SLOTS_H
#define SEALDNS_DETECT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fetch.h"
#include "model/observation.h"

enum {
    SLOTS_LINE = 64, /* of the cache; entries begin with one where their size allows it */
    SLOTS_PARTS = 8  /* of a record */
};

/* First member of the detector's own entry. */
struct slot {
    uint32_t tenure; /* 0: nobody */
};

struct slots_shape {
    size_t entry_size;
    size_t hot; /* bytes that observe() usually touches, from the entry's beginning; 0: all */
    /* A client is about to be forgotten for another; may be NULL. */
    void (*leaves)(void *context, void *entry);
    void *context;
};

struct slots {
    struct slots_shape shape;
    size_t stride, offset; /* of entries that are part of a record */
    size_t end;            /* places that were ever used */
    uint8_t *entries;
    struct slots_record *record; /* NULL: they are not */
};

struct slots_record {
    size_t stride, padding;
    uint8_t *entries;
    struct slots *part[SLOTS_PARTS];
    unsigned parts;
};

/* record: whose part they become, before it is opened; it outlives them. NULL: they stand alone.
 * NULL: no memory, or the record is full. */
struct slots *slots_create(const struct slots_shape *shape, struct slots_record *record);
void slots_destroy(struct slots *s); /* does not call leaves() */
/* After all parts were created, before any is used. False: no memory. */
bool slots_record_open(struct slots_record *r);
void slots_record_close(struct slots_record *r);
static inline void slots_record_prefetch(const struct slots_record *r, uint32_t who)
{
    const uint8_t *entry = r->entries + who * r->stride;

    for (const uint8_t *end = entry + r->stride; entry < end; entry += SLOTS_LINE)
        fetch(entry);
}

size_t slots_bytes(const struct slots *s);
/* A new client has the place. Of slots_at(). */
void slots_take(struct slots *s, struct slot *slot, const struct observation_note *note);

static inline struct slot *slots_place(const struct slots *s, uint32_t who)
{
    return (struct slot *)(s->entries + who * s->stride);
}

static inline void slots_prefetch(const struct slots *s, const struct observation *o)
{
    const uint8_t *entry = (const uint8_t *)slots_place(s, o->note.who);

    for (size_t line = 0; line < s->shape.hot; line += SLOTS_LINE)
        fetch(entry + line);
}

/* The client's entry; *fresh (may be NULL): it is new and zero but for the tenure. */
static inline void *slots_at(struct slots *s, const struct observation_note *note, bool *fresh)
{
    struct slot *slot = slots_place(s, note->who);
    bool other = slot->tenure != note->tenure;

    if (fresh)
        *fresh = other;
    if (other)
        slots_take(s, slot, note);
    return slot;
}

/* The entry of who had the place then; NULL: another has it now. */
static inline void *slots_find(const struct slots *s, uint32_t who, uint32_t tenure)
{
    struct slot *slot = slots_place(s, who);

    return tenure && slot->tenure == tenure ? slot : NULL;
}

/* Every client in order of places: start with *position = 0; NULL at the end. */
void *slots_next(struct slots *s, size_t *position);

#endif
