#include "decode/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/table.h"

enum {
    DATAGRAMS = 2048,
    PIECES_MAX = 8192, /* of one datagram; 64 KiB in pieces of 8 bytes */
    DATAGRAM_MAX = 65535,
    BYTES_DEFAULT = 4 << 20,
    SWEEP = 2 /* datagrams looked at for age with each new one */
};
#define FRAGMENT_TIME (30 * NSEC_S)

struct piece {
    struct piece *next; /* in the order of offset */
    uint32_t offset, length;
    uint8_t bytes[];
};

struct datagram {
    struct fragment_key key;
    nsec_t first;
    struct piece *pieces;
    struct piece *last; /* in order, most fragments go behind it */
    uint32_t count;
    uint32_t received;
    uint32_t length; /* 0: the last fragment is not here yet */
    uint8_t protocol;
    bool given_up; /* what still comes of it is dropped */
};

struct reassembly {
    struct table *datagrams;
    size_t bytes, bytes_max;
    size_t hand;      /* where the sweep goes on */
    uint64_t dropped; /* fragments given up since the last count */
    uint8_t whole[DATAGRAM_MAX + 1];
};

static void give_up(struct reassembly *r, struct datagram *d)
{
    struct piece *p = d->pieces;

    while (p) {
        struct piece *next = p->next;

        r->bytes -= sizeof *p + p->length;
        free(p);
        p = next;
    }
    r->dropped += d->count;
    d->pieces = d->last = NULL;
    d->count = 0;
    d->given_up = true;
}

static void evicted(void *context, void *entry)
{
    give_up(context, entry);
}

struct reassembly *reassembly_create(uint64_t seed, size_t bytes)
{
    struct reassembly *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->bytes_max = bytes ? bytes : BYTES_DEFAULT;
    r->datagrams = table_create(&(struct table_shape){
        .entry_size = sizeof(struct datagram),
        .key_size = sizeof(struct fragment_key),
        .capacity = DATAGRAMS,
        .seed = seed,
        .evicted = evicted,
        .context = r,
    });
    if (!r->datagrams) {
        free(r);
        return NULL;
    }
    return r;
}

void reassembly_flush(struct reassembly *r, struct stats *stats)
{
    size_t position = 0;
    struct datagram *d;

    while ((d = table_next(r->datagrams, &position))) {
        give_up(r, d);
        table_remove(r->datagrams, d);
    }
    stats->fragments_dropped += r->dropped;
    r->dropped = 0;
}

void reassembly_destroy(struct reassembly *r)
{
    struct stats unread = {0};

    if (!r)
        return;
    reassembly_flush(r, &unread);
    table_destroy(r->datagrams);
    free(r);
}

static bool is_old(const struct datagram *d, nsec_t now)
{
    return now - d->first > FRAGMENT_TIME || d->first - now > FRAGMENT_TIME;
}

/* The next datagram under the hand that goes round the table for ever, or NULL after its end. */
static struct datagram *under_hand(struct reassembly *r)
{
    struct datagram *d = table_next(r->datagrams, &r->hand);

    if (!d)
        r->hand = 0;
    return d;
}

static void sweep(struct reassembly *r, nsec_t now)
{
    for (int i = 0; i < SWEEP; i++) {
        struct datagram *d = under_hand(r);

        if (d && is_old(d, now)) {
            give_up(r, d);
            table_remove(r->datagrams, d);
        }
    }
}

/* Room for one more piece: whoever is under the hand gives way, so that nobody can fill the memory
 * and keep others out for the whole time-out. */
static bool make_room(struct reassembly *r, size_t need, const struct datagram *but)
{
    if (need > r->bytes_max)
        return false;
    for (size_t tries = 0; r->bytes + need > r->bytes_max; tries++) {
        struct datagram *d = under_hand(r);

        if (tries > 2 * DATAGRAMS)
            return false;
        if (!d || d == but)
            continue;
        give_up(r, d);
        table_remove(r->datagrams, d);
    }
    return true;
}

static struct datagram *datagram_of(struct reassembly *r, const struct fragment *f)
{
    bool fresh;
    struct datagram *d = table_insert(r->datagrams, &f->key, &fresh);

