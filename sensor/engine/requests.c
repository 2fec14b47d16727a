/* What the monitor does for its children, and with the ruleset. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "enforce/enforce.h"
#include "engine/audit.h"
#include "engine/blocks.h"
#include "engine/gateway.h"
#include "engine/guard.h"
#include "engine/monitor.h"
#include "engine/sole.h"
#include "engine/trial.h"

#define STATE_FOLDER "/var/lib/sealdns"

void last_good_path(const char *config, char path[256])
{
    char whole[PATH_MAX];

    path[0] = '\0';
    if (!config[0] || !realpath(config, whole))
        return;
    if (access(STATE_FOLDER, F_OK) != 0)
        mkdir(STATE_FOLDER, 0750); /* if that fails, writing the copy will say so */
    snprintf(path, 256, STATE_FOLDER "/last-good-%016llx.yaml",
             (unsigned long long)hash_bytes(whole, strlen(whole), 0));
}

bool is_last_good(const char *path)
{
    static const char prefix[] = STATE_FOLDER "/last-good-";

    return strncmp(path, prefix, sizeof prefix - 1) == 0;
}

void monitor_keep_policy(const struct monitor *m)
{
    const char *from = policy_files_path(m->wiring->files);
    char path[256];

    if (is_last_good(from))
        return;
    last_good_path(from, path);
    if (path[0] && policy_files_keep(m->wiring->files, path) != SD_OK)
        log_warning("cannot keep a copy of the good policy in %s", path);
}

static void say(const struct monitor *m, const struct finding *f, const char *what,
                const char *detail)
{
    struct message tell = {.type = TELL_FINDING};

    finding_copy(&tell.finding, f);
    if (detail[0])
        evidence_string(&tell.finding.evidence, "detail", detail);
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK)
        log_error("%s: %s %s (not recorded: the parser is gone)", kind_name(f->kind), what, detail);
}

void monitor_say(const struct monitor *m, enum kind kind, const char *what, const char *detail)
{
    struct finding f;

    own_finding(&f, kind, kind_name(kind), what);
    say(m, &f, what, detail);
}

void monitor_alarm(const struct monitor *m, enum kind kind, const char *what, const char *detail)
{
    struct finding f;

    own_finding(&f, kind, kind_name(kind), what);
    f.severity = SEVERITY_HIGH;
    say(m, &f, what, detail);
}

/* The netlink socket is kept for the life of the process: a table with the owner flag goes with it.
 */
static int netlink_of(struct monitor *m, char error[256])
{
    if (m->netlink < 0)
        m->netlink = enforce_open(error);
    return m->netlink;
}

static int remove_table(struct monitor *m, char error[256])
{
    int descriptor = netlink_of(m, error);

    return descriptor < 0 ? descriptor : ruleset_remove_by(descriptor, error);
}

int monitor_remove_rules(struct monitor *m, const struct asker *who, const char *via,
                         char error[256])
{
    int status = remove_table(m, error);

    if (status == SD_OK)
        audit_tell(m, &(struct audit){.what = "removed", .who = *who, .via = via});
    if (status == SD_OK || status == SD_ENOENT)
        m->installed = false;
    return status;
}

static int remove_leftovers(struct monitor *m, char error[256])
{
    int status = remove_table(m, error);

    if (m->sole >= 0)
        close(m->sole);
    m->sole = -1;
    if (m->installed && !m->lost && status != SD_OK && status != SD_ENOENT && status != SD_ESTATE)
        return status;
    m->installed = m->lost = false;
    if (status == SD_ESTATE)
        log_warning("they stay, as they are: %s", error);
    /* Without nf_tables or the right to it there is nothing of ours to remove, and monitor mode
     * needs neither. */
    if (status != SD_OK)
        error[0] = '\0';
    return SD_OK;
}

int monitor_ruleset(const struct monitor *m, const struct policy *policy, struct ruleset **out,
                    char error[256])
{
    int status = ruleset_compile(policy, policy->mode, clock_now(), out, error);

    if (status != SD_OK || (status = pairs_fill(m->pairs, policy, *out)) == SD_OK)
        return status;
    snprintf(error, 256, "out of memory while making the ruleset");
    ruleset_destroy(*out);
    *out = NULL;
    return status;
}

int monitor_enforce(struct monitor *m, const struct policy *policy, char error[256])
{
    struct ruleset *rules;
    int status;

    m->peered |= !addr_is_zero(&policy->peer.listen);
    if (policy->mode == MODE_MONITOR)
        return remove_leftovers(m, error);
    if (m->opened)
        return SD_OK;
    status = sole_take(&m->sole, error);
    if (status == SD_OK)
        status = monitor_ruleset(m, policy, &rules, error);
    if (status != SD_OK)
        return status;
    status = netlink_of(m, error);
    if (status >= 0)
        status = ruleset_install_by(m->netlink, rules, error);
    ruleset_destroy(rules);
    if (status == SD_OK) {
        if (!m->installed || m->lost)
            m->since = clock_now();
        m->installed = true;
        m->lost = false;
    } else {
        m->drift.looked = 0; /* whatever the kernel has now, it is looked at in a moment */
    }
    return status;
}

