#include "classify/block.h"

#include <stdlib.h>

struct block *block_take(struct block_pool *pool)
{
    struct block *b = pool->spare;

    if (b) {
        pool->spare = b->next;
        return b;
    }
    if (pool->made == BLOCKS_MAX)
        return NULL;
    b = malloc(sizeof(*b));
    pool->made += b != NULL;
    return b;
}

void block_return(struct block_pool *pool, struct block **b)
{
    if (!*b)
        return;
    (*b)->next = pool->spare;
    pool->spare = *b;
    *b = NULL;
}

void block_pool_finish(struct block_pool *pool)
{
    while (pool->spare) {
        struct block *b = pool->spare;

        pool->spare = b->next;
        free(b);
    }
    pool->made = 0;
}
