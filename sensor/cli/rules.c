#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "enforce/cutlog.h"
#include "enforce/enforce.h"
#include "engine/audit.h"
#include "engine/control.h"
#include "engine/gateway.h"
#include "engine/preflight.h"
#include "engine/sole.h"

extern const struct command command_rules;

struct request {
    const char *config, *socket;
    char own_socket[108]; /* that of the policy named with -c */
    enum mode mode;
    bool mode_given;
    bool force;
    unsigned confirm; /* seconds; 0: the rules stay */
};

static int fail(const char *error)
{
    log_error("%s", error);
    return EXIT_FAILED;
}

/* Of a policy that is to be enforced while no sensor asks for it: zones whose resolvers are silent
 * only count. */
static int pass_preflight(const struct request *q, struct policy *p)
{
    char error[ENFORCE_ERROR] = "";
    struct preflight *f;

    if (q->force || !p->preflight || !policy_enforces(p))
        return EXIT_DONE;
    if (preflight_objection(p, clock_now(), error) != SD_OK) {
        log_error("%s; or say --force", error);
        return EXIT_FAILED;
    }
    f = preflight_begin(p);
    if (!f)
        return fail("no process for the preflight; --force does without");
    preflight_wait(f);
    for (size_t z = 0; z < p->zone_count; z++) {
        p->zones[z].held = !preflight_answered(f, z);
        if (p->zones[z].held)
            log_warning("zone %s: none of its approved resolvers answers: its rules only count, "
                        "until a sensor runs, you apply again, or say --force",
                        p->zones[z].id);
    }
    preflight_destroy(f);
    return EXIT_DONE;
}

/* The ruleset of the policy file, on this machine. With no mode given a policy that says monitor is
 * shown as enforce would have it: that is what somebody asks who has not turned it on yet. */
static int compile(const struct request *q, bool checked, struct ruleset **out, enum mode *mode)
{
    struct addr *gateway = NULL;
    size_t count = 0;
    struct policy *policy;
    char error[ENFORCE_ERROR] = "";
    int status;

    if (gateway_addresses(&gateway, &count) != SD_OK)
        return fail("cannot list this machine's addresses");
    status = load_policy(q->config, gateway, count, clock_now(), &policy);
    free(gateway);
    if (status != EXIT_DONE)
        return status;
    if (q->mode_given)
        policy->mode = q->mode;
    else if (policy->mode == MODE_MONITOR)
        policy->mode = MODE_ENFORCE;
    *mode = policy->mode;
    if (checked && policy->place == PLACE_TAP) {
        policy_destroy(policy);
        return fail(TAP_CANNOT_CUT);
    }
    if (policy->log_group && !cutlog_is_supported()) {
        log_warning("this kernel has no nfnetlink_log: rules without their log");
        policy->log_group = 0;
    }
    if (checked && pass_preflight(q, policy) != EXIT_DONE) {
        policy_destroy(policy);
        return EXIT_FAILED;
    }
    status = ruleset_compile(policy, policy->mode, clock_now(), out, error);
    policy_destroy(policy);
    return status == SD_OK ? EXIT_DONE : fail(error);
}

static int show(struct request *q)
{
    enum mode mode;
    struct ruleset *r;
    int status = compile(q, false, &r, &mode);

    if (status != EXIT_DONE)
        return status;
    if (ruleset_print(r, stdout) != SD_OK || fflush(stdout) != 0)
        status = fail("cannot write the ruleset");
    ruleset_destroy(r);
    return status;
}

static int diff(struct request *q)
{
    char error[ENFORCE_ERROR] = "", *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    enum mode mode;
    struct ruleset *r;
    int status = compile(q, false, &r, &mode), lines = SD_EMEM;

    if (status == EXIT_DONE && to)
        lines = ruleset_diff(r, to, error);
    if (status == EXIT_DONE)
        ruleset_destroy(r);
    if (to && fclose(to) == 0 && lines > 0)
        printf("--- in the kernel\n+++ as the policy has it\n%s", text);
    free(text);
    if (status != EXIT_DONE)
        return status;
    if (lines < 0 || fflush(stdout) != 0)
        return fail(error[0] ? error : "cannot write the differences");
    if (lines == 0)
        log_notice("the kernel holds what the policy means");
    return EXIT_DONE;
}