/* differs: what, in a line, "" where all is as it ought to be. */
static void rules_status(const struct monitor *m, struct rules_status *out, char differs[256])
{
    const struct policy *p = m->wiring->policy;
    struct enforce_status kernel = {0}, wanted = {0};
    struct enforce_drift drift = {.gone = false};
    struct ruleset *rules;
    char error[ENFORCE_ERROR];
    bool there = ruleset_status(&kernel, error) == SD_OK, same = !there;

    if (p->mode != MODE_MONITOR && monitor_ruleset(m, p, &rules, error) == SD_OK) {
        ruleset_describe(rules, &wanted);
        same = ruleset_examine(rules, &drift, error) == SD_OK;
        ruleset_destroy(rules);
    }
    *out = (struct rules_status){.installed = there && !m->lost,
                                 .drifted = m->installed != there || (there && !same),
                                 .opened = m->opened,
                                 .fought = m->drift.fought != 0,
                                 .mode = (uint8_t)p->mode,
                                 .rules = kernel.rules,
                                 .elements = kernel.elements,
                                 .wanted_rules = wanted.rules,
                                 .wanted_elements = wanted.elements,
                                 .digest = kernel.digest,
                                 .wanted_digest = wanted.digest,
                                 .pairs = pairs_count(m->pairs),
                                 .since = m->installed ? m->since : 0,
                                 .healed = drift_last(&m->drift),
                                 .trial_ms = trial_left(m)};
    text_copy(differs, 256, out->drifted ? drift.text : "");
}

void monitor_tell_installed(const struct monitor *m)
{
    struct message tell = {.type = TELL_INSTALLED};

    rules_status(m, &tell.rules, tell.text);
    tell.rules.installed = m->installed && !m->lost;
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK ||
        channel_send(&m->wiring->recorder, &tell, -1) != SD_OK)
        log_warning("a child did not hear that the rules changed");
}

int monitor_hand_over(struct monitor *m, const struct policy_files *files)
{
    struct message tell = {.type = TELL_POLICY};
    int descriptor = policy_files_pack(files), status;

    if (descriptor < 0)
        return descriptor;
    status = channel_send(&m->wiring->parser, &tell, descriptor);
    if (status == SD_OK)
        status = channel_send(&m->wiring->recorder, &tell, descriptor);
    close(descriptor);
    return status;
}

/* The complaints of a wrong policy: all to standard error, the first to the user who asked. */
static int compile_again(const struct monitor *m, const struct policy_files *files,
                         struct policy **out, char error[256])
{
    char *said = NULL;
    size_t length;
    FILE *to = open_memstream(&said, &length);
    int status;

    if (!to)
        return SD_EMEM;
    status = wiring_policy(m->wiring, files, to, out);
    fclose(to);
    if (said && said[0])
        fputs(said, stderr);
    if (status != SD_OK)
        snprintf(error, 256, "%.*s (the old policy stays)", said ? (int)strcspn(said, "\n") : 0,
                 said ? said : "");
    free(said);
    return status;
}

static int replace_policy(struct monitor *m, struct policy_files *files, struct policy *policy,
                          char error[256])
{
    int status = monitor_enforce(m, policy, error);

    if (status == SD_OK)
        status = monitor_hand_over(m, files);
    if (status != SD_OK) {
        policy_destroy(policy);
        if (files != m->wiring->files)
            policy_files_free(files);
        return status;
    }
    policy_destroy(m->wiring->policy);
    if (files != m->wiring->files)
        policy_files_free(m->wiring->files);
    m->wiring->policy = policy;
    m->wiring->files = files;
    return SD_OK;
}

int monitor_recompile(struct monitor *m, const char *what, char error[256])
{
    struct policy *policy;
    int status = compile_again(m, m->wiring->files, &policy, error);

    if (status == SD_OK)
        status = replace_policy(m, m->wiring->files, policy, error);
    if (what)
        monitor_say(m, KIND_SENSOR, what, status == SD_OK ? "" : error);
    monitor_tell_installed(m);
    return status;
}

static int refuse_shrunk(const struct policy *old, const struct policy *anew, char error[256])
{
    char why[128];

    if (!conf_shrank(old, anew, why, sizeof why))
        return SD_OK;
    snprintf(error, 256,
             "%s: cut off? If it is meant, `sealdns status reload --force` takes it (the old "
             "policy stays)",
             why);
    return SD_ESTATE;
}

