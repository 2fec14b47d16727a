/* `sealdns run`, first process: sets everything up with privileges, starts the other two, and then
 * only answers, watches interfaces and waits for the end. */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/pages.h"
#include "base/text.h"
#include "engine/begin.h"
#include "engine/gateway.h"
#include "engine/monitor.h"
#include "engine/place.h"
#include "engine/trial.h"
#include "model/observation.h"
#include "model/record.h"

#define START_MS    10000
#define STOP_NS     (10 * NSEC_S)
#define PATIENCE_MS 2000 /* with a child that does not read: rules have to be put back as well */
#define AT_ONCE     64   /* messages of a child in one turn */

static int note_addresses(struct monitor *m, bool *changed)
{
    struct own_addresses *own = &m->own;
    struct addr *list;
    size_t count;
    int status = gateway_addresses(&list, &count);

    if (status != SD_OK)
        return status;
    if (count > MOST_GATEWAY)
        count = MOST_GATEWAY;
    *changed = count != own->count || memcmp(own->list, list, count * sizeof *list) != 0;
    memcpy(own->list, list, count * sizeof *list);
    own->count = (uint32_t)count;
    m->wiring->board->own = *own;
    free(list);
    return SD_OK;
}

/* A policy that has become wrong is no reason to leave the network unwatched. */
static int load_last_good(struct wiring *w, const char *why)
{
    char path[256], config[PATH_MAX];
    int status;

    text_copy(config, sizeof config, policy_files_path(w->files));
    last_good_path(config, path);
    policy_files_free(w->files);
    w->files = NULL;
    if (!path[0] || access(path, R_OK) != 0)
        return SD_ECONF;
    status = policy_files_read(path, path, stderr, &w->files);
    if (status == SD_OK)
        status = wiring_policy(w, w->files, stderr, &w->policy);
    if (status == SD_OK)
        log_warning("%s %s: starting from the last good policy, %s", config, why, path);
    return status == SD_OK ? SD_OK : SD_ECONF;
}

/* Against the policy that was in force last. */
static int mind_the_shrunk(struct wiring *w)
{
    struct policy_files *files = NULL;
    struct policy *before = NULL;
    char path[256], why[128], words[256];
    bool shrank = false;

    last_good_path(policy_files_path(w->files), path);
    if (!path[0] || access(path, R_OK) != 0)
        return SD_OK;
    if (policy_files_read(path, path, stderr, &files) == SD_OK &&
        wiring_quietly(w, files, &before) == SD_OK)
        shrank = conf_shrank(before, w->policy, why, sizeof why);
    policy_destroy(before);
    policy_files_free(files);
    if (!shrank)
        return SD_OK;
    policy_destroy(w->policy);
    w->policy = NULL;
    snprintf(words, sizeof words,
             "may be cut off: %s (if it is meant, `sealdns run --force` or, when it runs, `sealdns "
             "status reload --force`)",
             why);
    return load_last_good(w, words);
}

static int load(struct wiring *w)
{
    const struct sensor_options *o = w->options;
    bool unconfirmed = trial_abandoned();
    int status = policy_files_read(o->config, o->default_config, stderr, &w->files);

    if (status != SD_OK)
        return SD_ECONF;
    if (unconfirmed && load_last_good(w, "was never confirmed") == SD_OK)
        return SD_OK;
    if (!w->files && policy_files_read(o->config, o->default_config, stderr, &w->files) != SD_OK)
        return SD_ECONF;
    status = wiring_policy(w, w->files, stderr, &w->policy);
    if (status == SD_ECONF)
        return load_last_good(w, "is wrong");
    return status == SD_OK && !o->force ? mind_the_shrunk(w) : status;
}

static int choose_interfaces(struct wiring *w)
{
    const struct sensor_options *o = w->options;

    w->interface_count = o->interface_count ? o->interface_count : w->policy->interface_count;
    if (w->interface_count > MOST_INTERFACES) {
        log_error("at most %d interfaces", MOST_INTERFACES);
        return SD_ECONF;
    }
    for (size_t i = 0; i < w->interface_count; i++)
        text_copy(w->interfaces[i], 16,
                  o->interface_count ? o->interfaces[i] : w->policy->interfaces[i]);
    if (w->interface_count > 0)
        return SD_OK;
    if (gateway_interface(w->interfaces[0]) != SD_OK) {
        log_error("no interface named and no default route: give -i IFACE, or sensor.interfaces");
        return SD_ECONF;
    }
    w->interface_count = 1;
    log_notice("no interface named: watching %s, that of the default route", w->interfaces[0]);
    return SD_OK;
}

/* What is made now stays as large as it is. */
static void take_bounds(struct wiring *w)
{
    w->profile = w->policy->profile;
    w->bounds = bounds_of_policy(w->policy);
    if (w->profile == PROFILE_SMALL)
        pages_stay_small();
}

