#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/pseudonym.h"
#include "cli/command.h"
#include "engine/gateway.h"

extern const struct command command_pseudonym;

/* Every network of the zones. */
static struct prefix *networks_of(const struct policy *p, size_t *count)
{
    size_t most = 0;
    struct prefix *list;

    for (size_t z = 0; z < p->zone_count; z++)
        most += p->zones[z].network_count;
    list = calloc(most + 1, sizeof *list);
    *count = 0;
    for (size_t z = 0; list && z < p->zone_count; z++)
        for (size_t i = 0; i < p->zones[z].network_count; i++)
            list[(*count)++] = p->zones[z].networks[i];
    return list;
}

static int resolve(const struct pseudonyms *names, const struct policy *p, const struct addr *a)
{
    struct prefix *networks;
    char text[ADDR_TEXT];
    struct addr real;
    size_t count;
    int status = SD_EMEM;

    networks = networks_of(p, &count);
    if (networks)
        status = pseudonym_resolve(names, a, networks, count, &real);
    free(networks);
    if (status == SD_OK)
        printf("%s\n", addr_text(&real, text));
    else
        log_error("nobody in the IPv4 networks of the zones: its key is gone, or it is an IPv6 "
                  "address, of which `sealdns pseudonym ADDRESS` shows whose it is");
    return status == SD_OK ? EXIT_DONE : EXIT_FAILED;
}

static int tell(const struct policy *p, const struct addr *a)
{
    struct pseudonyms *names = NULL;
    struct addr made[PSEUDONYM_KEYS];
    char error[PSEUDONYM_ERROR] = "the policy names no `privacy: {key: FILE}`", text[ADDR_TEXT];
    int status = EXIT_DONE;

    if (!p->privacy.key[0] || pseudonyms_read(p->privacy.key, &names, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    if (pseudonym_is(names, a)) {
        status = resolve(names, p, a);
    } else {
        size_t count = pseudonyms_of(names, a, made);

        for (size_t i = 0; i < count; i++)
            printf("%s\n", addr_text(&made[i], text));
    }
    pseudonyms_close(names);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *config = NULL;
    struct policy *p;
    struct addr a;
    int option, status;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option != 'c')
            return usage_option(&command_pseudonym, option, argv);
        config = optarg;
    }
    if (optind + 1 != argc)
        return usage_error(&command_pseudonym, "one address is wanted");
    if (addr_parse(argv[optind], &a) != SD_OK)
        return usage_error(&command_pseudonym, "\"%s\" is no address", argv[optind]);
    status = load_policy(config, NULL, 0, clock_now(), &p);
    if (status != EXIT_DONE)
        return status;
    status = tell(p, &a);
    policy_destroy(p);
    return status;
}

const struct command command_pseudonym = {
    "pseudonym", "a client's pseudonym, and whose one is",
    "Usage: sealdns pseudonym ADDRESS [-c FILE]\n"
    "\n"
    "Of a client's address prints the pseudonyms by the keys that live, the present one first. Of "
    "a\n"
    "pseudonym prints the address, tried out over the IPv4 networks of the zones. Whoever may "
    "read\n"
    "the key of the policy's `privacy` can do it, while the key lives.\n"
    "\n"
    "  -c, --config FILE  policy; default " DEFAULT_CONFIG " or the built-in one\n",
    run};
