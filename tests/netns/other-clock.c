/* A wall clock that jumps for one program: LD_PRELOAD. SEALDNS_CLOCK names a file of eight octets,
 * seconds to add as a number of this machine; it is mapped at the start, as the program may open no
 * file later. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void map_it(void)
{
    const char *path = getenv("SEALDNS_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        abort();
    ahead = at;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, out);

    if (clock == CLOCK_REALTIME)
        out->tv_sec += *ahead;
    return status;
}
