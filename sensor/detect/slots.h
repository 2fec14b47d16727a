/* State for each client without a look-up: an array that note.who indexes. An entry whose tenure is
 * not the note's belongs to a client that has left the place; it is zeroed for the new one.
 * Memory is touched when a client comes: worst case CLIENTS_MOST * entry_size. */
#ifndef SEALDNS_DETECT_SLOTS_H
#define SEALDNS_DETECT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/observation.h"

/* First member of the detector's own entry. */
struct slot {
    uint32_t tenure; /* 0: nobody */
};

struct slots;

struct slots_shape {
    size_t entry_size;
    size_t hot; /* bytes that observe() usually touches, from the entry's beginning; 0: all */
    /* A client is about to be forgotten for another; may be NULL. */
    void (*leaves)(void *context, void *entry);
    void *context;
};

/* NULL: no memory. */
struct slots *slots_create(const struct slots_shape *shape);
void slots_destroy(struct slots *s); /* does not call leaves() */
size_t slots_bytes(const struct slots *s);
void slots_prefetch(const struct slots *s, const struct observation *o);
/* The client's entry; *fresh (may be NULL): it is new and zero but for the tenure. */
void *slots_at(struct slots *s, const struct observation_note *note, bool *fresh);
/* The entry of who had the place then; NULL: another has it now. */
void *slots_find(struct slots *s, uint32_t who, uint32_t tenure);
/* Every client in order of places: start with *position = 0; NULL at the end. */
void *slots_next(struct slots *s, size_t *position);

#endif
