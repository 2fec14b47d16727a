#include "base/trail.h"

#include <ck_pr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

enum { UNIT = 64, LEAST = 64 * 1024 };

#define SKIP UINT32_MAX /* in place of a record's octets: the rest of the ring up to its end */

/* Positions count octets from the beginning of time; the ring is read modulo its size. */
struct shared {
    uint64_t head; /* the next record is written here */
    char pad1[56];
    uint64_t tail; /* the oldest record that is whole; moved before it is overwritten */
    char pad2[56];
    uint8_t bytes[];
};

struct trail {
    struct shared *shared;
    size_t mapped, size;
    uint32_t snap;
};

_Static_assert(sizeof(struct trail_frame) == UNIT, "a header fits before the end of the ring");

struct trail *trail_create(size_t bytes, uint32_t snap)
{
    struct trail *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->snap = snap;
    t->size = (bytes < LEAST ? LEAST : bytes) / UNIT * UNIT;
    t->mapped = sizeof(struct shared) + t->size;
    t->shared = pages_shared("trail", t->mapped);
    if (t->shared)
        return t;
    free(t);
    return NULL;
}

void trail_destroy(struct trail *t)
{
    if (!t)
        return;
    munmap(t->shared, t->mapped);
    free(t);
}

void trail_only_read(struct trail *t)
{
    if (mprotect(t->shared, t->mapped, PROT_READ) != 0)
        return; /* then it is trusted not to write, as before */
}

static uint64_t room_of(uint32_t captured)
{
    return UNIT + ((uint64_t)captured + UNIT - 1) / UNIT * UNIT;
}

/* Where the record after this one begins. */
static uint64_t after(const struct trail *t, uint64_t at, uint32_t captured)
{
    return captured == SKIP ? at + t->size - at % t->size : at + room_of(captured);
}

static void give_way(struct trail *t, uint64_t end)
{
    uint64_t tail = t->shared->tail;
    struct trail_frame old;

    if (tail + t->size >= end)
        return;
    while (tail + t->size < end) {
        memcpy(&old, t->shared->bytes + tail % t->size, sizeof old);
        tail = after(t, tail, old.captured);
    }
    ck_pr_store_64(&t->shared->tail, tail);
    ck_pr_fence_store();
}

/* A record never wraps: where too little is left of the ring, the rest is skipped. */
static uint64_t place_for(struct trail *t, uint64_t room)
{
    uint64_t head = t->shared->head, left = t->size - head % t->size;
    struct trail_frame skip = {.captured = SKIP};

    give_way(t, head + (left < room ? left : 0) + room);
    if (left >= room)
        return head;
    memcpy(t->shared->bytes + head % t->size, &skip, sizeof skip);
    return head + left;
}

void trail_put(struct trail *t, const struct trail_frame *frame, const uint8_t *bytes)
{
    struct trail_frame kept = *frame;
    uint64_t at;

    if (kept.captured > t->snap)
        kept.captured = t->snap;
    at = place_for(t, room_of(kept.captured));
    memcpy(t->shared->bytes + at % t->size, &kept, sizeof kept);
    memcpy(t->shared->bytes + at % t->size + UNIT, bytes, kept.captured);
    ck_pr_fence_store();
    ck_pr_store_64(&t->shared->head, after(t, at, kept.captured));
}

size_t trail_place(const struct trail *t)
{
    return sizeof(struct trail_frame) + t->snap;
}

/* False: the writer has been there since. */
static bool still_there(const struct trail *t, uint64_t at)
{
    ck_pr_fence_load();
    return ck_pr_load_64(&t->shared->tail) <= at;
}

static void take(const struct trail *t, uint64_t at, const struct trail_frame *frame,
                 struct trail_pick *pick)
{
    uint8_t *place = pick->places + pick->found % (pick->most + 1) * trail_place(t);

    if (!pick->wants(pick->context, frame))
        return;
    memcpy(place, frame, sizeof *frame);
    memcpy(place + sizeof *frame, t->shared->bytes + at % t->size + UNIT, frame->captured);
    pick->found++;
}

/* The header at a position; false: no writer of ours wrote that. */
static bool header_at(const struct trail *t, uint64_t at, struct trail_frame *frame)
{
    size_t place = at % t->size;

    memcpy(frame, t->shared->bytes + place, sizeof *frame);
    return at % UNIT == 0 &&
           (frame->captured == SKIP ||
            (frame->captured <= t->snap && place + room_of(frame->captured) <= t->size));
}

void trail_read(const struct trail *t, struct trail_pick *pick)
{
    uint64_t head = ck_pr_load_64(&t->shared->head), at;
    struct trail_frame frame;

    ck_pr_fence_load();
    for (at = ck_pr_load_64(&t->shared->tail); at < head;) {
        uint64_t found = pick->found;
        bool sound = header_at(t, at, &frame);

        if (sound && still_there(t, at) && frame.captured != SKIP)
            take(t, at, &frame, pick);
        if (!still_there(t, at)) {
            pick->found = found; /* what was copied may be half another's */
            at = ck_pr_load_64(&t->shared->tail);
            continue;
        }
        if (!sound)
            return;
        at = after(t, at, frame.captured);
    }
}
