#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/when.h"
#include "output/output.h"
#include "store/store.h"

extern const struct command command_events;

struct request {
    const char *db;
    const struct output_format *format;
    struct event_filter filter;
    struct addr client;
    bool follow;
};

struct printing {
    const struct request *request;
    int64_t last_row;
    bool failed;
};

static int print_row(void *context, const struct event_row *row)
{
    struct printing *p = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    char *line = eve ? p->request->format->render(eve) : NULL;

    p->last_row = row->row;
    p->failed |= !line || puts(line) == EOF;
    free(line);
    json_decref(eve);
    return p->failed && ferror(stdout);
}

static int print_events(struct store_reader *r, struct request *q)
{
    static const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    struct printing p = {.request = q};
    int status;

    do {
        status = store_events(r, &q->filter, print_row, &p);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            log_error("cannot write the events: %s", strerror(errno));
            return EXIT_FAILED;
        }
        if (p.last_row)
            q->filter.after_row = p.last_row;
        if (q->follow)
            nanosleep(&pause, NULL);
    } while (status == SD_OK && q->follow);
    if (status != SD_OK)
        log_error("cannot read the store: %s", sd_strerror(status));
    if (p.failed)
        log_error("an event of the store could not be rendered: `sqlite3` shows its row as it is");
    return status == SD_OK && !p.failed ? EXIT_DONE : EXIT_FAILED;
}

static int show(struct request *q)
{
    struct store_reader *r;
    char error[STORE_ERROR] = "";
    int status;

    if (store_reader_open(q->db, &r, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    /* Followed, every revision is news; looked at once, an event is told as it stands now. */
    q->filter.all_revisions |= q->follow;
    status = print_events(r, q);
    store_reader_close(r);
    return status;
}

static int take(struct request *q, int option, const char *value)
{
    switch (option) {
    case 'd':
        q->db = value;
        return SD_OK;
    case 'f':
        q->format = output_format_named(strcmp(value, "json") == 0 ? "eve" : value);
        return q->format ? SD_OK : SD_EINVAL;
    case 's':
        return when_parse(value, &q->filter.since);
    case 't':
        q->filter.kind = kind_of(value);
        return q->filter.kind >= 0 ? SD_OK : SD_EINVAL;
    case 'v':
        q->filter.severity = severity_of(value);
        return q->filter.severity > 0 ? SD_OK : SD_EINVAL;
    case 'a':
        q->filter.client = &q->client;
        return addr_parse(value, &q->client);
    case 'F':
        q->follow = true;
        return SD_OK;
    default:
        q->filter.all_revisions = true;
        return SD_OK;
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"db", required_argument, NULL, 'd'},       {"since", required_argument, NULL, 's'},
        {"type", required_argument, NULL, 't'},     {"client", required_argument, NULL, 'a'},
        {"severity", required_argument, NULL, 'v'}, {"format", required_argument, NULL, 'f'},
        {"follow", no_argument, NULL, 'F'},         {"revisions", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},           {0}};
    struct request q = {.db = DEFAULT_STORE, .filter.kind = -1};
    int option, which = 0;

    q.format = output_format_named("text");
    while ((option = getopt_long(argc, argv, ":h", options, &which)) != -1) {
        if (option == 'h' || option == '?' || option == ':')
            return usage_option(&command_events, option, argv);
        if (take(&q, option, optarg) != SD_OK)
            return usage_error(&command_events, "--%s does not take \"%s\"", options[which].name,
                               optarg);
    }
    if (optind != argc)
        return usage_error(&command_events, "unexpected argument \"%s\"", argv[optind]);
    return show(&q);
}

const struct command command_events = {
    "events", "the stored events",
    "Usage: sealdns events [--since T] [--type T] [--client A] [--severity S] [--follow]\n"
    "                      [--revisions] [--format text|json|ecs|ocsf|cef] [--db FILE]\n"
    "\n"
    "Prints the events of the store, one a line, each as it stands now.\n"
    "\n"
    "      --since T      not before T: 15m, 6h, 7d, or 2026-01-31, 2026-01-31T12:00:00Z\n"
    "      --type T       of this kind: cleartext, downgrade, unapproved-resolver, ...\n"
    "      --client A     of this client address\n"
    "      --severity S   at least as grave: high, medium, low, informational\n"
    "      --follow       go on as events come, every revision\n"
    "      --revisions    every revision of each event\n"
    "      --format F     text (default), json (EVE), ecs, ocsf or cef\n"
    "      --db FILE      store; default " DEFAULT_STORE "\n",
    run};
