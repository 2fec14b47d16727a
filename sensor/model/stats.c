#include "model/stats.h"

const struct stats_word stats_words[STATS_COUNT] = {
#define X(word, text) {#word, text, offsetof(struct stats, word)},
    STATS(X)
#undef X
};

void stats_add(struct stats *sum, const struct stats *more)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)more;

    for (size_t i = 0; i < STATS_COUNT; i++)
        to[i] += from[i];
}
