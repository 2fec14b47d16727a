#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/signing.h"
#include "cli/command.h"
#include "cli/recorded.h"
#include "cli/send.h"
#include "cli/when.h"
#include "conf/controls.h"
#include "engine/gateway.h"
#include "report/manifest.h"
#include "report/report.h"

extern const struct command command_report;

#define DAY (86400 * NSEC_S)

struct request {
    const char *config, *out, *key, *check;
    struct recorded source; /* store NULL: the policy's */
    char beside[4096];      /* the store: its key */
    const char *mail[MAIL_ADDRESSES], *sendmail;
    size_t mail_count;
    const struct report_format *format;
    struct report_request ask;
    struct policy *policy;
    struct controls *controls;
};

/* Mondays are as many days behind the epoch's as there are weeks in it, and four. */
static nsec_t monday_before(nsec_t t)
{
    nsec_t days = t / DAY;

    return (days - (days + 3) % 7) * DAY;
}

static nsec_t month_of(nsec_t t, int ago)
{
    time_t seconds = (time_t)(t / NSEC_S);
    struct tm date;

    gmtime_r(&seconds, &date);
    date = (struct tm){.tm_year = date.tm_year, .tm_mon = date.tm_mon - ago, .tm_mday = 1};
    return (nsec_t)timegm(&date) * NSEC_S;
}

/* Whole periods have both ends. */
static int take_from(struct request *q, const char *value)
{
    if (strcmp(value, "last-week") == 0) {
        q->ask.to = monday_before(q->ask.now);
        q->ask.from = q->ask.to - 7 * DAY;
    } else if (strcmp(value, "last-month") == 0) {
        q->ask.to = month_of(q->ask.now, 0);
        q->ask.from = month_of(q->ask.now, 1);
    } else {
        return when_parse(value, &q->ask.from);
    }
    return SD_OK;
}

static int write_report(const struct request *q, const json_t *report, FILE *to)
{
    int status = q->format->write(report, to);

    if (fflush(to) != 0 && status == SD_OK)
        status = SD_EIO;
    return status;
}

/* By way of a temporary name: nobody sees half of a report. */
static int write_file(const struct request *q, const json_t *report)
{
    char part[4096];
    FILE *to;
    int status;

    if (snprintf(part, sizeof part, "%s.part", q->out) >= (int)sizeof part)
        return SD_ELIMIT;
    if (!(to = fopen(part, "we")))
        return SD_EIO;
    status = write_report(q, report, to);
    if (fsync(fileno(to)) != 0 || fclose(to) != 0)
        status = SD_EIO;
    if (status == SD_OK && rename(part, q->out) != 0)
        status = SD_EIO;
    if (status != SD_OK && unlink(part) != 0)
        log_warning("%s is left: %s", part, strerror(errno));
    return status;
}

/* A report that cannot be signed is a report all the same, and it is said. */
static void sign(const struct request *q, const json_t *report)
{
    char error[MANIFEST_ERROR] = "";
    int64_t last = q->source.reader ? store_last_row(q->source.reader) : 0;

    if (manifest_write(q->out, q->key, report, q->format->name, last, error) != SD_OK)
        log_warning("the report is not signed: %s (--key FILE)", error);
}

static int make(struct request *q)
{
    struct report_source source = recorded_report(&q->source);
    json_t *report = NULL;
    int status = report_make(&source, &q->ask, &report), sent;

    if (status != SD_OK) {
        recorded_complain(&q->source, status);
        return EXIT_FAILED;
    }
    status = q->out ? write_file(q, report) : write_report(q, report, stdout);
    if (status == SD_OK && q->out)
        sign(q, report);
    sent = status == SD_OK && q->mail_count
               ? send_report(q->sendmail, report, q->mail, q->mail_count, q->out, q->format)
               : EXIT_DONE;
    json_decref(report);
    if (status == SD_OK)
        return sent;
    log_error("cannot write %s: %s", q->out ? q->out : "the report",
              errno ? strerror(errno) : sd_strerror(status));
    return EXIT_FAILED;
}

/* installation.key in the store's folder, unless another one is given. */
static void find_key(struct request *q, const char *store)
{
    signing_beside(store, q->beside, sizeof q->beside);
    if (!q->key)
        q->key = q->beside;
}

