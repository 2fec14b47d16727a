#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE 4096
#define LINE 64

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

/* What calloc() gave stands before the line. */
void *pages_zeroed(size_t length)
{
    char *memory = calloc(length + LINE + sizeof(void *), 1);
    void **line;

    if (!memory)
        return NULL;
    line = (void **)(((uintptr_t)memory + sizeof(void *) + LINE - 1) / LINE * LINE);
    line[-1] = memory;
    return line;
}

void pages_free(void *start)
{
    if (start)
        free(((void **)start)[-1]);
}

void pages_enlarge(void *start, size_t length)
{
    uintptr_t from = ((uintptr_t)start + PAGE - 1) / PAGE * PAGE;
    uintptr_t to = ((uintptr_t)start + length) / PAGE * PAGE;

    /* Not MADV_COLLAPSE: to clear and copy what is resident already takes a tenth of a long
     * capture's time, and fills what a sparse table never touches. */
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void pages_stay_small(void)
{
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* best effort too */
}
