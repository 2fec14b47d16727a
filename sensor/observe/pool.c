#include "observe/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *p, size_t size, size_t limit)
{
    assert(size >= sizeof(void *));
    *p = (struct pool){.size = size, .limit = limit};
}

void pool_finish(struct pool *p)
{
    while (p->idle) {
        void *record = p->idle;

        memcpy(&p->idle, record, sizeof p->idle);
        free(record);
    }
}

void *pool_get(struct pool *p)
{
    void *record = p->idle;

    if (p->live >= p->limit)
        return NULL;
    if (!record) {
        record = calloc(1, p->size);
        p->live += record != NULL;
        return record;
    }
    memcpy(&p->idle, record, sizeof p->idle);
    memset(record, 0, p->size);
    p->live++;
    return record;
}

void pool_put(struct pool *p, void *record)
{
    if (!record)
        return;
    assert(p->live > 0);
    memcpy(record, &p->idle, sizeof p->idle);
    p->idle = record;
    p->live--;
}

void *budget_resize(struct budget *b, void *block, size_t old, size_t size)
{
    void *grown;

    if (size > old && size - old > b->limit - b->used)
        return NULL;
    grown = realloc(block, size);
    if (grown)
        b->used += size - old;
    return grown;
}

void budget_free(struct budget *b, void *block, size_t size)
{
    if (!block)
        return;
    assert(b->used >= size);
    b->used -= size;
    free(block);
}
