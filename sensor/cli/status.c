#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "engine/control.h"

extern const struct command command_status;

static json_int_t integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_shunt(const json_t *shunt)
{
    if (json_is_true(json_object_get(shunt, "active")))
        printf("            %lld decided flows on port 443 stay in the kernel: %lld packets, %lld "
               "bytes, we saw %.1f %% of all\n",
               (long long)integer(shunt, "flows"), (long long)integer(shunt, "packets"),
               (long long)integer(shunt, "bytes"),
               100 * json_real_value(json_object_get(shunt, "share_seen")));
    else
        printf("            all of port 443 comes to us: %s\n", string(shunt, "why"));
}

static void print_interfaces(const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        printf(
            "interface   %s %s, %lld packets, %lld dropped by the kernel, %lld observations lost\n",
            string(one, "name"), json_is_true(json_object_get(one, "up")) ? "up" : "GONE",
            (long long)integer(one, "packets"), (long long)integer(one, "kernel_drops"),
            (long long)integer(one, "observations_dropped"));
        print_shunt(json_object_get(one, "shunt"));
        if (integer(one, "shedding"))
            printf("            CANNOT KEEP UP: payload on port 443%s is left out\n",
                   integer(one, "shedding") > 1 ? " and 853" : "");
    }
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void print_rules(const json_t *r)
{
    const json_t *zone;
    size_t i;

    printf("rules       %s: %lld of %lld rules, %lld of %lld elements in the kernel%s\n",
           is_true(r, "installed") ? "installed"
           : is_true(r, "opened")  ? "removed by hand"
                                   : "not installed",
           (long long)integer(r, "rules"), (long long)integer(r, "rules_wanted"),
           (long long)integer(r, "elements"), (long long)integer(r, "elements_wanted"),
           is_true(r, "drifted") ? " - NOT AS THE POLICY SAYS" : "");
    if (integer(r, "pairs"))
        printf("            %lld clients paired with a server: cut off its port 443 for a while\n",
               (long long)integer(r, "pairs"));
    if (integer(r, "rolled_back_in"))
        printf("            on trial: rolled back in %lld s, unless `sealdns rules confirm`\n",
               (long long)integer(r, "rolled_back_in"));
    if (is_true(r, "refused"))
        printf("            the policy says enforce and was refused at the start: rules only count "
               "until\n"
               "            a better one is read (`sealdns status reload`)\n");
    json_array_foreach(json_object_get(r, "zones_held"), i, zone)
        printf("            zone %s only counts: none of its approved resolvers answers\n",
               json_string_value(zone));
    json_array_foreach(json_object_get(r, "rollouts"), i, zone)
        printf("            zone %s is rolled out to %lld %% of its clients and %lld named; the "
               "others are only counted\n",
               string(zone, "zone"), (long long)integer(zone, "percent"),
               (long long)integer(zone, "clients"));
    if (is_true(r, "set_only"))
        printf("            set_only: the sets alone; rules of somebody else decide\n");
    if (*string(r, "differs"))
        printf("            %s\n", string(r, "differs"));
    if (*string(r, "since"))
        printf("            digest %s of %s, since %s\n", string(r, "digest"),
               string(r, "digest_wanted"), string(r, "since"));
    if (integer(r, "drifts"))
        printf("            found changed %lld times, put back %lld times, last %s%s\n",
               (long long)integer(r, "drifts"), (long long)integer(r, "drifts_healed"),
               *string(r, "healed_last") ? string(r, "healed_last") : "never",
               is_true(r, "fought_over") ? " - ANOTHER PROGRAM FIGHTS OVER THEM" : "");
}

static void print_blocks(const json_t *rules)
{
    const json_t *log = json_object_get(rules, "log"), *b;
    size_t i;

    if (is_true(rules, "installed") && !is_true(log, "read"))
        printf("            %s\n", integer(log, "group") ? "the log of what they cut is not read"
                                                         : "what they cut is not logged");
    json_array_foreach(json_object_get(rules, "blocks"), i, b)
    {
        printf("            %-32s %s %lld packets", string(b, "rule"),
               is_true(b, "acts") ? "cut" : "counted", (long long)integer(b, "packets"));
        if (json_object_get(b, "logged"))
            printf(", %lld of them logged", (long long)integer(b, "logged"));
        printf("\n");
    }
}

/* Those with a receiver: what it has, what waits for it, and why. */
static void print_feeds(const json_t *feeds)
{
    const json_t *f;
    size_t i;

    json_array_foreach(feeds, i, f)
    {
        if (!json_object_get(f, "told"))
            continue;
        printf("  %-10s%lld told, %lld wait, %lld lost", string(f, "id"),
               (long long)integer(f, "told"), (long long)integer(f, "waiting"),
               (long long)integer(f, "lost"));
        if (json_object_get(f, "error"))
            printf("; failing since %s: %s", string(f, "failing_since"), string(f, "error"));
        putchar('\n');
    }
}

