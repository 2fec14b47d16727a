#include "detect/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/apart.h"
#include "base/hash.h"

#define BURST    16384
#define A_SECOND 256
#define NEWS     NSEC_S
#define NUMBERS  (60 * NSEC_S)

TAILQ_HEAD(tally_list, tally_item);

struct tally {
    struct tally_shape shape;
    struct table *table;
    struct tally_list news, numbers; /* each in the order of the times it is due */
    int64_t budget;
    nsec_t refilled;
};

static struct tally_list *list_of(struct tally *t, const struct tally_item *item)
{
    return item->listed == LISTED_NEWS ? &t->news : &t->numbers;
}

static void unlist(struct tally *t, struct tally_item *item)
{
    if (item->listed)
        TAILQ_REMOVE(list_of(t, item), item, link);
    item->listed = LISTED_NOT;
}

static void enlist(struct tally *t, struct tally_item *item, enum tally_listed where)
{
    unlist(t, item);
    item->listed = where;
    TAILQ_INSERT_TAIL(list_of(t, item), item, link);
}

static void tell(struct tally *t, struct tally_item *item, nsec_t now)
{
    unlist(t, item);
    item->told = now;
    if (item->pending || item->news)
        t->shape.tell(t->shape.context, item, now);
    item->pending = 0;
    item->news = false;
}

static void evicted(void *context, void *entry)
{
    struct tally *t = context;
    struct tally_item *item = entry;

    tell(t, item, item->last);
    if (t->shape.stats)
        t->shape.stats->state_evicted++;
}

struct tally *tally_create(const struct tally_shape *shape)
{
    struct tally *t = calloc(1, sizeof *t);
    struct table_shape table = {.entry_size = shape->item_size,
                                .hot = shape->hot,
                                .key_size = sizeof(struct tally_key),
                                .capacity = shape->capacity,
                                .seed = shape->seed,
                                .evicted = evicted,
                                .context = t};

    if (!t)
        return NULL;
    t->shape = *shape;
    t->budget = BURST;
    TAILQ_INIT(&t->news);
    TAILQ_INIT(&t->numbers);
    t->table = table_create(&table);
    if (t->table)
        return t;
    free(t);
    return NULL;
}

void tally_destroy(struct tally *t)
{
    if (!t)
        return;
    table_destroy(t->table);
    free(t);
}

void tally_set_idle(struct tally *t, nsec_t idle)
{
    t->shape.idle = idle;
}

size_t tally_bytes(const struct tally *t)
{
    return sizeof *t + table_bytes(t->table);
}

static bool afford(struct tally *t, nsec_t now)
{
    nsec_t passed = (now - t->refilled) / NSEC_S;

    if (time_is_ahead(t->refilled, now))
        t->refilled = now;
    if (passed > 0) {
        t->budget += passed < BURST ? passed * A_SECOND : BURST;
        t->budget = t->budget < BURST ? t->budget : BURST;
        t->refilled = now;
    }
    if (t->budget <= 0)
        return false;
    t->budget--;
    return true;
}

void tally_prefetch(const struct tally *t, const struct tally_key *key, bool entry)
{
    (entry ? table_prefetch_entry : table_prefetch_bucket)(t->table, key);
}

void tally_prefetch_at(const struct tally *t, uint32_t place)
{
    table_prefetch_at(t->table, place);
}

struct tally_item *tally_find(struct tally *t, const struct tally_key *key)
{
    return table_find(t->table, key);
}

/* The item of an event that has ended gives way to another. */
static APART struct tally_item *make(struct tally *t, uint32_t *place, const struct tally_key *key,
                                     struct tally_item *item, nsec_t now)
{
    struct tally_key beyond = *key;
    bool fresh;

    if (item)
        table_remove(t->table, item);
    if (!afford(t, now)) {
        memset(&beyond.client, 0, sizeof beyond.client);
        memset(&beyond.server, 0, sizeof beyond.server);
    }
    return table_insert_at(t->table, place, &beyond, &fresh);
}

struct tally_item *tally_again(struct tally *t, uint32_t *place, const struct tally_key *key,
                               nsec_t now)
{
    struct tally_item *item = table_find_at(t->table, place, key);

    if (item && (item->listed || now - item->last <= t->shape.idle))
        return item;
    return make(t, place, key, item, now);
}

struct tally_item *tally_at(struct tally *t, const struct tally_key *key, nsec_t now)
{
    uint32_t place = 0;

    return tally_again(t, &place, key, now);
}

void tally_add(struct tally *t, struct tally_item *item, uint32_t n, nsec_t now)
{
    if (item->pending == 0)
        item->first = now; /* an event that has ended began earlier, this one may begin here */
    item->pending += n;
    item->total += n;
    item->last = now;
    if (!item->told || time_passed(item->told, item->news ? NEWS : NUMBERS, now))
        tell(t, item, now);
    else if (item->news && item->listed != LISTED_NEWS)
        enlist(t, item, LISTED_NEWS);
    else if (item->pending && !item->listed)
        enlist(t, item, LISTED_NUMBERS);
}

static void tell_due(struct tally *t, struct tally_list *list, nsec_t wait, nsec_t now)
{
    struct tally_item *item;

    while ((item = TAILQ_FIRST(list)) && time_passed(item->told, wait, now))
        tell(t, item, now);
}

void tally_tick(struct tally *t, nsec_t now)
{
    tell_due(t, &t->news, NEWS, now);
    tell_due(t, &t->numbers, NUMBERS, now);
}

static void tell_all(struct tally *t, struct tally_list *list, nsec_t now)
{
    struct tally_item *item;

    while ((item = TAILQ_FIRST(list)))
        tell(t, item, item->last > now ? item->last : now);
}

void tally_flush(struct tally *t, nsec_t now)
{
    tell_all(t, &t->news, now);
    tell_all(t, &t->numbers, now);
}

void tally_finding(const struct tally_item *item, struct finding *f)
{
    if (addr_is_zero(&item->key.client)) {
        memset(&f->client, 0, sizeof f->client);
        memset(&f->server, 0, sizeof f->server);
        evidence_string(&f->evidence, "beyond", "more clients than are told apart");
    }
    f->count = item->pending;
    f->first = item->first;
    f->time = item->last;
    f->key = tally_key_hash(&item->key);
}

uint64_t tally_key_hash(const struct tally_key *key)
{
    return hash_bytes(key, sizeof *key, 0);
}
