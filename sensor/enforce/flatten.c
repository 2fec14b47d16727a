#include "enforce/flatten.h"

#include <stdlib.h>

#include "base/error.h"

struct addr addr_next(const struct addr *a)
{
    struct addr n = *a;

    for (unsigned i = 16; i-- > 0;)
        if (++n.b[i] != 0)
            break;
    return n;
}

struct addr addr_previous(const struct addr *a)
{
    struct addr n = *a;

    for (unsigned i = 16; i-- > 0;)
        if (n.b[i]-- != 0)
            break;
    return n;
}

struct span span_of_prefix(const struct prefix *p, int64_t value)
{
    struct span s = {.low = p->addr, .high = p->addr, .value = value};

    for (unsigned bit = p->length; bit < 128; bit++)
        s.high.b[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return s;
}

int prefix_length_of(const struct addr *low, const struct addr *high)
{
    unsigned bit = 0;

    while (bit < 128 && ((low->b[bit / 8] ^ high->b[bit / 8]) & (0x80u >> (bit % 8))) == 0)
        bit++;
    for (unsigned i = bit; i < 128; i++) {
        uint8_t mask = (uint8_t)(0x80u >> (i % 8));

        if ((low->b[i / 8] & mask) || !(high->b[i / 8] & mask))
            return -1;
    }
    return (int)bit;
}

static int order(const struct addr *a, const struct addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

struct ordered {
    struct span span;
    size_t at; /* in the array: equal ones keep their order */
};

/* The outer before the inner. */
static int outer_first(const void *left, const void *right)
{
    const struct ordered *a = left, *b = right;
    int by = order(&a->span.low, &b->span.low);

    if (by == 0)
        by = order(&b->span.high, &a->span.high);
    return by ? by : (a->at > b->at) - (a->at < b->at);
}

struct sweep {
    struct span *out;
    size_t count;
    struct span stack[130]; /* prefixes nest at most 129 deep */
    unsigned depth;
    struct addr at; /* the next address to be told */
    bool ended;     /* there is none behind the highest */
};

static bool continues(const struct span *last, const struct addr *at, int64_t value)
{
    struct addr next = addr_next(&last->high);

    return last->value == value && addr_equal(&next, at);
}

static void tell(struct sweep *s, const struct addr *high)
{
    int64_t value = s->stack[s->depth - 1].value;

    if (s->ended || order(&s->at, high) > 0)
        return;
    if (s->count && continues(s->out + s->count - 1, &s->at, value))
        s->out[s->count - 1].high = *high;
    else
        s->out[s->count++] = (struct span){.low = s->at, .high = *high, .value = value};
    s->at = addr_next(high);
    s->ended = addr_is_zero(&s->at);
}

static void leave(struct sweep *s, const struct addr *before)
{
    while (s->depth && (!before || order(&s->stack[s->depth - 1].high, before) < 0)) {
        struct addr high = s->stack[s->depth - 1].high;

        tell(s, &high);
        s->depth--;
    }
}

static void enter(struct sweep *s, const struct span *next, enum flatten_rule rule)
{
    struct span *top = s->depth ? s->stack + s->depth - 1 : NULL;
    bool same = top && addr_equal(&top->low, &next->low) && addr_equal(&top->high, &next->high);
    int64_t value = next->value;

    if (same) {
        if (rule == FLATTEN_GREATEST && value > top->value)
            top->value = value;
        return;
    }
    if (top && order(&top->low, &next->low) < 0) {
        struct addr high = addr_previous(&next->low);

        tell(s, &high);
    }
    if (top && rule == FLATTEN_GREATEST && top->value > value)
        value = top->value;
    s->at = next->low;
    s->ended = false;
    s->stack[s->depth++] = (struct span){.low = next->low, .high = next->high, .value = value};
}

int flatten(const struct span *spans, size_t count, enum flatten_rule rule, struct span **out,
            size_t *out_count)
{
    /* n nested or disjoint ranges cut the line into at most 2n - 1 pieces. */
    struct sweep s = {.out = malloc((2 * count + 1) * sizeof *s.out)};
    struct ordered *sorted = malloc((count + 1) * sizeof *sorted);

    if (!s.out || !sorted) {
        free(s.out);
        free(sorted);
        return SD_EMEM;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct ordered){spans[i], i};
    qsort(sorted, count, sizeof *sorted, outer_first);
    for (size_t i = 0; i < count; i++) {
        leave(&s, &sorted[i].span.low);
        enter(&s, &sorted[i].span, rule);
    }
    leave(&s, NULL);
    free(sorted);
    *out = s.out;
    *out_count = s.count;
    return SD_OK;
}
