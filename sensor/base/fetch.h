/* Asks the memory for a line of the cache, ahead of its use. */
#ifndef SEALDNS_BASE_FETCH_H
#define SEALDNS_BASE_FETCH_H

/* The empty assembler has an effect as far as the compiler knows. Else a function that only fetches
 * has none, and optimized across files its calls are left out: nothing is wrong then but the time.
 */
static inline void fetch(const void *line)
{
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

#endif
