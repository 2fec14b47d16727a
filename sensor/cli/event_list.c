#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/table.h"
#include "cli/events.h"

struct event_list {
    struct record **records; /* each as long as record_event_size() */
    uint32_t *index;         /* open addressing by id: 0 free, else 1 + place */
    size_t count, capacity, slots;
    bool sorted;
};

struct event_list *event_list_create(void)
{
    return calloc(1, sizeof(struct event_list));
}

void event_list_destroy(struct event_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++)
        free(l->records[i]);
    free(l->records);
    free(l->index);
    free(l);
}

/* Ids are the digits of a 64-bit hash already. */
static size_t slot_of(const struct event_list *l, const char *id)
{
    size_t slot = (size_t)strtoull(id, NULL, 16) & (l->slots - 1);

    while (l->index[slot] && strcmp(l->records[l->index[slot] - 1]->event.id, id) != 0)
        slot = (slot + 1) & (l->slots - 1);
    return slot;
}

static int grow(struct event_list *l)
{
    size_t capacity = l->capacity ? l->capacity * 2 : 64;
    struct record **records = realloc(l->records, capacity * sizeof *records);
    uint32_t *index = calloc(capacity * 2, sizeof *index);

    if (records)
        l->records = records;
    if (!records || !index) {
        free(index);
        return SD_EMEM;
    }
    free(l->index);
    l->index = index;
    l->capacity = capacity;
    l->slots = capacity * 2;
    for (size_t i = 0; i < l->count; i++)
        l->index[slot_of(l, l->records[i]->event.id)] = (uint32_t)i + 1;
    return SD_OK;
}

int event_list_add(struct event_list *l, const struct record *r)
{
    size_t size = record_event_size(r), slot;
    struct record *kept;

    if (l->count == l->capacity && grow(l) != SD_OK)
        return SD_EMEM;
    slot = slot_of(l, r->event.id);
    kept = realloc(l->index[slot] ? l->records[l->index[slot] - 1] : NULL, size);
    if (!kept)
        return SD_EMEM;
    if (!l->index[slot])
        l->index[slot] = (uint32_t)++l->count;
    l->records[l->index[slot] - 1] = memcpy(kept, r, size);
    return SD_OK;
}

static int by_contract(const void *left, const void *right)
{
    const struct event *a = &(*(const struct record *const *)left)->event;
    const struct event *b = &(*(const struct record *const *)right)->event;
    int order;

    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if ((order = addr_compare(&a->finding.client, &b->finding.client)) != 0)
        return order;
    if ((order = addr_compare(&a->finding.server, &b->finding.server)) != 0)
        return order;
    if (a->finding.server_port != b->finding.server_port)
        return a->finding.server_port < b->finding.server_port ? -1 : 1;
    if (a->finding.transport != b->finding.transport)
        return (int)a->finding.transport - (int)b->finding.transport;
    return strcmp(a->id, b->id);
}

const struct record *event_list_at(struct event_list *l, size_t i)
{
    if (!l->sorted && l->count) {
        qsort(l->records, l->count, sizeof *l->records, by_contract);
        l->sorted = true;
    }
    return i < l->count ? l->records[i] : NULL;
}
