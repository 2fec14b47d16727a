#include <stdio.h>

#include "base/error.h"
#include "cli/command.h"
#include "conf/files.h"

int load_policy(const char *path, const struct addr *gateway, size_t gateway_count, nsec_t now,
                struct policy **out)
{
    struct policy_files *f;
    int status = policy_files_read(path, DEFAULT_CONFIG, stderr, &f);

    if (status != SD_OK)
        return EXIT_USAGE;
    status = policy_files_load(f, gateway, gateway_count, now, stderr, out);
    policy_files_free(f);
    if (status == SD_OK)
        return EXIT_DONE;
    if (status != SD_ECONF)
        fprintf(stderr, "sealdns: cannot read the policy: %s\n", sd_strerror(status));
    return status == SD_ECONF ? EXIT_USAGE : EXIT_FAILED;
}
