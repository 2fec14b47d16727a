/* The recorder process: store, outputs and the control socket. No packets, no capability. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/clips.h"
#include "engine/control.h"
#include "engine/feeds.h"
#include "engine/gateway.h"
#include "engine/recorder.h"
#include "engine/sensor.h"
#include "engine/site.h"
#include "priv/sandbox.h"
#include "store/forget.h"
#include "store/store.h"

#define BATCH       10000 /* a burst syncs the disk by time, not by rows */
#define COMMIT      (200 * NSEC_MS)
#define ORPHAN      (2 * NSEC_S) /* the parser, which ends when the monitor does, has last words */
#define HOUSEKEEP   (60 * NSEC_S)
#define COMPLAIN    (60 * NSEC_S)
#define STORE_RESTS (5 * NSEC_S)

static void complain(struct recorder *r, const char *what)
{
    nsec_t now = clock_now();

    if (!time_passed(r->complained, COMPLAIN, now))
        return;
    r->complained = now;
    log_error("%s; what is lost is counted in `sealdns status`", what);
}

static void commit(struct recorder *r)
{
    if (store_commit(r->store) == SD_OK) {
        r->wiring->board->store_rows += r->pending;
    } else {
        r->wiring->board->store_failed += r->pending;
        complain(r, "the store did not take a batch: is the disk full?");
    }
    r->pending = 0;
    r->committed = clock_now();
}

static void keep(struct recorder *r, const struct record *record, const char *line)
{
    bool resting = r->store_rests && !time_passed(r->store_rests, 0, clock_now());

    if (!resting && store_write(r->store, record, line) == SD_OK) {
        r->pending++;
        r->store_rests = 0;
        return;
    }
    r->wiring->board->store_failed++;
    if (resting)
        return;
    /* It may have waited for somebody else's transaction; the feeds must not do so for every row.
     */
    r->store_rests = clock_now() + STORE_RESTS;
    complain(r, "the store did not take a row: is the disk full, or the store locked by somebody?");
}

/* The event, with the name of the capture of its packets if it has one. */
static const struct record *with_capture(struct recorder *r, const struct record *record)
{
    const char *name = clips_name(r->clips, record, clock_now());

    if (!name[0])
        return record;
    r->named = *record;
    text_copy(r->named.capture, sizeof r->named.capture, name);
    evidence_string(&r->named.event.finding.evidence, "pcap", name);
    return &r->named;
}

static void count_begun(struct recorder *r, const struct event *e)
{
    if (e->finding.kind < KIND_COUNT && e->finding.severity < SEVERITY_COUNT)
        r->begun[e->finding.kind][e->finding.severity] += e->revision == 1;
}

/* Feeds and store may name the client in different ways. */
static void tell_event(struct recorder *r, const struct record *record)
{
    const struct record *fed = privacy_record(r->privacy, record, PRIVACY_FEED);
    const struct record *kept = privacy_record(r->privacy, record, PRIVACY_STORE);
    char *line = eve_render(fed, r->policy), *other = NULL;

    if (line && record->event.finding.muted == SEVERITY_NONE)
        feeds_event(r->feeds, fed, line);
    if (kept != fed)
        other = eve_render(kept, r->policy);
    keep(r, kept, other ? other : line);
    free(line);
    free(other);
}

static void tell_query(struct recorder *r, const struct record *record)
{
    const struct record *fed = privacy_record(r->privacy, record, PRIVACY_FEED);
    char *line = eve_render_query(fed, r->policy);

    if (line)
        feeds_query(r->feeds, fed, line);
    free(line);
    if (r->policy->query_log.store)
        keep(r, privacy_record(r->privacy, record, PRIVACY_STORE), NULL);
}

/* Whoever keeps the conversations of many sensors. */
static void tell_conversation(struct recorder *r, const struct record *record)
{
    const struct record *fed = privacy_record(r->privacy, record, PRIVACY_FEED);
    struct hour_row sum;

    if (!fed || !feeds_want(r->feeds, EVENT_CONVERSATION))
        return;
    if (!r->hours && !(r->hours = hours_create(r->wiring->bounds.conversations))) {
        complain(r, "no memory for the sums of conversations: outputs are not told of them");
        return;
    }
    hours_add(r->hours, fed, clock_now(), &sum);
    feeds_conversation(r->feeds, &sum, r->policy->name);
}

