/* Preloaded: of the allocations that the program itself asks for, not its libraries, number
 * $FEW_FAILS gets no memory. At the end how many there were is written to descriptor $FEW_TELL. */
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static atomic_long made, fails;
static uintptr_t begins, ends; /* of the program */

static bool is_refused(const void *from)
{
    uintptr_t at = (uintptr_t)from;

    if (at < begins || at >= ends || atomic_fetch_add(&made, 1) + 1 != atomic_load(&fails))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return is_refused(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    return is_refused(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

/* The first of all objects is the program. */
static int see(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t from = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr,
                  to = from + object->dlpi_phdr[i].p_memsz;

        if (object->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        begins = !begins || from < begins ? from : begins;
        ends = to > ends ? to : ends;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FEW_FAILS");

    atomic_store(&fails, at ? atol(at) : 0);
    dl_iterate_phdr(see, NULL);
}

__attribute__((destructor)) static void end(void)
{
    const char *tell = getenv("FEW_TELL");

    if (tell)
        dprintf(atoi(tell), "%ld\n", atomic_load(&made));
}