int monitor_read_policy(struct monitor *m, bool force, struct policy_files **files,
                        struct policy **policy, char error[256])
{
    const struct sensor_options *o = m->wiring->options;
    struct admission before = m->outage.admission;
    int status = policy_files_read(o->config, o->default_config, stderr, files);

    if (status != SD_OK) {
        snprintf(error, 256, "the policy file cannot be read: %s (the old policy stays)",
                 sd_strerror(status));
        *files = NULL;
        return status;
    }
    m->outage.admission.refused = false; /* that was said of the old one */
    status = compile_again(m, *files, policy, error);
    if (status == SD_OK && !force && refuse_shrunk(m->wiring->policy, *policy, error) != SD_OK) {
        policy_destroy(*policy);
        status = SD_ESTATE;
    }
    if (status == SD_OK && outage_admit(m, *policy, error) != SD_OK) {
        policy_destroy(*policy);
        status = SD_ESTATE;
    }
    if (status != SD_OK) {
        outage_restore(m, &before);
        policy_files_free(*files);
        *files = NULL;
        *policy = NULL;
    }
    return status;
}

static int refuse_on_trial(const struct monitor *m, char error[256])
{
    if (!m->trial)
        return SD_OK;
    snprintf(error, 256,
             "a change waits for its confirmation, %u s are left: `sealdns rules confirm` keeps it",
             trial_left(m) / 1000);
    return SD_EEXIST;
}

static int refuse_reload(const struct monitor *m, struct audit *a, int status, const char *why)
{
    text_copy(a->before, sizeof a->before, m->wiring->policy->digest);
    a->what = "policy refused";
    a->detail = why;
    audit_tell(m, a);
    monitor_say(m, KIND_SENSOR, "reload refused", why);
    return status;
}

static void tell_reloaded(const struct monitor *m, struct audit *a, bool installed_before)
{
    const struct policy *p = m->wiring->policy;

    a->what = strcmp(a->before, a->after) != 0 ? "policy changed" : "policy read again";
    audit_tell(m, a);
    if (m->installed != installed_before) {
        *a = (struct audit){.who = a->who, .via = a->via};
        a->what = installed_before ? "removed" : "installed";
        a->detail = mode_name(p->mode);
        audit_tell(m, a);
    }
    monitor_say(m, KIND_SENSOR, "reload", p->digest);
}

int monitor_reload(struct monitor *m, const struct change_request *by, const char *via,
                   char error[256])
{
    struct policy_files *files;
    struct policy *policy;
    struct admission admission = m->outage.admission;
    struct audit a = {.who = by->who, .via = via};
    bool before = m->installed;
    int status = refuse_on_trial(m, error);

    if (status == SD_OK)
        status = monitor_read_policy(m, by->force, &files, &policy, error);
    if (status != SD_OK)
        return refuse_reload(m, &a, status, error);
    audit_compare(&a, m->wiring->policy, policy);
    m->opened = false;
    status = replace_policy(m, files, policy, error);
    if (status == SD_OK) {
        tell_reloaded(m, &a, before);
    } else {
        outage_restore(m, &admission);
        refuse_reload(m, &a, status, error);
    }
    monitor_tell_installed(m);
    if (status == SD_OK)
        outage_tell(m);
    if (status == SD_OK)
        monitor_keep_policy(m);
    return status;
}

static void apply(struct monitor *m, const struct asker *who, struct message *reply)
{
    const struct policy *p = m->wiring->policy;
    struct audit a = {.what = "installed", .who = *who, .via = "socket"};

    if (p->mode == MODE_MONITOR) {
        reply->status = SD_ESTATE;
        text_copy(reply->text, sizeof reply->text,
                  p->place == PLACE_TAP ? TAP_CANNOT_CUT
                                        : "mode is monitor: start with --mode shadow or enforce");
        return;
    }
    reply->status = refuse_on_trial(m, reply->text);
    if (reply->status != SD_OK)
        return;
    m->opened = false;
    reply->status = monitor_enforce(m, p, reply->text);
    if (reply->status != SD_OK)
        return;
    a.detail = mode_name(p->mode);
    audit_tell(m, &a);
    monitor_tell_installed(m);
    snprintf(reply->text, sizeof reply->text, "rules installed, mode %s", mode_name(p->mode));
}

static void try_out(struct monitor *m, const struct change_request *request, struct message *reply)
{
    reply->status = refuse_on_trial(m, reply->text);
    if (reply->status == SD_OK)
        reply->status = trial_begin(m, request, reply->text);
    if (reply->status == SD_OK)
        snprintf(reply->text, sizeof reply->text, "rules installed, mode %s, for %u s",
                 mode_name(m->wiring->policy->mode), request->seconds);
}

