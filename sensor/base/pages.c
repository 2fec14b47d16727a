#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

void pages_enlarge(void *start, size_t length)
{
    uintptr_t from = ((uintptr_t)start + PAGE - 1) / PAGE * PAGE;
    uintptr_t to = ((uintptr_t)start + length) / PAGE * PAGE;

    if (to <= from || madvise((void *)from, to - from, MADV_HUGEPAGE) != 0)
        return;
    (void)madvise((void *)from, to - from, MADV_COLLAPSE); /* what is resident already */
}
