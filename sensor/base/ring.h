/* A ring of fixed-size records between one producer and one consumer (threads, or processes that
 * share the memory). It never blocks the producer and counts what it drops. It lives in a memfd
 * mapping that a child of fork() shares; records therefore hold no pointer. */
#ifndef SEALDNS_BASE_RING_H
#define SEALDNS_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* capacity is rounded up to a power of two. NULL: no memory. */
struct ring *ring_create(const char *name, size_t record_size, size_t capacity);
void ring_destroy(struct ring *r);

/* Producer: copies the first length bytes of a record (the rest of the slot is left as it was).
 * SD_ELIMIT: full; the record is dropped and counted. */
int ring_push(struct ring *r, const void *record, size_t length);
/* Producer: wakes a consumer that sleeps in ring_wait(); call once after a batch of pushes. */
void ring_wake(struct ring *r);

/* Consumer: the oldest record, in place, or NULL when empty; valid until ring_pop(). */
const void *ring_peek(struct ring *r);
void ring_pop(struct ring *r);
/* Consumer: the descriptor that poll()s readable after ring_wake(). */
int ring_descriptor(const struct ring *r);
/* Consumer: before it sleeps. False: there is something to read after all, do not sleep. */
bool ring_may_sleep(struct ring *r);
/* Consumer: after it slept. */
void ring_awake(struct ring *r);

size_t ring_length(const struct ring *r);
size_t ring_capacity(const struct ring *r);
uint64_t ring_dropped(const struct ring *r);

#endif
