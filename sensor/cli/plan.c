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
#include "cli/plan_document.h"
#include "cli/when.h"
#include "enforce/enforce.h"
#include "engine/gateway.h"
#include "store/store.h"

extern const struct command command_plan;

enum { MOVED_MOST = 64 };

struct request {
    const char *config, *db;
    nsec_t since, now;
    bool json;
    struct policy *policy;
    struct plan *plan;
    size_t moved; /* addresses of the gateway that only the record knows */
    char **hosts; /* by machine */
    size_t machines, machine_room;
    bool progress, shown; /* a line stands on the terminal */
    uint64_t rows;
};

static int take_row(void *context, const struct history_row *row)
{
    struct request *q = context;

    if (q->progress && ++q->rows % 262144 == 0) {
        fprintf(stderr, "\r%" PRIu64 " hours of conversations ", q->rows);
        q->shown = true;
    }
    return plan_take(q->plan, row);
}

static void free_hosts(struct request *q)
{
    for (size_t i = 0; i < q->machines; i++)
        free(q->hosts[i]);
    q->machines = 0;
}

static int add_host(struct request *q, const char *host)
{
    if (q->machines == q->machine_room) {
        size_t room = q->machine_room ? q->machine_room * 2 : 256;
        char **grown = realloc(q->hosts, room * sizeof *grown);

        if (!grown)
            return SD_EMEM;
        q->hosts = grown;
        q->machine_room = room;
    }
    q->hosts[q->machines] = host ? strdup(host) : NULL;
    return q->hosts[q->machines++] || !host ? SD_OK : SD_EMEM;
}

/* A machine's row of the memory: all its addresses, with a blank between. */
static int take_machine(void *context, const struct memory_row *row)
{
    struct request *q = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char *list = strdup(json_string_value(json_object_get(o, "addresses")) ?: ""), *rest = list;
    uint32_t machine = (uint32_t)q->machines;
    int status = list ? add_host(q, json_string_value(json_object_get(o, "host"))) : SD_EMEM;

    for (char *word; status == SD_OK && (word = strsep(&rest, " ")) != NULL;) {
        struct addr a;

        if (addr_parse(word, &a) == SD_OK)
            status = plan_machine(q->plan, &a, machine);
    }
    free(list);
    json_decref(o);
    return status;
}

static int take_blocked(void *context, const struct blocked_row *row)
{
    struct request *q = context;
    struct addr client, server;

    if (addr_parse(row->client, &client) != SD_OK || addr_parse(row->server, &server) != SD_OK)
        return SD_OK;
    return plan_blocked(q->plan, &client, &server, row->cleartext);
}

/* What could not be enforced is no plan. */
static int check_rules(const struct request *q)
{
    char error[ENFORCE_ERROR] = "";
    struct ruleset *rules;

    if (ruleset_compile(q->policy, MODE_ENFORCE, q->now, &rules, error) != SD_OK) {
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
    status = load_policy(q->config, gateway, count, q->now, &q->policy);
    free(gateway);
    return status == EXIT_DONE ? check_rules(q) : status;
}

static int read_store(struct request *q, struct store_reader *r)
{
    struct history_sink sink = {take_row, q};
    int status;

    q->rows = 0;
    free_hosts(q);
    q->progress = isatty(STDERR_FILENO);
    status = store_history(r, q->since, &sink);
    if (q->shown)
        fprintf(stderr, "\r\033[K");
    if (status == SD_OK)
        status = store_blocked(r, q->since, take_blocked, q);
    if (status == SD_OK)
        status = store_memory(r, "client", NULL, take_machine, q);
    return status;
}

static int begin(struct request *q)
{
    q->plan = plan_create(q->policy, q->now, (uint64_t)q->now);
    return q->plan ? SD_OK : SD_EMEM;
}

/* The store of another machine, or of this one before it was given other addresses: what its
 * clients asked it must not look as if they asked a stranger. Nobody else has this policy yet. */
static int begin_again(struct request *q, const struct addr *moved)
{
    struct policy *p = q->policy;
    struct addr *all = realloc(p->gateway, (p->gateway_count + q->moved) * sizeof *all);
    int status;

    if (!all)
        return SD_EMEM;
    memcpy(all + p->gateway_count, moved, q->moved * sizeof *all);
    p->gateway = all;
    p->gateway_count += q->moved;
    if ((status = policy_compile(p)) != SD_OK)
        return status;
    plan_destroy(q->plan);
    return begin(q);
}

static int replay(struct request *q, struct store_reader *r)
{
    struct addr moved[MOVED_MOST];
    int status = begin(q);

    if (status == SD_OK)
        status = read_store(q, r);
    if (status != SD_OK)
        return status;
    q->moved = plan_gateways(q->plan, moved, MOVED_MOST);
    if (q->moved)
        status = begin_again(q, moved);
    if (q->moved && status == SD_OK)
        status = read_store(q, r);
    return status == SD_OK ? plan_settle(q->plan) : status;
}

static int open_and_replay(struct request *q)
{
    char error[STORE_ERROR] = "";
    struct store_reader *r;
    int status;

    if (store_reader_open(q->db, &r, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    status = replay(q, r);
    store_reader_close(r);
    if (status == SD_OK)
        return EXIT_DONE;
    log_error("cannot read the store %s: %s", q->db, sd_strerror(status));
    return EXIT_FAILED;
}

static int print(const struct request *q)
{
    struct plan_document d = {.policy = q->policy,
                              .plan = q->plan,
                              .file = q->config ? q->config : "the policy",
                              .store = q->db,
                              .hosts = q->hosts,
                              .moved = q->moved,
                              .since = q->since,
                              .until = q->now};
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
        if (!q->db)
            q->db = q->policy->store_path;
        status = open_and_replay(q);
    }
    if (status == EXIT_DONE)
        status = print(q);
    plan_destroy(q->plan);
    policy_destroy(q->policy);
    free_hosts(q);
    free(q->hosts);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"since", required_argument, NULL, 's'},
        {"db", required_argument, NULL, 'd'},     {"format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct request q = {.now = clock_now()};
    int option;

    q.since = q.now - 7 * 86400 * NSEC_S;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            q.config = optarg;
        else if (option == 'd')
            q.db = optarg;
        else if (option == 's' && when_parse(optarg, &q.since) != SD_OK)
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
    "Usage: sealdns plan [-c NEW] [--since T] [--format text|json] [--db FILE]\n"
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
    "      --db FILE      store; default: the policy's, " DEFAULT_STORE "\n",
    run};
