/* What the parser may still ask of bpf(2), seen by the error: EPERM is the sandbox's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_elements_of_maps_alone)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