static void take_away(struct monitor *m, const struct asker *who, struct message *reply)
{
    trial_give_up(m);
    reply->status = monitor_remove_rules(m, who, "socket", reply->text);
    if (reply->status != SD_OK && reply->status != SD_ENOENT)
        return;
    m->opened = true;
    text_copy(reply->text, sizeof reply->text,
              reply->status == SD_OK ? "rules removed" : "there was no table sealdns");
    reply->status = SD_OK;
    monitor_tell_installed(m);
}

/* False: no probe of ours wrote that. */
static bool pass_probe(const struct monitor *m, const struct probe_report *report)
{
    struct message tell = {.type = TELL_PROBED, .probe = *report};

    if (report->transport >= TRANSPORT_COUNT || report->time < 0 || !probe_is_sound(&report->found))
        return false;
    if (m->pairs)
        pairs_probed(m->pairs, report);
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK)
        log_warning("what a probe found was not taken");
    return true;
}

/* False: the recorder would not have let it through. */
static bool pass_peer(const struct monitor *m, const struct open_event_batch *peer)
{
    struct message tell = {.type = TELL_PEER, .peer = *peer};
    nsec_t now = clock_now();

    if (peer->count == 0 || peer->count > OPEN_EVENTS_AT_ONCE)
        return false;
    for (uint32_t i = 0; i < peer->count; i++)
        if (!open_event_is_sound(peer->event + i, now))
            return false;
    if (channel_try(&m->wiring->parser, &tell) != SD_OK)
        log_warning("what the other gateway told was not taken"); /* it is told again */
    return true;
}

static bool may_ask(const struct monitor *m, const struct channel *from,
                    const struct message *request)
{
    const struct change_request *c = &request->change;

    /* The parser, which strangers talk to, asks for pairs and nothing else once it is ready. */
    if (from == &m->wiring->parser)
        return request->type == REQUEST_READY || request->type == REQUEST_PAIRS;
    /* What the other gateway cut is judged here as if it had been seen here. */
    if (request->type == REQUEST_PAIRS || request->type == REQUEST_PEER)
        return m->peered;
    return (request->type != REQUEST_RULES_TRY ||
            (c->seconds >= GUARD_SHORTEST && c->seconds <= GUARD_LONGEST));
}

static void answer(struct monitor *m, const struct channel *from, const struct message *request)
{
    struct message reply = {.type = REPLY};
    int counters = -1;

    switch (may_ask(m, from, request) ? request->type : 0) {
    case REQUEST_READY:
        return;
    case REQUEST_RELOAD:
        reply.status = monitor_reload(m, &request->change, "socket", reply.text);
        if (reply.status == SD_OK)
            snprintf(reply.text, sizeof reply.text, "policy %s", m->wiring->policy->digest);
        break;
    case REQUEST_RULES_APPLY:
        apply(m, &request->change.who, &reply);
        break;
    case REQUEST_RULES_REMOVE:
        take_away(m, &request->change.who, &reply);
        break;
    case REQUEST_RULES_STATUS:
        rules_status(m, &reply.rules, reply.text);
        counters = blocks_pack();
        break;
    case REQUEST_RULES_TRY:
        try_out(m, &request->change, &reply);
        break;
    case REQUEST_FORGOT:
        audit_tell(m, &(struct audit){.what = "client forgotten",
                                      .detail = request->text,
                                      .who = request->change.who,
                                      .via = "socket"});
        return;
    case REQUEST_PROBED:
    case REQUEST_PAIRS:
    case REQUEST_PEER:
        if (request->type == REQUEST_PAIRS  ? pairs_ask(m, &request->pairs)
            : request->type == REQUEST_PEER ? pass_peer(m, &request->peer)
                                            : pass_probe(m, &request->probe))
            return;
        /* fall through */
    default:
        log_error("a child asked for what no child may ask (%u): stopping", request->type);
        m->stopping = true;
        m->status = 1;
        return;
    }
    if (channel_send(from, &reply, counters) != SD_OK)
        log_warning("the answer to a request was not taken");
    if (counters >= 0)
        close(counters);
}

bool monitor_serve(struct monitor *m, const struct channel *c)
{
    struct message request;
    int descriptor;

    if (m->stopping)
        return false; /* a child was taken over: nothing is done any more for either */
    switch (channel_receive(c, &request, &descriptor, 0)) {
    case SD_OK:
        break;
    case SD_EMALF:
        request.type = 0; /* no request of this list either */
        break;
    default:
        return false;
    }
    if (descriptor >= 0)
        close(descriptor); /* no request carries one */
    answer(m, c, &request);
    return true;
}
