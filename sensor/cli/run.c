#include <getopt.h>
#include <string.h>

#include "cli/command.h"
#include "engine/sensor.h"

extern const struct command command_run;

static bool is_named(const struct sensor_options *o, const char *interface)
{
    for (size_t i = 0; i < o->interface_count; i++)
        if (strcmp(o->interfaces[i], interface) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"interface", required_argument, NULL, 'i'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"profile", required_argument, NULL, 'p'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct sensor_options sensor = {.default_config = DEFAULT_CONFIG, .mode = -1, .profile = -1};
    int option;

    while ((option = getopt_long(argc, argv, ":c:i:h", options, NULL)) != -1) {
        if (option == 'c')
            sensor.config = optarg;
        else if (option == 'i' && is_named(&sensor, optarg))
            continue; /* every packet counts once */
        else if (option == 'i' && sensor.interface_count < MOST_INTERFACES)
            sensor.interfaces[sensor.interface_count++] = optarg;
        else if (option == 'i')
            return usage_error(&command_run, "at most %d interfaces", MOST_INTERFACES);
        else if (option == 'f')
            sensor.force = true;
        else if (option == 'm' && (sensor.mode = mode_of(optarg)) >= 0)
            continue;
        else if (option == 'm')
            return usage_error(&command_run, "--mode is monitor, shadow or enforce, not \"%s\"",
                               optarg);
        else if (option == 'p' && (sensor.profile = footprint_of(optarg)) >= 0)
            continue;
        else if (option == 'p')
            return usage_error(&command_run, "--profile is standard or small, not \"%s\"", optarg);
        else
            return usage_option(&command_run, option, argv);
    }
    if (optind != argc)
        return usage_error(&command_run, "unexpected argument \"%s\"", argv[optind]);
    return sensor_run(&sensor);
}

const struct command command_run = {
    "run", "the sensor, in the foreground",
    "Usage: sealdns run [-c FILE] [-i IFACE]... [--mode MODE] [--profile PROFILE]\n"
    "                   [--force]\n"
    "\n"
    "Watches the client side of a gateway, stores and tells what it sees, and in the modes shadow "
    "and\n"
    "enforce installs the policy's rules as the nftables table `inet sealdns`\n"
    "(`bridge sealdns` with `place: bridge`).\n"
    "\n"
    "  -c, --config FILE  policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "  -i, --interface I  watch this interface (several: repeat); default: the policy's, else "
    "that\n"
    "                     of the default route\n"
    "      --mode MODE    monitor (sees, installs no rule), shadow (the same rules, only "
    "counting)\n"
    "                     or enforce; default: the policy's\n"
    "      --profile P    standard, or small (128 MB for 1,000 clients); default: the policy's\n"
    "      --force        enforce without asking first whether approved resolvers answer and "
    "whether\n"
    "                     this machine would be cut off (an event says so); take a policy that has "
    "lost\n"
    "                     half of a list since a sensor last ran\n"
    "\n"
    "SIGTERM and SIGINT end it cleanly, SIGQUIT too and leaves its rules to the next one, SIGHUP "
    "reopens\n"
    "its logs, SIGUSR2 reads the policy again and keeps the old one if the new one is wrong. Needs "
    "CAP_NET_RAW, for rules CAP_NET_ADMIN.\n",
    run};
