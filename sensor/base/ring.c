#include "base/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pages.h"

/* No fences, of which ThreadSanitizer knows nothing: sleeping is read and written by exchanges, so
 * either the producer finds it set, or the consumer finds what was pushed.
 * What both sides share. Producer's and consumer's words stand on cache lines of their own. */
struct shared {
    uint64_t head; /* next slot to write */
    uint64_t dropped;
    char pad1[48];
    uint64_t tail; /* next slot to read */
    uint32_t sleeping;
    char pad2[52];
    uint8_t slots[];
};

struct ring {
    struct shared *shared;
    size_t mapped;
    size_t record_size;
    uint64_t mask;
    int doorbell;
};

struct ring *ring_create(const char *name, size_t record_size, size_t capacity)
{
    struct ring *r = calloc(1, sizeof *r);
    uint64_t slots = 1;

    if (!r)
        return NULL;
    while (slots < capacity)
        slots *= 2;
    r->record_size = (record_size + 63) / 64 * 64;
    r->mask = slots - 1;
    r->mapped = sizeof(struct shared) + slots * r->record_size;
    r->shared = pages_shared(name, r->mapped);
    r->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!r->shared || r->doorbell < 0) {
        ring_destroy(r);
        return NULL;
    }
    return r;
}

void ring_destroy(struct ring *r)
{
    if (!r)
        return;
    if (r->shared)
        munmap(r->shared, r->mapped);
    if (r->doorbell >= 0)
        close(r->doorbell);
    free(r);
}

static uint8_t *slot(const struct ring *r, uint64_t index)
{
    return r->shared->slots + (index & r->mask) * r->record_size;
}

int ring_push(struct ring *r, const void *record, size_t length)
{
    uint64_t head = r->shared->head;

    assert(length <= r->record_size);
    if (head - __atomic_load_n(&r->shared->tail, __ATOMIC_ACQUIRE) > r->mask) {
        __atomic_store_n(&r->shared->dropped, r->shared->dropped + 1, __ATOMIC_RELAXED);
        return SD_ELIMIT;
    }
    memcpy(slot(r, head), record, length);
    __atomic_store_n(&r->shared->head, head + 1, __ATOMIC_RELEASE);
    return SD_OK;
}

void ring_wake(struct ring *r)
{
    uint64_t one = 1;

    if (__atomic_fetch_add(&r->shared->sleeping, 0, __ATOMIC_SEQ_CST) &&
        write(r->doorbell, &one, sizeof one) < 0)
        return; /* the counter is full: the consumer has been rung already */
}

const void *ring_peek(struct ring *r)
{
    uint64_t tail = r->shared->tail;

    if (__atomic_load_n(&r->shared->head, __ATOMIC_ACQUIRE) == tail)
        return NULL;
    return slot(r, tail);
}

void ring_pop(struct ring *r)
{
    __atomic_store_n(&r->shared->tail, r->shared->tail + 1, __ATOMIC_RELEASE);
}

int ring_descriptor(const struct ring *r)
{
    return r->doorbell;
}

bool ring_may_sleep(struct ring *r)
{
    __atomic_exchange_n(&r->shared->sleeping, 1, __ATOMIC_SEQ_CST);
    if (!ring_peek(r))
        return true;
    ring_awake(r);
    return false;
}

void ring_awake(struct ring *r)
{
    uint64_t rung;

    __atomic_store_n(&r->shared->sleeping, 0, __ATOMIC_RELEASE);
    if (read(r->doorbell, &rung, sizeof rung) < 0)
        return; /* nobody had rung */
}

size_t ring_length(const struct ring *r)
{
    return (size_t)(__atomic_load_n(&r->shared->head, __ATOMIC_RELAXED) -
                    __atomic_load_n(&r->shared->tail, __ATOMIC_RELAXED));
}

size_t ring_capacity(const struct ring *r)
{
    return (size_t)r->mask + 1;
}

uint64_t ring_dropped(const struct ring *r)
{
    return __atomic_load_n(&r->shared->dropped, __ATOMIC_RELAXED);
}