/* True: the running sensor answered, *status is what became of it. */
static bool daemon_did(const struct request *q, const char *command, int *status)
{
    json_t *request = json_pack("{s:s,s:i}", "command", command, "seconds", (int)q->confirm);
    json_t *reply = control_ask(q->socket, request, 15000);
    const char *error = json_string_value(json_object_get(reply, "error"));
    const char *message = json_string_value(json_object_get(reply, "message"));

    json_decref(request);
    *status = EXIT_DONE;
    if (error)
        *status = fail(error);
    else if (message)
        log_notice("%s", message);
    json_decref(reply);
    return reply != NULL;
}

/* Where the sensor of this policy listens. EXIT_USAGE: the policy is wrong. */
static int choose_socket(struct request *q)
{
    struct policy *policy;
    int status = EXIT_DONE;

    if (q->socket)
        return EXIT_DONE;
    q->socket = DEFAULT_SOCKET;
    if (q->config)
        status = load_policy(q->config, NULL, 0, clock_now(), &policy);
    if (!q->config || status != EXIT_DONE)
        return status;
    text_copy(q->own_socket, sizeof q->own_socket, policy->socket_path);
    q->socket = q->own_socket;
    policy_destroy(policy);
    return EXIT_DONE;
}

/* No sensor takes it down: what was changed, and by whom, goes to the system's log. */
static void write_down(const char *what, const char *detail)
{
    const struct asker self = audit_self();
    struct evidence e;

    evidence_clear(&e);
    evidence_string(&e, "what", what);
    evidence_string(&e, "detail", detail);
    audit_who(&e, &self, "command");
    openlog("sealdns", LOG_PID, LOG_AUTH);
    syslog(LOG_NOTICE, "{%s}", e.text);
    closelog();
}

/* Under a guard of our own, as nobody else is there. */
static int install_on_trial(const struct request *q, const struct ruleset *r)
{
    char error[ENFORCE_ERROR] = "";
    struct guard g;
    int status;

    if (guard_start(q->confirm, &g, error) != SD_OK)
        return fail(error);
    if (ruleset_install(r, error) != SD_OK) {
        status = fail(error);
        guard_undo(&g);
    } else if (guard_arm(&g) != SD_OK) {
        status = fail("the guard of the old rules is gone");
        guard_undo(&g);
    } else {
        write_down("installed on trial", "by `sealdns rules apply --confirm`, without a sensor");
        status = confirm_await(&g);
        write_down(status == EXIT_DONE ? "confirmed" : "not confirmed",
                   "the rules on trial, without a sensor");
    }
    guard_leave(&g);
    return status;
}