static int open_lane(struct wiring *w, size_t lane)
{
    const struct policy_evidence *evidence = &w->policy->evidence;
    struct capture_live_options options = {
        .interface = wiring_interface_of(w, lane),
        .index = (uint16_t)(lane / w->threads),
        .ports = w->policy->extra_ports,
        .port_count = w->policy->extra_port_count,
        .tunnels = w->policy->tunnels,
        .shunt = w->policy->shunt,
        .ring_bytes = w->ring,
        .share = {(unsigned)(lane % w->threads), (unsigned)w->threads}};
    char error[CAPTURE_ERROR] = "";
    int status = capture_live_open(&options, &w->captures[lane], error);

    if (status != SD_OK) {
        log_error("%s", error[0] ? error : sd_strerror(status));
        return status;
    }
    w->observations[lane] =
        ring_create("observations", sizeof(struct observation), w->bounds.observations);
    if (!w->observations[lane])
        return SD_EMEM;
    if (evidence->path[0])
        w->trails[lane] = trail_create(evidence->ring / w->threads, evidence->snap);
    if (evidence->path[0] && !w->trails[lane])
        return SD_EMEM;
    w->board->up[lane] = 1;
    return SD_OK;
}

static int open_captures(struct wiring *w)
{
    int status = SD_OK;

    w->threads = w->policy->capture.threads;
    w->ring = w->policy->capture.ring ? w->policy->capture.ring : w->bounds.capture;
    if (w->interface_count * w->threads > MOST_LANES) {
        log_error("at most %d capture threads in all, and these are %zu interfaces of %zu",
                  MOST_LANES, w->interface_count, w->threads);
        return SD_ECONF;
    }
    for (; w->lane_count < w->interface_count * w->threads && status == SD_OK; w->lane_count++)
        status = open_lane(w, w->lane_count);
    if (status != SD_OK)
        return status;
    w->records = ring_create("records", sizeof(struct record), w->bounds.records);
    return w->records ? SD_OK : SD_EMEM;
}

/* A child keeps its own end of one channel; an end left open elsewhere would hide that a process
 * is gone. */
static pid_t start_child(struct wiring *w, struct channel *mine, struct channel *other,
                         int (*run)(struct wiring *w))
{
    struct channel ends[2];
    pid_t child;

    if (channel_pair(&ends[0], &ends[1]) != SD_OK)
        return -1;
    child = fork();
    if (child == 0) {
        channel_close(&ends[0]);
        channel_close(other);
        *mine = ends[1];
        w->own = &w->board->own;
        w->admission = &w->board->admission;
        _exit(run(w));
    }
    channel_close(&ends[1]);
    *mine = ends[0];
    if (child > 0 && channel_limit(mine, PATIENCE_MS) != SD_OK)
        log_warning("a child that does not read will be waited for");
    return child;
}

static bool is_ready(const struct channel *c)
{
    struct message m;
    int descriptor;

    return channel_receive(c, &m, &descriptor, START_MS) == SD_OK && m.type == REQUEST_READY;
}

static int start_children(struct monitor *m)
{
    struct wiring *w = m->wiring;

    w->parser.descriptor = w->recorder.descriptor = -1;
    m->recorder = start_child(w, &w->recorder, &w->parser, recorder_main);
    if (m->recorder < 0 || !is_ready(&w->recorder))
        return SD_ESTATE; /* the recorder said why */
    m->parser = start_child(w, &w->parser, &w->recorder, parser_main);
    if (m->parser < 0 || !is_ready(&w->parser))
        return SD_ESTATE;
    /* The captures are the parser's now; our copies must not keep them. */
    return SD_OK;
}

/* One that has another name now is still seen, until something else takes the old one; but rules
 * and zones go by the name. */
static void tell_away(const struct monitor *m, size_t i)
{
    const struct wiring *w = m->wiring;
    char name[16], detail[128];

    if (capture_live_bound(capture_live_descriptor(w->captures[i * w->threads]), name) == SD_OK)
        snprintf(detail, sizeof detail, "%s is called %s now: seen, but not as %s",
                 w->interfaces[i], name, w->interfaces[i]);
    else
        snprintf(detail, sizeof detail, "%s: what passes it is not seen until it is back",
                 w->interfaces[i]);
    log_warning("interface gone: %s", detail);
    monitor_alarm(m, KIND_SENSOR, "interface gone", detail);
}

static bool rebind(const struct wiring *w, size_t interface)
{
    bool there = true;

    for (size_t i = interface * w->threads; i < (interface + 1) * w->threads; i++)
        there &= capture_live_rebind(capture_live_descriptor(w->captures[i]),
                                     w->interfaces[interface]) == SD_OK;
    return there;
}

/* Every look rebinds: that costs nothing where the socket is bound, and an interface that was
 * deleted and made again between two looks is found too. */
