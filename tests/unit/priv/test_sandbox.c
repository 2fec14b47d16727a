/* What the parser may still ask of the kernel, seen by the error: EPERM is the sandbox's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "priv/sandbox.h"

enum { MAP_LOOKUP = 1, MAP_UPDATE = 2, MAP_LOOKUP_AND_DELETE = 21, BEYOND = 64 };

/* An empty request, of no descriptor: refused in any case. */
static int error_of(uint64_t command)
{
    uint8_t nothing[128] = {0xff, 0xff, 0xff, 0xff};

    errno = 0;
    syscall(SYS_bpf, command, nothing, sizeof nothing);
    return errno;
}

/* The exit status of a parser: 0, or the number of the command that went wrong and one. */
static int parser(void)
{
    if (sandbox_parser() != SD_OK)
        return BEYOND + 2;
    for (int i = 0; i < BEYOND; i++) {
        int allowed = i == MAP_LOOKUP || i == MAP_UPDATE || i == MAP_LOOKUP_AND_DELETE;

        if ((error_of((uint64_t)i) == EPERM) == allowed ||
            error_of((uint64_t)i | UINT64_C(1) << 32) != EPERM)
            return i + 1;
    }
    return 0;
}

static void test_elements_of_maps_alone(void **state)
{
    pid_t child;
    int how;

    (void)state;
    if (error_of(MAP_LOOKUP) == EPERM)
        skip(); /* what runs the tests allows none */
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(parser());
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* What somebody would try who has taken the parser over: each is refused. */
static const char *const tried[] = {
    "open a file",
    "create a file",
    "read a directory's entry",
    "remove a file",
    "make a socket",
    "run a program",
    "make a process",
    "trace its parent",
    "signal its parent",
    "become root",
    "mount",
    "make code of data",
    "map code",
    "type for others",
    "raise a limit",
    "load a filter",
    "enter a namespace",
    "start a ring of requests",
};
enum { TRIED = sizeof tried / sizeof *tried };

static long try_one(unsigned which)
{
    static char page[8192] __attribute__((aligned(4096)));
    struct rlimit more = {1 << 20, 1 << 20};
    char *const none[] = {NULL};

    switch (which) {
    case 0:
        return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
    case 1:
        return syscall(SYS_openat, AT_FDCWD, "/tmp/taken-over", O_CREAT | O_WRONLY, 0600);
    case 2:
        return syscall(SYS_newfstatat, AT_FDCWD, "/etc/shadow", page, 0);
    case 3:
        return syscall(SYS_unlinkat, AT_FDCWD, "/tmp/nothing-there", 0);
    case 4:
        return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    case 5:
        return syscall(SYS_execve, "/bin/true", none, none);
    case 6:
        return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    case 7:
        return syscall(SYS_ptrace, 16 /* attach */, getppid(), 0, 0);
    case 8:
        return syscall(SYS_kill, getppid(), 0) & syscall(SYS_tgkill, getppid(), getppid(), 0);
    case 9:
        return syscall(SYS_setuid, 0);
    case 10:
        return syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL);
    case 11:
        return syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
    case 12:
        return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    case 13:
        return syscall(SYS_ioctl, 0, TIOCSTI, "x");
    case 14:
        return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, NULL);
    case 15:
        return syscall(SYS_bpf, 5 /* load */, page, 128);
    case 16:
        return syscall(SYS_unshare, CLONE_NEWNET);
    default:
        return syscall(SYS_io_uring_setup, 8, page);
    }
}

static int taken_over(void)
{
    if (sandbox_parser() != SD_OK)
        return TRIED + 1;
    for (unsigned i = 0; i < TRIED; i++) {
        errno = 0;
        if (try_one(i) != -1 || errno != EPERM)
            return (int)i + 1;
    }
    return 0;
}

static void test_what_is_refused_when_it_is_taken_over(void **state)
{
    pid_t child = fork();
    int how;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(taken_over());
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how))
        fail_msg("not refused: %s",
                 WEXITSTATUS(how) <= TRIED ? tried[WEXITSTATUS(how) - 1] : "all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_of_maps_alone),
        cmocka_unit_test(test_what_is_refused_when_it_is_taken_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