static void print_chain(const json_t *chain)
{
    long long trespasses = (long long)integer(chain, "trespasses");

    if (json_is_true(json_object_get(chain, "signed")))
        printf("chain       signed up to row %lld", (long long)integer(chain, "row"));
    else
        printf("chain       not signed, the log says why");
    if (trespasses)
        printf("; CHANGED %lld times by somebody without the key: see sealdns verify", trespasses);
    putchar('\n');
}

static void print_text(const json_t *s)
{
    const json_t *rules = json_object_get(s, "rules"), *store = json_object_get(s, "store");
    const json_t *evidence = json_object_get(s, "evidence"), *peer = json_object_get(s, "peer");
    const json_t *outputs = json_object_get(s, "outputs"), *all = json_object_get(s, "counters");
    const char *file = string(s, "policy_file"), *key;
    const char *name = string(s, "name");
    const json_t *value;

    printf("sealdns     %s%spid %lld, mode %s, up %lld s since %s\n", name, *name ? ", " : "",
           (long long)integer(s, "pid"), string(s, "mode"), (long long)integer(s, "uptime"),
           string(s, "started"));
    printf("policy      %s (%s)\n", string(s, "policy"), *file ? file : "built in");
    printf("profile     %s, %lld flows an interface\n", string(s, "profile"),
           (long long)integer(s, "max_flows"));
    print_interfaces(json_object_get(s, "interfaces"));
    print_rules(rules);
    print_blocks(rules);
    printf("store       %s, %lld rows written, %lld failed, %lld outlived their time\n",
           string(store, "path"), (long long)integer(store, "rows"),
           (long long)integer(store, "failed"), (long long)integer(store, "expired"));
    print_chain(json_object_get(store, "chain"));
    printf("outputs     %lld lines, %lld lost\n", (long long)integer(outputs, "lines"),
           (long long)integer(outputs, "lost"));
    print_feeds(json_object_get(s, "feeds"));
    if (peer)
        printf("peer        heard %s, %lld datagrams refused, %lld not sent\n",
               json_is_string(json_object_get(peer, "heard")) ? string(peer, "heard") : "never",
               (long long)integer(peer, "refused"), (long long)integer(peer, "unsent"));
    if (evidence)
        printf("evidence    %s, %lld captures, %lld failed, %lld beyond the bounds\n",
               string(evidence, "path"), (long long)integer(evidence, "files"),
               (long long)integer(evidence, "failed"), (long long)integer(evidence, "refused"));
    json_object_foreach((json_t *)all, key, value)
    {
        if (json_integer_value(value))
            printf("  %-22s %lld\n", key, (long long)json_integer_value(value));
    }
}

static int ask(const char *socket, const char *command, bool force, bool json)
{
    json_t *request = json_pack("{s:s,s:b}", "command", command, "force", force);
    json_t *reply = control_ask(socket, request, 15000);
    bool ok = json_is_true(json_object_get(reply, "ok"));

    json_decref(request);
    if (!reply) {
        log_error(access(socket, W_OK) != 0 && errno == EACCES
                      ? "%s: not permitted to ask: root and the socket's group may"
                      : "nobody answers on %s: is `sealdns run` running? (--socket PATH)",
                  socket);
        return EXIT_FAILED;
    }
    if (!ok)
        log_error("%s", string(reply, "error"));
    else if (json)
        json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    else if (strcmp(command, "status") == 0)
        print_text(reply);
    else
        printf("%s", string(reply, "message"));
    if (ok && (json || strcmp(command, "status") != 0))
        putchar('\n');
    json_decref(reply);
    return ok && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"force", no_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *socket = DEFAULT_SOCKET, *command = "status";
    bool json = false, force = false;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 's')
            socket = optarg;
        else if (option == 'f' && (strcmp(optarg, "json") == 0 || strcmp(optarg, "text") == 0))
            json = strcmp(optarg, "json") == 0;
        else if (option == 'f')
            return usage_error(&command_status, "--format is text or json, not \"%s\"", optarg);
        else if (option == 'o')
            force = true;
        else
            return usage_option(&command_status, option, argv);
    }
    if (optind < argc && strcmp(argv[optind], "reload") == 0) {
        command = "reload";
        optind++;
    }
    if (optind != argc)
        return usage_error(&command_status, "unexpected argument \"%s\"", argv[optind]);
    if (force && strcmp(command, "reload") != 0)
        return usage_error(&command_status, "--force goes with reload");
    return ask(socket, command, force, json);
}

const struct command command_status = {
    "status", "the running sensor: what it sees, what it lost, what is installed",
    "Usage: sealdns status [--socket PATH] [--format text|json]\n"
    "       sealdns status reload [--force] [--socket PATH]\n"
    "\n"
    "Asks the running sensor. `reload` makes it read its policy again; a wrong one is refused and\n"
    "the old one stays. So is one that has lost half of a list (resolvers, zones, networks, or "
    "the\n"
    "catalogue's) against the old one, unless `--force` says that this is meant.\n"
    "\n"
    "      --socket PATH  control socket; default " DEFAULT_SOCKET "\n"
    "      --format F     text (default) or json\n",
    run};
