#include "engine/hours.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"
#include "base/text.h"

struct sum {
    struct sum_key {
        nsec_t hour;
        struct conversation_key of;
    } key;
    nsec_t part, told;
    struct conversation conversation;
};

struct hours {
    struct table *sums;
    nsec_t last; /* that was told */
};

struct hours *hours_create(size_t conversations)
{
    struct table_shape shape = {.entry_size = sizeof(struct sum),
                                .key_size = sizeof(struct sum_key),
                                .capacity = conversations};
    struct hours *h = calloc(1, sizeof *h);

    if (getrandom(&shape.seed, sizeof shape.seed, 0) != (ssize_t)sizeof shape.seed)
        shape.seed = 0;
    if (h && (h->sums = table_create(&shape)) != NULL)
        return h;
    free(h);
    return NULL;
}

void hours_destroy(struct hours *h)
{
    if (!h)
        return;
    table_destroy(h->sums);
    free(h);
}

/* What describes it is as it was seen last, what counts is added up. */
static void add(struct conversation *sum, const struct conversation *c, bool fresh)
{
    const struct conversation before = *sum;

    *sum = *c;
    if (fresh)
        return;
    if (before.first < sum->first)
        sum->first = before.first;
    if (before.last > sum->last)
        sum->last = before.last;
    sum->identified_by |= before.identified_by;
    sum->flows += before.flows;
    sum->flows_failed += before.flows_failed;
    sum->queries += before.queries;
    sum->responses += before.responses;
    sum->bytes_out += before.bytes_out;
    sum->bytes_in += before.bytes_in;
}

void hours_add(struct hours *h, const struct record *r, nsec_t now, struct hour_row *out)
{
    struct sum_key key;
    struct sum *s;
    bool fresh;

    memset(&key, 0, sizeof key);
    key.hour = r->hour;
    key.of = r->conversation.key;
    s = table_insert(h->sums, &key, &fresh);
    h->last = now > h->last ? now : h->last + 1; /* a clock may be set back */
    if (fresh)
        s->part = h->last;
    add(&s->conversation, &r->conversation, fresh);
    *out = (struct hour_row){.hour = r->hour,
                             .part = s->part,
                             .told = h->last,
                             .conversation = &s->conversation,
                             .zone = r->zone,
                             .resolver = r->resolver};
}
