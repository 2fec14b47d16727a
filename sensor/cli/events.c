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
#include "cli/recorded.h"
#include "cli/when.h"
#include "output/output.h"

extern const struct command command_events;

struct request {
    struct recorded source;
    const struct output_format *format;
    struct event_filter filter;
    struct addr client;
    bool follow, colour;
};

struct printing {
    const struct request *request;
    int64_t last_row;
    bool failed;
};

/* By how grave it is (ECMA-48 8.3.117): red, yellow, cyan, as it is, faint. */
static const char *colour_of(const json_t *eve)
{
    static const char *const codes[] = {"\033[2m", "\033[1;31m", "\033[33m", "\033[36m", ""};
    json_int_t severity =
        json_integer_value(json_object_get(json_object_get(eve, "alert"), "severity"));

    return codes[severity > 0 && severity < 5 ? severity : 0];
}

static bool print_line(const struct request *q, const json_t *eve, const char *line)
{
    if (!q->colour)
        return puts(line) != EOF;
    return printf("%s%s\033[0m\n", colour_of(eve), line) > 0;
}

static int print_row(void *context, const struct event_row *row)
{
    struct printing *p = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    char *line = eve ? p->request->format->render(eve) : NULL;

    p->last_row = row->row;
    p->failed |= !line || !print_line(p->request, eve, line);
    free(line);
    json_decref(eve);
    return p->failed && ferror(stdout);
}

static int print_events(struct request *q)
{
    static const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    struct printing p = {.request = q};
    int status;

    do {
        status = recorded_events(&q->source, &q->filter, print_row, &p);
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
        recorded_complain(&q->source, status);
    if (p.failed)
        log_error("an event of the store could not be rendered: `sqlite3` shows its row as it is");
    return status == SD_OK && !p.failed ? EXIT_DONE : EXIT_FAILED;
}

static int show(struct request *q)
{
    int status = recorded_open(&q->source);

    if (status != EXIT_DONE)
        return status;
    /* Followed, every revision is news; looked at once, an event is told as it stands now. */
    q->filter.all_revisions |= q->follow;
    status = print_events(q);
    recorded_close(&q->source);
    return status;
}

/* no-color.org: whoever sets NO_COLOR wants none. */
static int take_colour(struct request *q, const char *when)
{
    const char *no = getenv("NO_COLOR");

    if (strcmp(when, "auto") == 0)
        q->colour = isatty(STDOUT_FILENO) && !(no && *no);
    else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
        q->colour = *when == 'a';
    else
        return SD_EINVAL;
    return SD_OK;
}

static int take(struct request *q, int option, const char *value)
{
    switch (option) {
    case 'd':
        q->source.store = value;
        return fleet_is(value) ? SD_EINVAL : SD_OK;
    case 'S':
        q->source.store = value;
        return fleet_is(value) ? SD_OK : SD_EINVAL;
    case 'H':
        q->source.sensor = value;
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
    case 'c':
        return take_colour(q, value);
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
    static const struct option options[] = {{"db", required_argument, NULL, 'd'},
                                            {"store", required_argument, NULL, 'S'},
                                            {"sensor", required_argument, NULL, 'H'},
                                            {"since", required_argument, NULL, 's'},
                                            {"type", required_argument, NULL, 't'},
                                            {"client", required_argument, NULL, 'a'},
                                            {"severity", required_argument, NULL, 'v'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"color", required_argument, NULL, 'c'},
                                            {"follow", no_argument, NULL, 'F'},
                                            {"revisions", no_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request q = {.source.store = DEFAULT_STORE, .filter.kind = -1};
    int option, which = 0;

    q.format = output_format_named("text");
    take_colour(&q, "auto");
    while ((option = getopt_long(argc, argv, ":h", options, &which)) != -1) {
        if (option == 'h' || option == '?' || option == ':')
            return usage_option(&command_events, option, argv);
        if (take(&q, option, optarg) != SD_OK)
            return usage_error(&command_events, "--%s does not take \"%s\"", options[which].name,
                               optarg);
    }
    q.colour &= strcmp(q.format->name, "text") == 0;
    if (optind != argc)
        return usage_error(&command_events, "unexpected argument \"%s\"", argv[optind]);
    if (q.follow && fleet_is(q.source.store))
        return usage_error(&command_events, "--follow is of a sensor's own store");
    return show(&q);
}

const struct command command_events = {
    "events", "the stored events",
    "Usage: sealdns events [--since T] [--type T] [--client A] [--severity S] [--follow]\n"
    "                      [--revisions] [--format text|json|ecs|ocsf|cef] [--color WHEN]\n"
    "                      [--db FILE | --store URL [--sensor HOST]]\n"
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
    "      --color WHEN   of text: auto (default: on a terminal, without NO_COLOR), always, never\n"
    "      --db FILE      store; default " DEFAULT_STORE "\n" RECORDED_USAGE,
    run};