static void watch_interfaces(struct monitor *m)
{
    struct wiring *w = m->wiring;

    for (size_t i = 0; i < w->interface_count; i++) {
        unsigned bit = 1u << i;
        bool there = rebind(w, i);

        w->board->index[i] = if_nametoindex(w->interfaces[i]);
        if (there == !(m->gone & bit))
            continue;
        m->gone ^= bit;
        if (there)
            monitor_say(m, KIND_SENSOR, "interface back", w->interfaces[i]);
        else
            tell_away(m, i);
    }
}

static void watch_addresses(struct monitor *m, nsec_t now)
{
    char error[256] = "";
    bool changed = false;

    if (now - m->addresses_looked < 5 * NSEC_S)
        return;
    m->addresses_looked = now;
    if (note_addresses(m, &changed) == SD_OK && changed)
        if (monitor_recompile(m, "addresses changed", error) != SD_OK)
            log_warning("addresses of this machine changed, but: %s", error);
}

static void take_signal(struct monitor *m, int descriptor)
{
    struct message reopen = {.type = TELL_REOPEN};
    struct signalfd_siginfo signal;
    struct change_request by;
    char error[256] = "";

    if (read(descriptor, &signal, sizeof signal) != sizeof signal)
        return;
    by = (struct change_request){.who = {signal.ssi_uid, (int32_t)signal.ssi_pid}};
    switch (signal.ssi_signo) {
    case SIGHUP:
        if (channel_send(&m->wiring->recorder, &reopen, -1) != SD_OK)
            log_warning("the recorder did not hear the signal");
        break;
    case SIGUSR2:
        if (monitor_reload(m, &by, "signal", error) == SD_OK)
            log_notice("policy %s", m->wiring->policy->digest);
        else
            log_error("%s", error);
        break;
    case SIGCHLD:
        break; /* reap() looks after every wake-up */
    case SIGQUIT:
        m->handed_over = true; /* to whoever is started next, an upgrade: no moment without rules */
        m->stopping = true;
        m->stopped_by = by.who;
        break;
    default:
        m->stopping = true;
        m->stopped_by = by.who;
    }
}

