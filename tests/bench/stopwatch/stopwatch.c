/* Runs one program on one core and says what it took: a small parent, because the peak memory of a
 * program starts with its parent's when a large one forks. Prints "WALL_SECONDS CPU_SECONDS
 * PEAK_KIB EXIT" to standard error. */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static void stay_on_last_core(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_ZERO(&allowed);
            CPU_SET(cpu, &allowed);
            break;
        }
    }
    sched_setaffinity(0, sizeof allowed, &allowed);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        errx(2, "usage: stopwatch PROGRAM [ARGUMENT]...");
    }
    stay_on_last_core();
    double start = now();
    pid_t child = fork();
    if (child < 0) {
        err(2, "fork");
    }
    if (child == 0) {
        execv(argv[1], argv + 1);
        err(127, "%s", argv[1]);
    }
    struct rusage usage;
    int status;
    if (wait4(child, &status, 0, &usage) < 0) {
        err(2, "wait4");
    }
    fprintf(stderr, "%.6f %.6f %ld %d\n", now() - start,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