static void take_record(struct recorder *r, const struct record *record)
{
    if (record->kind == RECORD_CONVERSATION && r->prober)
        schedule_sighted(r->schedule, r->policy, r->prober, record, clock_now());
    if (record->kind == RECORD_CONVERSATION)
        shares_add(&r->shares, record);
    if (record->kind == RECORD_CONVERSATION)
        tell_conversation(r, record);
    if (record->kind == RECORD_EVENT && r->prober)
        schedule_told(r->schedule, r->policy, r->prober, record, clock_now());
    if (record->kind == RECORD_MARK) {
        r->marked = true;
        commit(r);
        return;
    }
    if (record->kind == RECORD_EVENT && r->peering)
        peering_event(r->peering, &record->event, clock_now());
    if (record->kind == RECORD_EVENT) {
        count_begun(r, &record->event);
        tell_event(r, with_capture(r, record));
    } else if (record->kind == RECORD_QUERY) {
        tell_query(r, record);
    } else if ((record = privacy_record(r->privacy, record, PRIVACY_STORE)) != NULL) {
        keep(r, record, NULL);
    }
}

static void drain(struct recorder *r)
{
    const struct record *record;
    uint64_t lost;
    bool any = false;

    while ((record = ring_peek(r->wiring->records)) != NULL) {
        take_record(r, record);
        ring_pop(r->wiring->records);
        any = true;
        if (r->pending >= BATCH)
            commit(r);
    }
    if (any)
        feeds_flush(r->feeds);
    r->wiring->board->outputs_written = feeds_written(r->feeds);
    lost = feeds_lost(r->feeds);
    if (lost > r->wiring->board->outputs_lost)
        complain(r, "an output did not take an event: is the disk full?");
    r->wiring->board->outputs_lost = lost;
    if (r->pending && time_passed(r->committed, COMMIT, clock_now()))
        commit(r);
}

static void work_on_clips(struct recorder *r)
{
    struct clips_counts counts;

    clips_work(r->clips, clock_now());
    counts = clips_counts(r->clips);
    r->wiring->board->clips_written = counts.written;
    r->wiring->board->clips_failed = counts.failed;
    r->wiring->board->clips_refused = counts.refused;
}

static void keep_house(struct recorder *r)
{
    struct record record = {.kind = RECORD_STATS, .time = clock_now()};
    const struct board *b = r->wiring->board;

    if (!time_passed(r->housekept, HOUSEKEEP, record.time))
        return;
    r->housekept = record.time;
    record.stats = b->back;
    stats_add(&record.stats, &b->monitor);
    for (size_t i = 0; i < r->wiring->lane_count; i++)
        stats_add(&record.stats, &b->front[i]);
    keep(r, &record, NULL);
    if (feeds_want(r->feeds, EVENT_STATS))
        feeds_stats(r->feeds, &record, r->policy);
    commit(r);
    privacy_turn(r->privacy, record.time);
    if (store_retain(r->store, record.time) != SD_OK)
        complain(r, "the store could not be trimmed");
    while (witness_look(&r->witness, r->store, r->leaving, &record))
        tell_event(r, &record);
    feeds_flush(r->feeds);
}

/* One level; if that fails, opening the file will say what is wrong. */
static void make_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[256];

    if (!slash || slash == path || (size_t)(slash - path) >= sizeof folder)
        return;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    if (mkdir(folder, 0750) != 0)
        return;
}

static void make_output_folders(const struct policy *p)
{
    for (size_t i = 0; i < p->output_count; i++)
        make_folder_of(p->outputs[i].path);
}

/* Store and socket stay where they were opened, and that is what `status` shows. */
static void keep_paths(const struct recorder *r, struct policy *anew)
{
    if (strcmp(anew->store_path, r->policy->store_path) != 0)
        log_warning("store.path is %s until the next start", r->policy->store_path);
    if (strcmp(anew->socket_path, r->policy->socket_path) != 0)
        log_warning("control.socket is %s until the next start", r->policy->socket_path);
    text_copy(anew->store_path, sizeof anew->store_path, r->policy->store_path);
    text_copy(anew->socket_path, sizeof anew->socket_path, r->policy->socket_path);
}

static void use_retention(struct recorder *r)
{
    const struct policy *p = r->policy;
    struct store_retention wish = {.conversations = p->conversation_retention,
                                   .queries = p->query_log.retention};

    memcpy(wish.kinds, p->store_retention, sizeof wish.kinds);
    store_use_retention(r->store, &wish);
}

