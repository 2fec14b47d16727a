/* A subcommand is one file with one struct command and one word in COMMANDS
 * (sensor/CMakeLists.txt). */
#ifndef SEALDNS_CLI_COMMAND_H
#define SEALDNS_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "model/policy.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;               /* one line of --help */
    const char *usage;                 /* the whole text of `sealdns NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit_status */
};

extern const struct command *const commands[];

#define DEFAULT_CONFIG "/etc/sealdns/sealdns.yaml"
#define DEFAULT_STORE  "/var/lib/sealdns/sealdns.db"
#define DEFAULT_SOCKET "/run/sealdns/sealdns.sock"

/* Usage errors: one line to standard error that says what would be right; EXIT_USAGE. */
int usage_error(const struct command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* getopt_long() found --help (prints the usage, EXIT_DONE) or something wrong (EXIT_USAGE). */
int usage_option(const struct command *c, int option, char **argv);

/* The policy of a file (NULL: DEFAULT_CONFIG if there is one, else the built-in policy). gateway:
 * addresses of this machine, none offline. Messages go to standard error. EXIT_DONE, EXIT_USAGE,
 * EXIT_FAILED. */
int load_policy(const char *path, const struct addr *gateway, size_t gateway_count, nsec_t now,
                struct policy **out);

#endif
