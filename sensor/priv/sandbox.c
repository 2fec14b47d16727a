#include "priv/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
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

/* Calls that reach beyond what a process holds. They fail with EPERM instead of killing it, so that
 * a library that only tries (a locale, a time zone) goes on without. */
static const int beyond[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(creat),
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(userfaultfd),
};

/* Of bpf(2) only what reads and writes an element of a map that is open (capture/shunt.h). The
 * kernel reads half of the number's register, the filter all of it: nothing hides above. */
static bool deny_bpf(scmp_filter_ctx filter)
{
    enum { MAP_LOOKUP = 1, MAP_UPDATE = 2, MAP_LOOKUP_AND_DELETE = 21 }; /* enum bpf_cmd */
    const struct scmp_arg_cmp beyond_all = SCMP_A0(SCMP_CMP_GT, MAP_LOOKUP_AND_DELETE);
    bool failed =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1, beyond_all) != 0;

    for (unsigned i = 0; i < MAP_LOOKUP_AND_DELETE; i++)
        if (i != MAP_LOOKUP && i != MAP_UPDATE)
            failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
                                       SCMP_A0(SCMP_CMP_EQ, i)) != 0;
    return failed;
}

int sandbox_parser(void)
{
    scmp_filter_ctx filter;
    int failed = 0;

    if (drop_capabilities(-1) != SD_OK)
        return SD_EPERM;
    filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return SD_EPERM;
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), beyond[i], 0) != 0;
    failed |= deny_bpf(filter);
    failed |= seccomp_load(filter) != 0;
    seccomp_release(filter);
    return failed ? SD_EPERM : SD_OK;
}