static void reap(struct monitor *m)
{
    pid_t child;
    int how;

    while ((child = waitpid(-1, &how, WNOHANG)) > 0) {
        const char *name = child == m->parser ? "parser" : "recorder";

        if (child != m->parser && child != m->recorder) {
            outage_reaped(&m->outage, child);
            continue;
        }
        if (child == m->parser)
            m->parser = 0;
        else
            m->recorder = 0;
        if (m->stopping && WIFEXITED(how) && (WEXITSTATUS(how) == 0 || !m->running))
            continue; /* one that could not start has said why */
        log_error("the %s ended by itself (%s %d): stopping", name,
                  WIFSIGNALED(how) ? "signal" : "status",
                  WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
        m->stopping = true;
        m->status = 1;
    }
}

static void serve_parser(struct monitor *m)
{
    for (int i = 0; i < AT_ONCE && !m->stopping && monitor_serve(m, &m->wiring->parser); i++)
        ;
}

static void loop(struct monitor *m, int signals)
{
    struct wiring *w = m->wiring;

    while (!m->stopping) {
        nsec_t now = clock_now();
        struct pollfd wait[] = {{.fd = signals, .events = POLLIN},
                                {.fd = w->parser.descriptor, .events = POLLIN},
                                {.fd = w->recorder.descriptor, .events = POLLIN},
                                {.fd = drift_descriptor(&m->drift, now), .events = POLLIN},
                                {.fd = trial_descriptor(m), .events = POLLIN}};

        if (poll(wait, 5, drift_patience(&m->drift, now)) > 0) {
            if (wait[0].revents)
                take_signal(m, signals);
            if (wait[1].revents & POLLIN)
                serve_parser(m);
            if (wait[2].revents & POLLIN)
                monitor_serve(m, &w->recorder);
            /* Thousands of pairs a second are one transaction a turn. */
            if ((wait[1].revents | wait[2].revents) & POLLIN && !m->stopping)
                pairs_flush(m);
            if (wait[4].revents)
                trial_hear(m);
        }
        reap(m);
        watch_interfaces(m);
        watch_addresses(m, clock_now());
        drift_watch(m, clock_now());
        outage_watch(m, clock_now());
        cuts_watch(m, clock_now());
        sd_notify(0, "WATCHDOG=1");
    }
}

/* Asks a child to finish, and waits; one that does not is ended. */
static void stop_child(struct monitor *m, pid_t *child, struct channel *c)
{
    static const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    struct message stop = {.type = TELL_STOP};
    nsec_t until = clock_now() + STOP_NS;

    reap(m);
    if (*child > 0 && channel_send(c, &stop, -1) != SD_OK && m->running)
        log_warning("a child could not be told to stop");
    while (*child > 0 && clock_now() < until) {
        reap(m);
        nanosleep(&moment, NULL);
    }
    if (*child > 0) {
        log_error("a child did not stop within ten seconds: ended");
        kill(*child, SIGKILL);
        waitpid(*child, NULL, 0);
        m->status = 1;
    }
    channel_close(c);
}

static void stop(struct monitor *m)
{
    struct wiring *w = m->wiring;
    char error[256] = "";

    sd_notify(0, "STOPPING=1");
    m->stopping = true;
    trial_end(m);
    outage_end(&m->outage);
    if (m->installed && w->policy->remove_on_exit && !m->handed_over &&
        monitor_remove_rules(m, &m->stopped_by, m->stopped_by.pid ? "exit" : NULL, error) !=
            SD_OK &&
        !m->lost)
        log_error("the rules stay in the kernel: %s", error);
    stop_child(m, &m->parser, &w->parser);
    stop_child(m, &m->recorder, &w->recorder);
}

static int block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void announce(struct monitor *m)
{
    struct wiring *w = m->wiring;
    char list[MOST_INTERFACES * 17] = "";

    for (size_t i = 0; i < w->interface_count; i++) {
        if (i)
            strcat(list, " ");
        strcat(list, w->interfaces[i]);
    }
    monitor_say(m, KIND_SENSOR, "start", list);
    if (m->installed && !m->lost)
        monitor_say(m, KIND_ENFORCEMENT, "installed", mode_name(w->policy->mode));
    monitor_tell_installed(m);
    outage_tell(m);
    cuts_watch(m, clock_now());
    sd_notify(0, "READY=1");
    log_notice("watching %s, mode %s, store %s", list, mode_name(w->policy->mode),
               w->policy->store_path);
}

static int set_up(struct monitor *m)
{
    struct wiring *w = m->wiring;
    char error[256] = "";
    bool changed;
    int status;

    cuts_begin(m);
    status = note_addresses(m, &changed);
    if (status == SD_OK)
        status = load(w);
    if (status == SD_OK)
        status = choose_interfaces(w);
    if (status != SD_OK)
        return status == SD_ECONF || status == SD_EUNSUP ? 2 : 1;
    take_bounds(w);
    place_warn(w->policy, w->interfaces, w->interface_count);
    m->outage.forced = w->options->force;
    if (outage_admit(m, w->policy, error) != SD_OK)
        outage_refuse(m, w->policy, error);
    if (wiring_interfaces(w, w->policy) != SD_OK || open_captures(w) != SD_OK)
        return 1;
    if (start_children(m) != SD_OK)
        return 1;
    /* Last: a sensor that cannot start leaves the kernel as it was, and no child holds the netlink
     * socket, with which an owned table goes. */
    drift_open(&m->drift);
    m->pairs = pairs_create();
    if (!m->pairs)
        log_warning("no memory for pairs of client and server: none is cut");
    pairs_recall(m);
    begin_tell(m);
    status = monitor_enforce(m, w->policy, error);
    if (status == SD_EEXIST) {
        log_error("%s", error);
        return 1;
    }
    if (status != SD_OK)
        drift_lost(m, error); /* what is not enforced is watched all the same */
    return 0;
}

static void tear_down(struct wiring *w)
{
    for (size_t i = 0; i < w->lane_count; i++) {
        if (w->captures[i])
            w->captures[i]->ops->destroy(w->captures[i]);
        ring_destroy(w->observations[i]);
        trail_destroy(w->trails[i]);
    }
    ring_destroy(w->records);
    policy_destroy(w->policy);
    policy_files_free(w->files);
    munmap(w->board, sizeof *w->board);
}

int sensor_run(const struct sensor_options *options)
{
    struct wiring w = {.options = options, .parser = {-1}, .recorder = {-1}};
    struct monitor m = {.wiring = &w, .netlink = -1, .sole = -1, .drift.descriptor = -1};
    int signals = block_signals();

    w.own = &m.own;
    w.admission = &m.outage.admission;
    umask(0027); /* store and feeds hold what people asked for: not for every user of the machine */
    w.board =
        mmap(NULL, sizeof *w.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w.board == MAP_FAILED || signals < 0) {
        log_error("cannot start: %s", strerror(errno));
        return 1;
    }
    w.board->started = clock_now();
    m.status = set_up(&m);
    if (m.status == 0) {
        m.running = true;
        if (!w.policy->refused)
            monitor_keep_policy(&m);
        announce(&m);
        loop(&m, signals);
    }
    stop(&m);
    drift_close(&m.drift);
    pairs_destroy(m.pairs);
    if (m.netlink >= 0)
        close(m.netlink);
    if (m.sole >= 0)
        close(m.sole);
    tear_down(&w);
    close(signals);
    return m.status;
}
