/* Memory by the page: shared between processes, or in fewer and larger pages where it is used at
 * random all over (with small ones most look-ups wait twice, for the page table and the memory). */
#ifndef SEALDNS_BASE_PAGES_H
#define SEALDNS_BASE_PAGES_H

#include <stddef.h>

/* Zeroed memory that the children of a fork share. NULL: none. */
void *pages_shared(const char *name, size_t length);
/* Zeroed memory that begins with a line of the cache and is taken from the system where it is
 * touched first; for pages_free(). NULL: none. */
void *pages_zeroed(size_t length);
void pages_free(void *start); /* takes NULL */
/* Best effort: nothing happens where the kernel has none to give. What was never touched may become
 * resident by it. */
void pages_enlarge(void *start, size_t length);
/* In this process and its children pages_enlarge() does nothing from now on: where memory is scarce
 * a page that was never touched is worth more than a wait. */
void pages_stay_small(void);

#endif
