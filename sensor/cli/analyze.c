#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/pages.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/events.h"
#include "engine/gateway.h"
#include "engine/privacy.h"
#include "output/output.h"
#include "store/store.h"

extern const struct command command_analyze;

struct analysis {
    const char *config, *db;
    bool json, one_thread;
    size_t conversations;
    int profile; /* -1: as the policy says */
    struct policy *policy;
    struct event_list *events;
    struct store *store;
    struct privacy *privacy; /* where there is a store */
    bool failed;             /* memory or the store failed: told once, at the end exit 1 */
    double begun, shown;     /* seconds of the clock; shown: when progress was, 0: never */
};

static void complain(struct analysis *a, int status)
{
    if (status != SD_OK && !a->failed)
        log_error("results are incomplete: %s", sd_strerror(status));
    a->failed |= status != SD_OK;
}

/* As the policy wants clients named in a store. */
static void keep(struct analysis *a, const struct record *r, const char *line)
{
    const struct record *named = privacy_record(a->privacy, r, PRIVACY_STORE);
    char *other = NULL;

    if (named && named != r && r->kind == RECORD_EVENT)
        other = eve_render(named, a->policy);
    if (named)
        complain(a, store_write(a->store, named, other ? other : line));
    free(other);
}

/* Events are kept to the end: document and store tell each once, as it then stands. */
static int put_record(void *context, const struct record *r)
{
    struct analysis *a = context;

    if (r->kind == RECORD_EVENT)
        complain(a, event_list_add(a->events, r));
    else if (a->store && r->kind == RECORD_MARK)
        complain(a, store_commit(a->store));
    else if (a->store && (r->kind != RECORD_QUERY || a->policy->query_log.store))
        keep(a, r, NULL);
    return SD_OK;
}

static void store_events_of(struct analysis *a)
{
    const struct record *r;

    for (size_t i = 0; a->store && (r = event_list_at(a->events, i)) != NULL; i++) {
        char *line = eve_render(r, a->policy);

        complain(a, line ? SD_OK : SD_EMEM);
        if (line)
            keep(a, r, line);
        free(line);
    }
    if (a->store)
        complain(a, store_commit(a->store));
}

