#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

void *pages_shared(const char *name, size_t length)
{
    int descriptor = memfd_create(name, MFD_CLOEXEC);
    void *memory;

    if (descriptor < 0)
        return NULL;
    memory = ftruncate(descriptor, (off_t)length) == 0
                 ? mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
                 : MAP_FAILED;
    close(descriptor);
    return memory == MAP_FAILED ? NULL : memory;
}

void pages_enlarge(void *start, size_t length)
{
    uintptr_t from = ((uintptr_t)start + PAGE - 1) / PAGE * PAGE;
    uintptr_t to = ((uintptr_t)start + length) / PAGE * PAGE;

    if (to <= from || madvise((void *)from, to - from, MADV_HUGEPAGE) != 0)
        return;
    (void)madvise((void *)from, to - from, MADV_COLLAPSE); /* what is resident already */
}