/* A sensor whose policy wants no probes has no thread for them. */
static void start_probing(struct recorder *r)
{
    const struct policy_probe *wish = &r->policy->probe;

    if (r->prober || (!wish->interval && !wish->on_sight))
        return;
    r->schedule = schedule_create();
    r->prober = r->schedule ? prober_create() : NULL;
    if (r->prober)
        return;
    schedule_destroy(r->schedule);
    r->schedule = NULL;
    log_warning("no memory for probes: resolvers are not asked");
}

static void stop_probing(struct recorder *r)
{
    prober_destroy(r->prober);
    schedule_destroy(r->schedule);
}

/* What was found goes to the parser's detectors, by way of the monitor. */
static void pass_probes(struct recorder *r)
{
    struct message m = {.type = REQUEST_PROBED};

    if (!r->prober)
        return;
    schedule_tick(r->schedule, r->policy, r->prober, clock_now());
    while (prober_take(r->prober, &m.probe)) {
        probe_judge(r->policy, m.probe.found.resolver, &m.probe.found);
        if (channel_send(&r->wiring->recorder, &m, -1) != SD_OK)
            log_warning("what a probe found could not be passed on");
    }
}

static void pass_on_peer(struct recorder *r, const struct message *m)
{
    if (channel_send(&r->wiring->recorder, m, -1) != SD_OK)
        log_warning("what the other gateway told could not be passed on");
}

static void pass_peer_events(void *context, const struct open_event_batch *b)
{
    pass_on_peer(context, &(struct message){.type = REQUEST_PEER, .peer = *b});
}

static void pass_peer_pairs(void *context, const struct pair_batch *b)
{
    pass_on_peer(context, &(struct message){.type = REQUEST_PAIRS, .pairs = *b});
}

static int start_peering(struct recorder *r, char *error)
{
    struct peering_sink sink = {pass_peer_events, pass_peer_pairs, r};

    if (addr_is_zero(&r->policy->peer.listen))
        return SD_OK;
    return peering_open(&r->policy->peer, sink, &r->peering, error);
}

/* The monitor takes what the peer tells only while its policy has one. */
static void peer_again(struct recorder *r, const struct policy *before)
{
    const struct policy_peer *a = &before->peer, *b = &r->policy->peer;
    char error[256] = "";

    if (addr_equal(&a->listen, &b->listen) && addr_equal(&a->address, &b->address) &&
        a->port == b->port && strcmp(a->key, b->key) == 0)
        return;
    peering_close(r->peering);
    r->peering = NULL;
    if (start_peering(r, error) != SD_OK)
        log_error("%s: the other gateway is not heard", error);
}

static void take_policy(struct recorder *r, int descriptor)
{
    struct policy *anew, *before;
    char error[OUTPUT_ERROR] = "";

    if (descriptor < 0 || wiring_receive_policy(r->wiring, descriptor, &anew) != SD_OK)
        return; /* the monitor compiled the same text: only memory can fail here */
    keep_paths(r, anew);
    make_output_folders(anew);
    if (feeds_use_policy(r->feeds, anew, error) != SD_OK)
        log_error("outputs are not as the policy says: %s", error);
    clips_use_policy(r->clips, &anew->evidence);
    before = r->policy;
    r->policy = anew;
    privacy_use_policy(r->privacy, anew, clock_now());
    use_retention(r);
    peer_again(r, before);
    site_use_policy(r->site, before, anew);
    start_probing(r);
}

void recorder_message(struct recorder *r, const struct message *m, int descriptor)
{
    switch (m->type) {
    case TELL_POLICY:
        take_policy(r, descriptor);
        break;
    case TELL_INSTALLED:
        r->rules = m->rules;
        break;
    case TELL_PAIRS:
        if (r->peering)
            peering_pairs(r->peering, &m->pairs, clock_now());
        break;
    case TELL_REOPEN:
        feeds_reopen(r->feeds);
        break;
    case TELL_STOP:
        r->leaving = true;
        break;
    default:
        break;
    }
}

static void read_channel(struct recorder *r)
{
    struct message m;
    int descriptor, status;

    while ((status = channel_receive(&r->wiring->recorder, &m, &descriptor, 0)) == SD_OK)
        recorder_message(r, &m, descriptor);
    if (status == SD_EEND)
        r->leaving = r->orphan = true;
}