static int check(struct request *q)
{
    char error[MANIFEST_ERROR] = "";

    find_key(q, q->source.store && !fleet_is(q->source.store) ? q->source.store : DEFAULT_STORE);
    if (manifest_check(q->check, q->key, stdout, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Whose report it is: the policy's sensor, or those of a fleet. */
static void name_host(struct request *q)
{
    char *name = q->policy->name;
    size_t size = sizeof q->policy->name;

    if (fleet_is(q->source.store))
        snprintf(name, size, "%s", q->source.sensor ? q->source.sensor : q->source.store);
    else if (!name[0] && gethostname(name, size - 1) != 0)
        snprintf(name, size, "gateway");
}

static int report(struct request *q)
{
    struct addr *gateway = NULL;
    size_t count = 0;
    int status;

    if (gateway_addresses(&gateway, &count) != SD_OK) {
        log_error("cannot read the addresses of this machine");
        return EXIT_FAILED;
    }
    status = load_policy(q->config, gateway, count, q->ask.now, &q->policy);
    free(gateway);
    if (status != EXIT_DONE)
        return status;
    if (!q->source.store)
        q->source.store = q->policy->store_path;
    name_host(q);
    q->ask.policy = q->policy;
    if (controls_load(CONTROLS_FOLDER, stderr, &q->controls) != SD_OK)
        log_warning("the report is made without controls");
    q->ask.controls = q->controls;
    find_key(q, fleet_is(q->source.store) ? q->policy->store_path : q->source.store);
    status = recorded_open(&q->source);
    if (status == EXIT_DONE)
        status = make(q);
    recorded_close(&q->source);
    controls_free(q->controls);
    policy_destroy(q->policy);
    return status;
}

static int take(struct request *q, int option, const char *value)
{
    switch (option) {
    case 'c':
        q->config = value;
        return SD_OK;
    case 'd':
    case 's':
        q->source.store = value;
        return fleet_is(value) == (option == 's') ? SD_OK : SD_EINVAL;
    case 'H':
        q->source.sensor = value;
        return SD_OK;
    case 'o':
        q->out = value;
        return SD_OK;
    case 'k':
        q->key = value;
        return SD_OK;
    case 'C':
        q->check = value;
        return SD_OK;
    case 'S':
        q->sendmail = value;
        return SD_OK;
    case 'm':
        if (q->mail_count == MAIL_ADDRESSES || !mail_address_is_plain(value))
            return SD_EINVAL;
        q->mail[q->mail_count++] = value;
        return SD_OK;
    case 'F':
        return take_from(q, value);
    case 'T':
        return when_parse(value, &q->ask.to);
    default:
        q->format = report_format_named(value);
        return q->format ? SD_OK : SD_EINVAL;
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"db", required_argument, NULL, 'd'},
        {"from", required_argument, NULL, 'F'},   {"to", required_argument, NULL, 'T'},
        {"format", required_argument, NULL, 'f'}, {"output", required_argument, NULL, 'o'},
        {"key", required_argument, NULL, 'k'},    {"check", required_argument, NULL, 'C'},
        {"mail", required_argument, NULL, 'm'},   {"sendmail", required_argument, NULL, 'S'},
        {"store", required_argument, NULL, 's'},  {"sensor", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct request q = {.ask.now = clock_now(), .sendmail = DEFAULT_SENDMAIL};
    int option, which = -1;

    q.format = report_format_named("text");
    while ((option = getopt_long(argc, argv, ":c:o:h", options, &which)) != -1) {
        if (option == 'h' || option == '?' || option == ':')
            return usage_option(&command_report, option, argv);
        if (take(&q, option, optarg) != SD_OK)
            return usage_error(&command_report, "--%s does not take \"%s\"", options[which].name,
                               optarg);
    }
    if (optind != argc)
        return usage_error(&command_report, "unexpected argument \"%s\"", argv[optind]);
    if (q.check)
        return check(&q);
    if (!q.ask.from && take_from(&q, "last-week") != SD_OK)
        return EXIT_FAILED;
    if (!q.ask.to)
        q.ask.to = q.ask.now;
    if (q.mail_count && !q.out)
        return usage_error(&command_report, "--mail needs -o FILE: what is attached");
    if (q.ask.from >= q.ask.to)
        return usage_error(&command_report, "--from must be before --to");
    if (!q.out && isatty(STDOUT_FILENO) && strcmp(q.format->name, "pdf") == 0)
        return usage_error(&command_report, "a PDF is not for a terminal: -o FILE");
    return report(&q);
}

const struct command command_report = {
    "report", "the compliance report of a period",
    "Usage: sealdns report [--from T] [--to T] [--format html|pdf|json|csv|text] [-o FILE]\n"
    "                      [--mail ADDRESS]... [--key FILE] [-c FILE] [--db FILE]\n"
    "       sealdns report --check FILE [--key FILE]\n"
    "\n"
    "How much of DNS was sealed, what was not, what was done about it, and whether the sensor can "
    "be\n"
    "believed: of the last whole week, unless told otherwise.\n"
    "\n"
    "      --from T       last-week (the rule), last-month, 30d (ago), 2026-01-31,\n"
    "                     2026-01-31T12:00:00Z\n"
    "      --to T         the end, which is not in it; default now\n"
    "      --format F     text (default), html (one file, with charts), pdf, json, csv\n"
    "  -o, --output FILE  where to; default standard output. FILE.manifest.json beside it says "
    "what it\n"
    "                     is, signed\n"
    "      --check FILE   is it as it was signed, and by this installation where its key is here?\n"
    "      --key FILE     the installation's key (Ed25519, PEM); default installation.key beside "
    "the\n"
    "                     store, made when it is needed first\n"
    "      --mail ADDRESS mail it, by the system's sendmail: its text, and the file attached; up "
    "to 8\n"
    "      --sendmail F   another program for that; default " DEFAULT_SENDMAIL "\n"
    "  -c, --config FILE  the policy: who is approved, exceptions; default " DEFAULT_CONFIG "\n"
    "      --db FILE      store; default: the policy's, " DEFAULT_STORE "\n" RECORDED_USAGE,
    run};