static void print_notice(const char *line)
{
    log_warning("%s", line);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_progress(void *context, const struct offline_progress *p)
{
    struct analysis *a = context;
    double now = seconds(), passed = now - a->begun;
    double part = p->size > 0 ? (double)p->read / (double)p->size : 0;

    if (now - a->shown < 0.2 || passed <= 0)
        return; /* drawn more often it is only slower */
    a->shown = now;
    fprintf(stderr, "\r");
    if (part > 0)
        fprintf(stderr, "[%-30.*s] %3d%% ", (int)(part * 30), "##############################",
                (int)(part * 100));
    fprintf(stderr, "%llu packets, %.0f/s, %.1f MB/s", (unsigned long long)p->frames,
            (double)p->frames / passed, (double)p->octets / passed / 1e6);
    if (part > 0)
        fprintf(stderr, ", %.0f s left", passed / part - passed);
    fprintf(stderr, "\033[K");
}

static int open_store(struct analysis *a)
{
    struct store_options options = {
        .path = a->db, .host = a->policy->name, .now = clock_now(), .report = true};
    char error[STORE_ERROR] = "";

    if (a->policy->profile != PROFILE_STANDARD)
        options.cache = bounds_of(a->policy->profile)->store;
    if (!a->db)
        return EXIT_DONE;
    if (privacy_open(a->policy, clock_now(), &a->privacy, error) == SD_OK &&
        store_open(&options, &a->store, error) == SD_OK)
        return EXIT_DONE;
    log_error("%s", error);
    return EXIT_FAILED;
}

static int write_document(struct analysis *a, const struct offline_result *result, size_t files)
{
    struct document d = {
        .policy = a->policy, .result = result, .files = files, .events = a->events};
    int status = a->json ? document_json(&d, stdout) : document_text(&d, stdout);

    if (fflush(stdout) != 0)
        status = SD_EIO;
    if (status != SD_OK)
        log_error("cannot write the result: %s", sd_strerror(status));
    return status == SD_OK ? EXIT_DONE : EXIT_FAILED;
}

static int run_files(struct analysis *a, char **paths, size_t count)
{
    struct offline options = {.policy = a->policy,
                              .bounds = bounds_of_policy(a->policy),
                              .one_thread = a->one_thread,
                              .sink = {put_record, a},
                              .progress_context = a};
    struct offline_result result;
    char error[OFFLINE_ERROR] = "";
    int status;

    a->begun = seconds();
    if (a->conversations)
        options.bounds.conversations = a->conversations;
    if (isatty(STDERR_FILENO))
        options.progress = print_progress;
    status = offline_run(&options, paths, count, print_notice, &result, error);
    if (a->shown > 0)
        fprintf(stderr, "\r\033[K");
    if (status != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    store_events_of(a);
    status = write_document(a, &result, count);
    back_destroy(result.back);
    return a->failed ? EXIT_FAILED : status;
}

static int analyze(struct analysis *a, char **paths, size_t count)
{
    int status = load_policy(a->config, NULL, 0, 0, &a->policy);

    if (status != EXIT_DONE)
        return status;
    if (a->profile >= 0)
        a->policy->profile = (enum footprint)a->profile;
    if (a->policy->profile == PROFILE_SMALL)
        pages_stay_small();
    a->events = event_list_create();
    status = a->events ? open_store(a) : EXIT_FAILED;
    if (!a->events)
        log_error("%s", sd_strerror(SD_EMEM));
    if (status == EXIT_DONE)
        status = run_files(a, paths, count);
    store_close(a->store);
    privacy_close(a->privacy);
    event_list_destroy(a->events);
    policy_destroy(a->policy);
    return status;
}

static int number(const char *text, size_t *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value == 0 || value > 16777216)
        return SD_EINVAL;
    *out = value;
    return SD_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"format", required_argument, NULL, 'f'},
        {"db", required_argument, NULL, 'd'},     {"conversations", required_argument, NULL, 'n'},
        {"one-thread", no_argument, NULL, '1'},   {"profile", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct analysis a = {.profile = -1};
    int option;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            a.config = optarg;
        else if (option == 'd')
            a.db = optarg;
        else if (option == '1')
            a.one_thread = true;
        else if (option == 'f' && (strcmp(optarg, "json") == 0 || strcmp(optarg, "text") == 0))
            a.json = strcmp(optarg, "json") == 0;
        else if (option == 'f')
            return usage_error(&command_analyze, "--format is text or json, not \"%s\"", optarg);
        else if (option == 'n' && number(optarg, &a.conversations) == SD_OK)
            continue;
        else if (option == 'n')
            return usage_error(&command_analyze, "--conversations is a number from 1 to 16777216");
        else if (option == 'p' && (a.profile = footprint_of(optarg)) >= 0)
            continue;
        else if (option == 'p')
            return usage_error(&command_analyze, "--profile is standard or small, not \"%s\"",
                               optarg);
        else
            return usage_option(&command_analyze, option, argv);
    }
    if (optind == argc)
        return usage_error(&command_analyze, "no capture file named");
    return analyze(&a, argv + optind, (size_t)(argc - optind));
}

const struct command command_analyze = {
    "analyze", "the same pipeline over capture files",
    "Usage: sealdns analyze [-c FILE] [--format text|json] [--db FILE] [--conversations N]\n"
    "                       [--profile PROFILE] [--one-thread] CAPTURE...\n"
    "\n"
    "Reads pcap and pcapng files (- is standard input), also packed by gzip, zstd or lz4 whatever\n"
    "they are called, in the order of their packets, and prints what the sensor would have seen.\n"
    "Time comes from the packets; this machine is not looked at. The same input gives the same\n"
    "output.\n"
    "\n"
    "  -c, --config FILE      policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --format FORMAT    text (default) or json, one document\n"
    "      --db FILE          keep events and conversations in this SQLite store as well\n"
    "      --conversations N  at most N conversations; the least active are counted as omitted\n"
    "      --profile P        standard, or small (little memory); default: the policy's\n"
    "      --one-thread       all in one thread: less processor time in all, more by the clock\n",
    run};