/* True: rules are on trial, and nobody else's may come between. */
static bool is_taken(void)
{
    char error[ENFORCE_ERROR];
    int descriptor = guard_connect(error);

    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

static int refuse_beside(int32_t process)
{
    char error[ENFORCE_ERROR];

    snprintf(error, sizeof error,
             "a sensor (process %d) has its rules here and does not answer on this socket: name "
             "its policy with -c, or its socket with --socket",
             process);
    return fail(error);
}

static void tell_installed(const struct request *q, enum mode mode)
{
    log_notice("rules of mode %s installed; no sensor answers on %s, so nobody watches over them",
               mode_name(mode), q->socket);
    write_down("installed", mode_name(mode));
}

static int apply(struct request *q)
{
    char error[ENFORCE_ERROR] = "";
    enum mode mode;
    struct ruleset *r;
    int status = choose_socket(q);

    if (status != EXIT_DONE)
        return status;
    if (daemon_did(q, q->confirm ? "rules-try" : "rules-apply", &status))
        return q->confirm && status == EXIT_DONE ? confirm_await(NULL) : status;
    status = compile(q, true, &r, &mode);
    if (status != EXIT_DONE)
        return status;
    if (q->confirm)
        status = install_on_trial(q, r);
    else if (sole_holder())
        status = refuse_beside(sole_holder());
    else if (is_taken())
        status = fail("another change waits for its confirmation: `sealdns rules confirm` keeps "
                      "it, or wait until it is rolled back");
    else if (ruleset_install(r, error) != SD_OK)
        status = fail(error);
    else
        tell_installed(q, mode);
    ruleset_destroy(r);
    return status;
}

/* Break-glass: whatever became of the daemon, its socket and the disk, the table goes. */
static int take_away(struct request *q)
{
    char error[ENFORCE_ERROR] = "";
    struct guard_message end;
    int status = choose_socket(q); /* a wrong policy is told and does not keep the rules in */

    if (daemon_did(q, "rules-remove", &status) && status == EXIT_DONE)
        return EXIT_DONE;
    if (is_taken() && guard_ask(GUARD_GIVE_UP, &end, error) != SD_OK)
        log_warning("%s: it may put rules back", error);
    switch (ruleset_remove(error)) {
    case SD_OK:
        log_notice("rules removed");
        write_down("removed", "by `sealdns rules remove`, without a sensor");
        return EXIT_DONE;
    case SD_ENOENT:
        log_notice("there was no table sealdns");
        return EXIT_DONE;
    default:
        return fail(error);
    }
}

static int confirm(struct request *q)
{
    (void)q;
    return confirm_now();
}

static const struct {
    const char *name;
    int (*run)(struct request *q);
} verbs[] = {
    {"show", show}, {"diff", diff}, {"apply", apply}, {"confirm", confirm}, {"remove", take_away}};

static bool read_seconds(const char *text, unsigned *out)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    *out = (unsigned)value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
           value >= GUARD_SHORTEST && value <= GUARD_LONGEST;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"socket", required_argument, NULL, 's'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"confirm", required_argument, NULL, 'w'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request q = {0};
    int option, mode;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c') {
            q.config = optarg;
        } else if (option == 's') {
            q.socket = optarg;
        } else if (option == 'f') {
            q.force = true;
        } else if (option == 'w') {
            if (!read_seconds(optarg, &q.confirm))
                return usage_error(&command_rules, "--confirm is seconds, 1 to %d, not \"%s\"",
                                   GUARD_LONGEST, optarg);
        } else if (option == 'm') {
            mode = mode_of(optarg);
            if (mode != MODE_SHADOW && mode != MODE_ENFORCE) /* monitor has no rules */
                return usage_error(&command_rules, "--mode is shadow or enforce, not \"%s\"",
                                   optarg);
            q.mode = (enum mode)mode;
            q.mode_given = true;
        } else {
            return usage_option(&command_rules, option, argv);
        }
    }
    if (argc - optind != 1)
        return usage_error(&command_rules, "name one of show, diff, apply, confirm, remove");
    if (q.confirm && strcmp(argv[optind], "apply") != 0)
        return usage_error(&command_rules, "--confirm goes with apply");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, argv[optind]) == 0)
            return verbs[i].run(&q);
    return usage_error(&command_rules, "no \"%s\": show, diff, apply, confirm or remove",
                       argv[optind]);
}

const struct command command_rules = {
    "rules", "the nftables ruleset that the policy means: show, diff, apply, confirm, remove",
    "Usage: sealdns rules show|diff|apply|confirm|remove [-c FILE] [--mode shadow|enforce]\n"
    "                     [--confirm SECONDS] [--force] [--socket PATH]\n"
    "\n"
    "  show    the ruleset, as `nft -f` reads it\n"
    "  diff    against the kernel's: - only in the kernel, + only in the policy\n"
    "  apply   installs it now; a sensor that runs installs its own policy's instead\n"
    "  confirm keeps what `apply --confirm` installed\n"
    "  remove  takes our table away; works with the sensor, its socket and the disk dead. It "
    "stays\n"
    "          out until `apply`, a reload or a start\n"
    "\n"
    "  -c, --config FILE  policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --mode MODE    rules of this mode; default: the policy's, for monitor those of enforce\n"
    "      --confirm SECONDS  apply: what was there before comes back after that time, exactly,\n"
    "                     unless somebody presses Enter here or runs `rules confirm`; also when\n"
    "                     this command or the sensor is killed meanwhile. A sensor that runs "
    "reads\n"
    "                     its policy file again for it. Exit status 0: confirmed\n"
    "      --force        apply, where no sensor runs: without asking first whether the approved\n"
    "                     resolvers of each zone answer, and whether this machine would be cut\n"
    "                     off. A sensor asks by itself: `sealdns run --force`\n"
    "      --socket PATH  control socket; default: the policy's, " DEFAULT_SOCKET "\n"
    "\n"
    "Break-glass without this program: end the sensor (it would put the table back), then\n"
    "nft delete table inet sealdns (on a bridge: bridge sealdns)\n",
    run};
