/* What repeats: counts for each key, in a bounded table. The first is told at once, news (something
 * that makes it graver) within a second, mere numbers once a minute: the ledger of decide/ writes
 * no more often. A stranger who invents clients by the thousand gets a budget; beyond it everything
 * of a zone is counted under one key with no client and no server. */
#ifndef SEALDNS_DETECT_TALLY_H
#define SEALDNS_DETECT_TALLY_H

#include <sys/queue.h>

#include "base/addr.h"
#include "base/table.h"
#include "base/time.h"
#include "model/finding.h"
#include "model/stats.h"

struct tally_key {
    struct addr client, server; /* both zero: beyond the budget */
    int16_t zone;
    uint8_t transport;
    uint8_t what;  /* of the detector's own */
    uint32_t more; /* likewise */
};

enum tally_listed { LISTED_NOT, LISTED_NEWS, LISTED_NUMBERS };

/* First member of the detector's own entry. */
struct tally_item {
    struct tally_key key;
    TAILQ_ENTRY(tally_item) link;
    nsec_t first, last; /* of what is pending, or was told last */
    nsec_t told;        /* when; 0: never */
    uint32_t pending;   /* counted and not told yet */
    bool news; /* set by the detector before tally_add(): to be told though nothing is counted */
    uint8_t listed; /* enum tally_listed, of the tally's own */
    uint64_t total;
};

struct tally_shape {
    size_t item_size;
    size_t hot; /* as in struct table_shape */
    size_t capacity;
    uint64_t seed;
    nsec_t idle; /* silence after which an item is forgotten: its event has ended as well */
    struct stats *stats;
    /* Says item->pending things; the tally clears the count afterwards. */
    void (*tell)(void *context, struct tally_item *item, nsec_t now);
    void *context;
};

struct tally;

/* NULL: no memory. */
struct tally *tally_create(const struct tally_shape *shape);
void tally_destroy(struct tally *t);
size_t tally_bytes(const struct tally *t);
void tally_set_idle(struct tally *t, nsec_t idle);

void tally_prefetch(const struct tally *t, const struct tally_key *key, bool entry);
/* The one pass for who keeps the place of the item. */
void tally_prefetch_at(const struct tally *t, uint32_t place);
/* The item of this key, NULL: none. */
struct tally_item *tally_find(struct tally *t, const struct tally_key *key);
/* The item of this key; where it is new and over the budget, the one of its zone. */
struct tally_item *tally_at(struct tally *t, const struct tally_key *key, nsec_t now);
/* The same for who keeps the item's place (base/table.h). */
struct tally_item *tally_again(struct tally *t, uint32_t *place, const struct tally_key *key,
                               nsec_t now);
/* Counts n and tells at once, within a second (news) or within a minute. */
void tally_add(struct tally *t, struct tally_item *item, uint32_t n, nsec_t now);
void tally_tick(struct tally *t, nsec_t now);
void tally_flush(struct tally *t, nsec_t now);

/* What a finding has of the item it tells of: count, times, key; beyond the budget no addresses. */
void tally_finding(const struct tally_item *item, struct finding *f);

/* Equal for equal keys on every run: names an event, so it does not depend on the seed. */
uint64_t tally_key_hash(const struct tally_key *key);

#endif
