#include "engine/relay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { CHUNKS = 8, ALIGNMENT = 8 };

struct chunk {
    uint8_t *bytes;
    size_t room, used;
};

struct relay {
    size_t size; /* of a chunk */
    pthread_mutex_t lock;
    pthread_cond_t turned;
    size_t given, taken; /* chunks, ever; under the lock */
    bool ended, left;    /* under the lock */
    bool putting;        /* chunk given % CHUNKS is the giver's now */
    size_t at;           /* in chunk taken % CHUNKS, which is the taker's if at > 0 */
    struct chunk chunk[CHUNKS];
};

struct relay *relay_create(size_t octets)
{
    struct relay *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->size = octets / CHUNKS;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->turned, NULL);
    return r;
}

void relay_destroy(struct relay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < CHUNKS; i++)
        free(r->chunk[i].bytes);
    pthread_cond_destroy(&r->turned);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static bool make_room(struct relay *r, struct chunk *c, size_t octets)
{
    size_t room = octets > r->size ? octets : r->size;
    uint8_t *bytes;

    if (c->room >= room)
        return true;
    bytes = realloc(c->bytes, room);
    if (!bytes)
        return false;
    c->bytes = bytes;
    c->room = room;
    return true;
}

static void hand_over(struct relay *r)
{
    pthread_mutex_lock(&r->lock);
    r->given += r->putting;
    r->putting = false;
    pthread_cond_signal(&r->turned);
    pthread_mutex_unlock(&r->lock);
}

/* Waits for a chunk that the taker is done with. */
static bool begin_chunk(struct relay *r, size_t octets)
{
    struct chunk *c = &r->chunk[r->given % CHUNKS];
    bool left;

    pthread_mutex_lock(&r->lock);
    while (r->given - r->taken == CHUNKS && !r->left)
        pthread_cond_wait(&r->turned, &r->lock);
    left = r->left;
    pthread_mutex_unlock(&r->lock);
    c->used = 0;
    r->putting = !left && make_room(r, c, octets);
    return r->putting;
}

void *relay_put(struct relay *r, size_t octets)
{
    size_t whole = sizeof(uint64_t) + (octets + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *c = &r->chunk[r->given % CHUNKS];
    uint64_t *item;

    if (r->putting && c->room - c->used < whole)
        hand_over(r);
    if (!r->putting && !begin_chunk(r, whole))
        return NULL;
    c = &r->chunk[r->given % CHUNKS];
    item = (uint64_t *)(void *)(c->bytes + c->used);
    *item = whole;
    c->used += whole;
    return item + 1;
}

void relay_end(struct relay *r)
{
    hand_over(r);
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_signal(&r->turned);
    pthread_mutex_unlock(&r->lock);
}

/* Gives the chunk at hand back and waits for the next one. */
static bool next_chunk(struct relay *r)
{
    bool there;

    pthread_mutex_lock(&r->lock);
    r->taken += r->at > 0;
    r->at = 0;
    pthread_cond_signal(&r->turned);
    while (r->given == r->taken && !r->ended)
        pthread_cond_wait(&r->turned, &r->lock);
    there = r->given != r->taken;
    pthread_mutex_unlock(&r->lock);
    return there;
}

const void *relay_take(struct relay *r)
{
    const struct chunk *c = &r->chunk[r->taken % CHUNKS];
    const uint64_t *item;

    if (r->at == 0 || r->at == c->used) {
        if (!next_chunk(r))
            return NULL;
        c = &r->chunk[r->taken % CHUNKS];
    }
    item = (const uint64_t *)(const void *)(c->bytes + r->at);
    r->at += *item;
    return item + 1;
}

void relay_leave(struct relay *r)
{
    pthread_mutex_lock(&r->lock);
    r->left = true;
    pthread_cond_signal(&r->turned);
    pthread_mutex_unlock(&r->lock);
}
