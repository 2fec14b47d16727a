#include "priv/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"

/* kept: one capability, or -1. */
static int drop_capabilities(int kept)
{
    bool may_bound;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || capng_get_caps_process() != 0)
        return SD_EPERM;
    may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
    capng_clear(CAPNG_SELECT_BOTH);
    if (kept >= 0 &&
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)kept) != 0)
        return SD_EPERM;
    /* A monitor without CAP_SETPCAP cannot clear a bounding set: no capability is what counts. */
    if (capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
        return SD_EPERM;
    return SD_OK;
}

int sandbox_recorder(void)
{
    return drop_capabilities(-1);
}

int sandbox_guard(void)
{
    return drop_capabilities(CAP_NET_ADMIN);
}

/* All that the parser's threads ask of the kernel, with what libraries and allocators may. Whatever
 * is not here fails with EPERM instead of killing the process, so that a library that only tries (a
 * locale, a time zone) goes on without, and the kernel's log names it. */
static const int needed[] = {
    /* what is open: rings, the capture's sockets, the channels to the other processes */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(close),
    /* memory; mapping it is below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    /* threads, signals, time */
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* What libpcap asks of an interface. */
static const unsigned long requests[] = {SIOCGIFFLAGS, SIOCGIFINDEX, SIOCGIFNAME};

#define ALLOW(call, ...)                                                                           \
    (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(call), __VA_ARGS__) != 0)

/* Nothing that is written becomes code, no process but threads, no signal but to itself, no file
 * by its name. Of clone3() the kernel's filter cannot see what is asked: the library takes clone()
 * where it is told that there is none. */
static bool allow_bounded(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    bool failed = false;

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        failed |= ALLOW(ioctl, 1, SCMP_A1(SCMP_CMP_EQ, requests[i]));
    failed |= ALLOW(mmap, 1, no_code);
    failed |= ALLOW(mprotect, 1, no_code);
    failed |= ALLOW(clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    failed |= ALLOW(tgkill, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    failed |= ALLOW(newfstatat, 1, SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    failed |= ALLOW(prctl, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    failed |= ALLOW(prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0));
    return failed | (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0);
}

/* Of bpf(2) only what reads and writes an element of a map that is open (capture/shunt.h). */
static bool allow_elements(scmp_filter_ctx filter)
{
    enum { MAP_LOOKUP = 1, MAP_UPDATE = 2, MAP_LOOKUP_AND_DELETE = 21 }; /* enum bpf_cmd */

    return ALLOW(bpf, 1, SCMP_A0(SCMP_CMP_EQ, MAP_LOOKUP)) |
           ALLOW(bpf, 1, SCMP_A0(SCMP_CMP_EQ, MAP_UPDATE)) |
           ALLOW(bpf, 1, SCMP_A0(SCMP_CMP_EQ, MAP_LOOKUP_AND_DELETE));
}

static int load_without_log(scmp_filter_ctx filter)
{
    bool set = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 0) == 0;

    return set && seccomp_load(filter) == 0 ? SD_OK : SD_EPERM;
}

int sandbox_parser(void)
{
    scmp_filter_ctx filter;
    bool logged;
    int failed = 0;

    if (drop_capabilities(-1) != SD_OK)
        return SD_EPERM;
    filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return SD_EPERM;
    /* Where whoever started us lets seccomp(2) through: the older way has no such flag. */
    logged = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) == 0;
    failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0; /* a tree of calls */
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, needed[i], 0) != 0;
    failed |= allow_bounded(filter);
    failed |= allow_elements(filter);
    if (seccomp_load(filter) != 0 && (!logged || load_without_log(filter) != SD_OK))
        failed = 1;
    seccomp_release(filter);
    return failed ? SD_EPERM : SD_OK;
}
