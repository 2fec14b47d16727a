/* Blocks in which handshake messages are put together, out of a bounded pool of the classifier. */
#ifndef SEALDNS_CLASSIFY_BLOCK_H
#define SEALDNS_CLASSIFY_BLOCK_H

#include <stdint.h>

enum {
    BLOCK_BYTES = 16 * 1024,
    BLOCKS_MAX = 2048, /* 32 MiB over all flows of a classifier */
};

struct block {
    struct block *next;
    uint8_t bytes[BLOCK_BYTES];
};

struct block_pool {
    struct block *spare;
    unsigned made;
};

/* NULL: no memory, or all of them are in use. */
struct block *block_take(struct block_pool *pool);
/* *b becomes NULL; it may be NULL. */
void block_return(struct block_pool *pool, struct block **b);
/* Every block must have been returned. */
void block_pool_finish(struct block_pool *pool);

#endif
