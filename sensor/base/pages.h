/* Fewer and larger pages for memory that is used at random all over: with small ones, most look-ups
 * wait twice, for the page table and for the memory itself. */
#ifndef SEALDNS_BASE_PAGES_H
#define SEALDNS_BASE_PAGES_H

#include <stddef.h>

/* Best effort: nothing happens where the kernel has none to give. What was never touched may become
 * resident by it. */
void pages_enlarge(void *start, size_t length);

#endif