static void sleep_until_rung(struct recorder *r)
{
    struct pollfd wait[5 + CONTROL_CLIENTS];
    nfds_t count = control_poll(r->control, wait);
    bool sleep = ring_may_sleep(r->wiring->records);

    wait[count++] = (struct pollfd){.fd = ring_descriptor(r->wiring->records), .events = POLLIN};
    wait[count++] = (struct pollfd){.fd = r->wiring->recorder.descriptor, .events = POLLIN};
    if (r->prober)
        wait[count++] = (struct pollfd){.fd = prober_descriptor(r->prober), .events = POLLIN};
    if (r->peering)
        wait[count++] = (struct pollfd){.fd = peering_descriptor(r->peering), .events = POLLIN};
    if (poll(wait, count, sleep ? (r->pending ? 50 : 500) : 0) < 0)
        memset(wait, 0, sizeof wait);
    ring_awake(r->wiring->records);
    control_serve(r->control, wait, clock_now());
}

static int open_all(struct recorder *r)
{
    const struct policy *p = r->policy;
    struct store_options options = {.path = p->store_path,
                                    .max_size = p->store_max_size,
                                    .max_age = p->store_max_age,
                                    .host = p->name,
                                    .now = clock_now(),
                                    .cache = r->wiring->bounds.store};
    char error[STORE_ERROR] = "", unsigned_why[SIGNING_ERROR];
    int status, keyless;

    make_folder_of(p->store_path);
    make_folder_of(p->socket_path);
    make_output_folders(p);
    keyless = witness_open(&r->witness, p->store_path, unsigned_why);
    options.key = r->witness.key;
    status = privacy_open(p, clock_now(), &r->privacy, error);
    if (status == SD_OK)
        status = store_open(&options, &r->store, error);
    if (status == SD_OK && keyless != SD_OK)
        log_warning("%s: the evidence chain of the store is not signed", unsigned_why);
    if (status == SD_OK)
        use_retention(r);
    if (status == SD_OK)
        status = feeds_open(p, &r->feeds, error);
    if (status == SD_OK)
        status = start_peering(r, error);
    if (status == SD_OK)
        status = control_open(p->socket_path, recorder_answer, r, &r->control, error);
    if (status != SD_OK)
        log_error("%s", error[0] ? error : sd_strerror(status));
    for (size_t i = 0; i < r->wiring->lane_count && r->wiring->trails[i]; i++)
        trail_only_read(r->wiring->trails[i]);
    r->clips = clips_create(r->wiring->trails, r->wiring->lane_count);
    if (!r->clips)
        return SD_EMEM;
    clips_use_policy(r->clips, &p->evidence);
    return status;
}

/* The monitor was killed: the parser ends by that too, and its last words close with a mark. */
static void hear_last_words(struct recorder *r)
{
    static const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    nsec_t until = clock_now() + ORPHAN;

    for (r->marked = false; !r->marked && clock_now() < until; drain(r))
        nanosleep(&moment, NULL);
}

static void finish(struct recorder *r)
{
    stop_probing(r);
    site_destroy(r->site);
    control_close(r->control); /* first: the next sensor may be waiting for its place */
    if (r->store && r->feeds) {
        if (r->orphan)
            hear_last_words(r);
        drain(r);
        r->housekept = 0;
        keep_house(r);
        commit(r);
    }
    if (r->peering)
        peering_work(r->peering, clock_now());
    peering_close(r->peering);
    clips_destroy(r->clips);
    feeds_close(r->feeds);
    store_close(r->store);
    witness_close(&r->witness);
    hours_destroy(r->hours);
    privacy_close(r->privacy);
    policy_destroy(r->policy);
}

int recorder_main(struct wiring *w)
{
    struct recorder r = {.wiring = w, .policy = w->policy};
    struct message ready = {.type = REQUEST_READY};
    int status;

    if (sandbox_recorder() != SD_OK) {
        log_error("the recorder could not give up its privileges; not going on");
        return 1;
    }
    /* The packets are the parser's: their descriptors, which a fork shares, are none of ours. */
    for (size_t i = 0; i < w->lane_count; i++)
        close(capture_live_descriptor(w->captures[i]));
    status = open_all(&r);
    r.committed = r.housekept = clock_now();
    if (status == SD_OK)
        start_probing(&r);
    if (status == SD_OK && !(r.site = site_create(r.policy)))
        status = SD_EMEM;
    if (status == SD_OK)
        status = channel_send(&w->recorder, &ready, -1);
    while (status == SD_OK && !r.leaving) {
        sleep_until_rung(&r);
        read_channel(&r);
        drain(&r);
        if (r.peering)
            peering_work(r.peering, clock_now());
        pass_probes(&r);
        site_wake(r.site, clock_now());
        work_on_clips(&r);
        keep_house(&r);
    }
    finish(&r);
    return status == SD_OK ? 0 : 1;
}