    if (!fresh && is_old(d, f->time)) {
        give_up(r, d);
        table_remove(r->datagrams, d);
        d = table_insert(r->datagrams, &f->key, &fresh);
    }
    if (fresh)
        d->first = f->time;
    return d;
}

static bool same_piece(const struct piece *p, const struct fragment *f)
{
    return p->offset == f->offset && p->length == f->bytes.left &&
           memcmp(p->bytes, f->bytes.at, p->length) == 0;
}

/* Where a piece goes: *before is the piece it follows, NULL: it is the first. SD_EEXIST: it is here
 * already, to the byte. SD_EMALF: it overlaps. */
static int place_of(const struct datagram *d, const struct fragment *f, struct piece **before)
{
    struct piece *previous = NULL;
    struct piece *p = d->pieces;
    uint32_t end = f->offset + (uint32_t)f->bytes.left;

    if (d->last && d->last->offset + d->last->length <= f->offset) {
        *before = d->last;
        return 0;
    }
    while (p && p->offset + p->length <= f->offset) {
        previous = p;
        p = p->next;
    }
    if (p && same_piece(p, f))
        return SD_EEXIST;
    if (p && p->offset < end)
        return SD_EMALF;
    *before = previous;
    return 0;
}

static int insert(struct reassembly *r, struct datagram *d, const struct fragment *f,
                  struct piece *before)
{
    uint32_t length = (uint32_t)f->bytes.left;
    struct piece *p;

    if (d->count == PIECES_MAX || !make_room(r, sizeof *p + length, d))
        return SD_ELIMIT;
    p = malloc(sizeof *p + length);
    if (!p)
        return SD_ELIMIT;
    p->offset = f->offset;
    p->length = length;
    memcpy(p->bytes, f->bytes.at, length);
    p->next = before ? before->next : d->pieces;
    *(before ? &before->next : &d->pieces) = p;
    if (!p->next)
        d->last = p;
    d->count++;
    d->received += length;
    r->bytes += sizeof *p + length;
    return 0;
}

/* The bounds that a fragment alone, or with the datagram's length, must keep. */
static bool fits(const struct datagram *d, const struct fragment *f)
{
    size_t end = f->offset + f->bytes.left;

    if (end > DATAGRAM_MAX || f->bytes.left == 0 || (f->more && f->bytes.left % 8 != 0))
        return false;
    if (!f->more && d->last && d->last->offset + d->last->length > end)
        return false;
    return !d->length || (f->more ? end <= d->length : end == d->length);
}

static int keep(struct reassembly *r, struct datagram *d, const struct fragment *f)
{
    struct piece *before = NULL;
    int result;

    if (!fits(d, f))
        return SD_EMALF;
    result = place_of(d, f, &before);
    if (result == SD_EEXIST) {
        r->dropped++;
        return 0;
    }
    if (result == 0)
        result = insert(r, d, f, before);
    if (result != 0)
        return result;
    if (f->offset == 0)
        d->protocol = f->protocol;
    if (!f->more)
        d->length = f->offset + (uint32_t)f->bytes.left;
    return 0;
}

static void join(struct reassembly *r, struct datagram *d)
{
    for (const struct piece *p = d->pieces; p; p = p->next)
        memcpy(r->whole + p->offset, p->bytes, p->length);
    d->count = 0; /* none of them is dropped */
    give_up(r, d);
    table_remove(r->datagrams, d);
}

int reassembly_add(struct reassembly *r, const struct fragment *f, struct stats *stats,
                   struct cursor *whole, uint8_t *protocol)
{
    struct datagram *d;
    int result = SD_ELIMIT;

    stats->fragments++;
    sweep(r, f->time);
    d = datagram_of(r, f);
    if (!d->given_up)
        result = keep(r, d, f);
    if (result != 0) {
        r->dropped++;
        give_up(r, d);
    } else if (d->length && d->received == d->length) {
        *whole = cursor_over(r->whole, d->length);
        *protocol = d->protocol;
        stats->fragments_joined++;
        join(r, d);
    } else {
        result = SD_EAGAIN;
    }
    stats->fragments_dropped += r->dropped;
    r->dropped = 0;
    return result;
}
