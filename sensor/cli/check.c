#include <getopt.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "conf/conf.h"
#include "enforce/enforce.h"
#include "engine/gateway.h"

extern const struct command command_check;

/* What the policy means but the kernel cannot do is an error of the policy. */
static int check_rules(const struct policy *policy)
{
    char error[ENFORCE_ERROR] = "";
    struct ruleset *rules;

    if (policy->mode == MODE_MONITOR)
        return EXIT_DONE;
    if (ruleset_compile(policy, policy->mode, clock_now(), &rules, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_USAGE;
    }
    ruleset_destroy(rules);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *config = NULL;
    struct policy *policy;
    int option, status;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option != 'c')
            return usage_option(&command_check, option, argv);
        config = optarg;
    }
    if (optind != argc)
        return usage_error(&command_check, "unexpected argument \"%s\"", argv[optind]);
    status = load_policy(config, NULL, 0, clock_now(), &policy);
    if (status != EXIT_DONE)
        return status;
    status = check_rules(policy);
    if (status == EXIT_DONE && (conf_print(policy, stdout) != SD_OK || fflush(stdout) != 0)) {
        log_error("cannot write the effective policy");
        status = EXIT_FAILED;
    }
    policy_destroy(policy);
    return status;
}

const struct command command_check = {
    "check", "reads the configuration, points at what is wrong, or prints the effective policy",
    "Usage: sealdns check [-c FILE]\n"
    "\n"
    "Prints FILE:LINE:COLUMN: what is wrong and what would be right (exit status 2), or the "
    "policy\n"
    "as the sensor would use it (exit status 0). Beside the file, catalog.yaml and\n"
    "detections/ID.yaml override what is built in.\n",
    run};
