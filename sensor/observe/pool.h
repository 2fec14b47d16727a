/* Records of one size, allocated only while needed and never more than a limit. A freed record is
 * kept for the next one. */
#ifndef SEALDNS_OBSERVE_POOL_H
#define SEALDNS_OBSERVE_POOL_H

#include <stddef.h>

struct pool {
    size_t size, limit, live;
    void *idle;
};

void pool_init(struct pool *p, size_t size, size_t limit);
/* Frees the idle records; the caller has given back all others. */
void pool_finish(struct pool *p);
/* A zeroed record, or NULL: the limit is reached or there is no memory. */
void *pool_get(struct pool *p);
/* record may be NULL. */
void pool_put(struct pool *p, void *record);

/* A number of bytes that all who allocate by it share. */
struct budget {
    size_t limit, used;
};

/* Like realloc from old to size bytes; NULL: beyond the budget or no memory, and the old block
 * stays. */
void *budget_resize(struct budget *b, void *block, size_t old, size_t size);
void budget_free(struct budget *b, void *block, size_t size);

#endif
