#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/recorded.h"
#include "cli/when.h"
#include "enforce/enforce.h"
#include "engine/gateway.h"
#include "engine/plan_document.h"

extern const struct command command_plan;

struct request {
    const char *config;
    struct recorded source;
    bool json, shown; /* shown: a line stands on the terminal */
    struct rehearsal of;
};

/* What could not be enforced is no plan. */
static int check_rules(const struct request *q)
{
    char error[ENFORCE_ERROR] = "";
    struct ruleset *rules;

    if (ruleset_compile(q->of.policy, MODE_ENFORCE, q->of.now, &rules, error) != SD_OK) {
        log_error("this policy cannot be enforced: %s", error);
        return EXIT_USAGE;
    }
    ruleset_destroy(rules);
    return EXIT_DONE;
}

static int load(struct request *q)
{
    struct addr *gateway = NULL;
    size_t count = 0;
    int status;

    if (gateway_addresses(&gateway, &count) != SD_OK) {
        log_error("cannot read the addresses of this machine");
        return EXIT_FAILED;
    }
    status = load_policy(q->config, gateway, count, q->of.now, &q->of.policy);
    free(gateway);
    return status == EXIT_DONE ? check_rules(q) : status;
}

static void show_progress(void *context, uint64_t rows)
{
    struct request *q = context;

    fprintf(stderr, "\r%" PRIu64 " hours of conversations ", rows);
    q->shown = true;
}

static int replay(struct request *q)
{
    struct rehearsal_source rows = recorded_rehearsal(&q->source);
    int status;

    q->of.context = q;
    if (isatty(STDERR_FILENO))
        q->of.progress = show_progress;
    status = rehearse(&q->of, &rows);
    if (q->shown)
        fprintf(stderr, "\r\033[K");
    return status;
}

static int open_and_replay(struct request *q)
{
    int status = recorded_open(&q->source);

    if (status != EXIT_DONE)
        return status;
    status = replay(q);
    if (status != SD_OK)
        recorded_complain(&q->source, status);
    recorded_close(&q->source);
    return status == SD_OK ? EXIT_DONE : EXIT_FAILED;
}

static int print(const struct request *q)
{
    struct plan_document d = {.policy = q->of.policy,
                              .plan = q->of.plan,
                              .file = q->config ? q->config : "the policy",
                              .store = q->source.store,
                              .hosts = q->of.hosts,
                              .moved = q->of.moved,
                              .since = q->of.since,
                              .until = q->of.now};
    int status = q->json ? plan_json(&d, stdout) : plan_text(&d, stdout);

    if (fflush(stdout) == 0 && status == SD_OK)
        return EXIT_DONE;
    log_error("cannot write the plan");
    return EXIT_FAILED;
}

static int plan(struct request *q)
{
    int status = load(q);

    if (status == EXIT_DONE) {
        if (!q->source.store)
            q->source.store = q->of.policy->store_path;
        status = open_and_replay(q);
    }
    if (status == EXIT_DONE)
        status = print(q);
    rehearsal_finish(&q->of);
    policy_destroy(q->of.policy);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"since", required_argument, NULL, 's'},
        {"db", required_argument, NULL, 'd'},     {"format", required_argument, NULL, 'f'},
        {"store", required_argument, NULL, 'S'},  {"sensor", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct request q = {.of.now = clock_now()};
    int option;

    q.of.since = q.of.now - 7 * 86400 * NSEC_S;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            q.config = optarg;
        else if ((option == 'd' || option == 'S') && fleet_is(optarg) != (option == 'S'))
            return usage_error(&command_plan, "--db takes a file, --store clickhouse://...");
        else if (option == 'd' || option == 'S')
            q.source.store = optarg;
        else if (option == 'H')
            q.source.sensor = optarg;
        else if (option == 's' && when_parse(optarg, &q.of.since) != SD_OK)
            return usage_error(&command_plan, "--since does not take \"%s\"", optarg);
        else if (option == 'f' && strcmp(optarg, "json") != 0 && strcmp(optarg, "text") != 0)
            return usage_error(&command_plan, "--format is text or json, not \"%s\"", optarg);
        else if (option == 'f')
            q.json = strcmp(optarg, "json") == 0;
        else if (option != 's')
            return usage_option(&command_plan, option, argv);
    }
    if (optind != argc)
        return usage_error(&command_plan, "unexpected argument \"%s\"", argv[optind]);
    return plan(&q);
}

const struct command command_plan = {
    "plan", "what a new policy would have cut of what was recorded, and who would go dark",
    "Usage: sealdns plan [-c NEW] [--since T] [--format text|json]\n"
    "                    [--db FILE | --store URL [--sensor HOST]]\n"
    "\n"
    "Holds the recorded conversations against the policy as if it had been enforced: which "
    "clients,\n"
    "resolvers and names of which zone lose what, as clear text or as an unapproved resolver; what "
    "is\n"
    "redirected, and what passes by an exception alone; and which clients would go dark, because "
    "nothing\n"
    "that stays was ever seen to answer them. Only what was answered can be lost. Nothing is "
    "changed.\n"
    "\n"
    "  -c, --config NEW   the policy to try; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --since T      not before T: 15m, 6h, 7d (default), or 2026-01-31, "
    "2026-01-31T12:00:00Z\n"
    "      --format F     text (default) or json, one document\n"
    "      --db FILE      store; default: the policy's, " DEFAULT_STORE "\n" RECORDED_USAGE,
    run};
