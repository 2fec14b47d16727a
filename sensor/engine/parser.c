/* The parser process: the capture threads, and the engine thread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/cuts.h"
#include "engine/gateway.h"
#include "engine/lane.h"
#include "engine/overload.h"
#include "engine/pairing.h"
#include "engine/pipeline.h"
#include "engine/sensor.h"
#include "priv/sandbox.h"
#include "store/store.h"

#define BATCH     4096 /* observations taken before messages are looked at */
#define LOSS_LOOK (10 * NSEC_S)
#define PATIENCE  (5 * NSEC_S)

struct loss {
    uint64_t kernel, observations, records, cuts, queries;
    uint64_t rows, lines; /* that the recorder could not store, or write to a feed */
};

struct parser {
    struct wiring *wiring;
    struct back *back;
    struct policy *policy, *old; /* old: until no lane uses it */
    bool installed;
    atomic_bool stop;
    bool leaving;
    nsec_t shown, looked;
    nsec_t patience; /* at the end: until when the recorder is waited for, else 0 */
    struct loss told;
    struct overload overload;
    struct pairing pairing;
    struct cuts_reader *cuts;
    struct merge merge;
    struct lane lanes[MOST_LANES];
};

/* Records in the ring beyond which the room is for events. */
static size_t rollups(const struct parser *p)
{
    return p->wiring->bounds.records / 4 * 3;
}

/* The query log has half of it: whoever asks much must not take the room of what is told of him. */
static size_t queries(const struct parser *p)
{
    return p->wiring->bounds.records / 2;
}

/* At the end nothing comes after: what is left to tell may wait for the recorder. */
static void wait_for_room(const struct parser *p)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    struct ring *ring = p->wiring->records;

    while (ring_length(ring) >= queries(p) && clock_now() < p->patience) {
        ring_wake(ring);
        nanosleep(&moment, NULL);
    }
}

static int put_record(void *context, const struct record *r)
{
    struct parser *p = context;
    struct ring *ring = p->wiring->records;

    if (p->patience)
        wait_for_room(p);
    /* Rollups and what was learned wait for the next time rather than take the room of events. */
    if ((r->kind == RECORD_CONVERSATION || r->kind == RECORD_MEMORY) &&
        ring_length(ring) > rollups(p))
        return SD_ELIMIT;
    if (r->kind == RECORD_QUERY)
        return ring_length(ring) < queries(p) ? ring_push(ring, r, record_size(r)) : SD_ELIMIT;
    if (ring_push(ring, r, record_size(r)) == SD_OK)
        return SD_OK;
    back_stats(p->back)->records_dropped++;
    return SD_ELIMIT;
}

static void retire_policy(struct parser *p)
{
    for (size_t i = 0; p->old && i < p->wiring->lane_count; i++)
        if (atomic_load(&p->lanes[i].used) != p->policy)
            return;
    policy_destroy(p->old);
    p->old = NULL;
}

static void take_policy(struct parser *p, int descriptor)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    struct policy *anew;

    if (descriptor < 0 || wiring_receive_policy(p->wiring, descriptor, &anew) != SD_OK)
        return; /* the monitor compiled the same text: only memory can fail here */
    for (retire_policy(p); p->old; retire_policy(p))
        nanosleep(&moment, NULL); /* a lane changes over within one read, 100 ms at most */
    back_use_policy(p->back, anew, anew->mode, p->installed);
    p->old = p->policy;
    p->policy = anew;
    for (size_t i = 0; i < p->wiring->lane_count; i++)
        atomic_store(&p->lanes[i].wanted, anew);
}

/* The sensor's own question to a resolver: no client, no flow. */
static void take_probe(struct parser *p, const struct probe_report *report)
{
    struct observation o = {.kind = OBSERVE_PROBE,
                            .transport = report->transport,
                            .time = report->time,
                            .iface = UINT16_MAX,
                            .server = report->server,
                            .server_port = report->port};

    o.probe = report->found;
    back_observation(p->back, &o);
}

static void take_message(struct parser *p, const struct message *m, int descriptor)
{
    switch (m->type) {
    case TELL_POLICY:
        take_policy(p, descriptor);
        break;
    case TELL_INSTALLED:
        p->installed = m->rules.installed;
        back_use_policy(p->back, p->policy, p->policy->mode, p->installed);
        break;
    case TELL_FINDING:
        back_finding(p->back, &m->finding);
        break;
    case TELL_PROBED:
        take_probe(p, &m->probe);
        break;
    case TELL_PEER:
        back_adopt(p->back, &m->peer, clock_now());
        break;
    case TELL_PAIRS:
        pairing_told(p->back, p->policy, &m->pairs);
        break;
    case TELL_CUTS:
        cuts_reader_take(p->cuts, descriptor);
        break;
    case TELL_STOP:
        p->leaving = true;
        break;
    default:
        break;
    }
}

static void read_channel(struct parser *p)
{
    struct message m;
    int descriptor, status;

    while ((status = channel_receive(&p->wiring->parser, &m, &descriptor, 0)) == SD_OK)
        take_message(p, &m, descriptor);
    if (status == SD_EEND)
        p->leaving = true;
}

static void put_cut(void *context, struct observation *o)
{
    back_observation(((struct parser *)context)->back, o);
}

/* now INT64_MAX: nothing more will come. */
static nsec_t drain(struct parser *p, nsec_t now, bool *more)
{
    const struct observation *o = NULL;
    nsec_t last = 0;
    bool cuts;

    cuts = cuts_reader_read(p->cuts, (struct observation_sink){.put = put_cut, .context = p},
                            back_stats(p->back));
    for (int n = 0; n < BATCH && (o = merge_next(&p->merge, now)) != NULL; n++) {
        last = o->time;
        back_observation(p->back, o);
        merge_take(&p->merge);
        if (n % ACCOUNT_BATCH == 0)
            pairing_flush(&p->pairing);
    }
    *more = cuts || o != NULL;
    return last;
}

static struct loss losses(const struct parser *p)
{
    const struct board *b = p->wiring->board;
    struct loss now = {.records = ring_dropped(p->wiring->records),
                       .rows = b->store_failed,
                       .lines = b->outputs_lost,
                       .cuts = back_stats(p->back)->cuts_lost,
                       .queries = back_stats(p->back)->queries_unlogged};

    for (size_t i = 0; i < p->wiring->lane_count; i++) {
        now.kernel += __atomic_load_n(&b->captured[i].kernel_drops, __ATOMIC_RELAXED);
        now.observations += ring_dropped(p->wiring->observations[i]);
    }
    return now;
}

/* A sensor that lost something says so itself, with numbers. */
static void look_for_loss(struct parser *p, nsec_t now)
{
    static const char what[] = "loss";
    struct loss sum = losses(p);
    struct finding f;

    if (!time_passed(p->looked, LOSS_LOOK, now))
        return;
    p->looked = now;
    if (memcmp(&sum, &p->told, sizeof sum) == 0)
        return;
    own_finding(&f, KIND_SENSOR, "sensor", what);
    f.severity = SEVERITY_MEDIUM;
    f.key = hash_bytes(what, sizeof what, 0);
    evidence_integer(&f.evidence, "kernel_drops", (int64_t)(sum.kernel - p->told.kernel));
    evidence_integer(&f.evidence, "observations_dropped",
                     (int64_t)(sum.observations - p->told.observations));
    evidence_integer(&f.evidence, "records_dropped", (int64_t)(sum.records - p->told.records));
    evidence_integer(&f.evidence, "rows_not_stored", (int64_t)(sum.rows - p->told.rows));
    evidence_integer(&f.evidence, "lines_not_written", (int64_t)(sum.lines - p->told.lines));
    evidence_integer(&f.evidence, "cuts_lost", (int64_t)(sum.cuts - p->told.cuts));
    evidence_integer(&f.evidence, "queries_not_logged", (int64_t)(sum.queries - p->told.queries));
    back_finding(p->back, &f);
    p->told = sum;
}

static void pass_time(struct parser *p, nsec_t last, bool more)
{
    nsec_t now = clock_now();
    struct finding f;

    back_tick(p->back, more && last ? last : now - LANE_LAG);
    pairing_flush(&p->pairing);
    back_stats(p->back)->pairs_refused = p->pairing.dropped;
    look_for_loss(p, now);
    retire_policy(p);
    ring_wake(p->wiring->records);
    if (!time_passed(p->shown, LANE_SHOW, now))
        return;
    p->shown = now;
    if (overload_look(&p->overload, p->wiring, now, &f))
        back_finding(p->back, &f);
    p->wiring->board->back = *back_stats(p->back);
}

static void sleep_until_rung(struct parser *p)
{
    struct pollfd wait[2 + MOST_LANES] = {
        {.fd = p->wiring->parser.descriptor, .events = POLLIN},
        {.fd = cuts_reader_descriptor(p->cuts), .events = POLLIN}};
    size_t count = p->wiring->lane_count;
    nsec_t least = 100 * NSEC_MS, held;
    bool sleep = true;

    for (size_t i = 0; i < count; i++) {
        struct ring *ring = p->wiring->observations[i];

        wait[2 + i] = (struct pollfd){.fd = ring_descriptor(ring), .events = POLLIN};
        sleep &= ring_may_sleep(ring);
    }
    held = sleep ? -1 : merge_wait(&p->merge, clock_now());
    if (held >= 0 && held < least)
        least = held;
    if (ppoll(wait, 2 + (nfds_t)count, &(struct timespec){.tv_nsec = least}, NULL) < 0 &&
        errno != EINTR)
        log_error("poll: %s", strerror(errno));
    for (size_t i = 0; i < count; i++)
        ring_awake(p->wiring->observations[i]);
}

static void run_engine(struct parser *p)
{
    bool more = false;

    while (!p->leaving) {
        nsec_t last;

        if (!more)
            sleep_until_rung(p);
        read_channel(p);
        last = drain(p, clock_now(), &more);
        pass_time(p, last, more);
    }
}

static int recall_row(void *context, const struct memory_row *row)
{
    struct parser *p = context;
    struct memory m = {.time = row->time};

    if (row->size > sizeof m.body)
        return 0; /* not one of ours */
    text_copy(m.topic, sizeof m.topic, row->topic);
    text_copy(m.key, sizeof m.key, row->key);
    m.size = (uint16_t)row->size;
    if (row->size)
        memcpy(m.body, row->body, row->size);
    evidence_clear(&m.text);
    back_recall(p->back, &m);
    return 0;
}

/* What earlier runs learned, read while a file may still be opened. No store yet: nothing. */
static void recall(struct parser *p)
{
    struct store_reader *reader;
    char error[STORE_ERROR];

    if (store_reader_open(p->policy->store_path, &reader, error) != SD_OK)
        return;
    /* Who the clients are comes first: all else that is known of them goes to their places. */
    if (store_memory(reader, "client", NULL, recall_row, p) != SD_OK ||
        store_memory(reader, NULL, NULL, recall_row, p) != SD_OK)
        log_warning("what was learned before could not be read from %s", p->policy->store_path);
    store_reader_close(reader);
}

static int make(struct parser *p, uint64_t seed)
{
    struct back_options options = {.points = true,
                                   .bounds = &p->wiring->bounds,
                                   .seed = seed,
                                   .sink = {put_record, p},
                                   .pairs = {pairing_put, &p->pairing},
                                   .latencies = &p->wiring->board->latencies};
    int status = SD_OK;

    p->pairing.monitor = &p->wiring->parser;
    p->cuts = cuts_reader_create(p->wiring->board, seed);
    p->back = p->cuts ? back_create(&options, p->policy, p->policy->mode) : NULL;
    p->merge.count = p->wiring->lane_count;
    for (size_t i = 0; p->back && status == SD_OK && i < p->wiring->lane_count; i++) {
        struct lane *l = &p->lanes[i];

        l->wiring = p->wiring;
        l->stop = &p->stop;
        l->told = &p->merge.source[i];
        l->number = i;
        status = lane_make(l, p->policy, seed);
    }
    if (p->back && status == SD_OK)
        recall(p);
    return p->back ? status : SD_EMEM;
}

static int start(struct parser *p)
{
    struct message ready = {.type = REQUEST_READY};

    if (sandbox_parser() != SD_OK) {
        log_error("the parser could not give up its privileges; not going on");
        return SD_EPERM;
    }
    for (size_t i = 0; i < p->wiring->lane_count; i++)
        if (lane_start(&p->lanes[i]) != SD_OK)
            return SD_EMEM;
    return channel_send(&p->wiring->parser, &ready, -1);
}

static void stop(struct parser *p)
{
    struct finding f;
    bool more = true;

    atomic_store(&p->stop, true);
    for (size_t i = 0; i < p->wiring->lane_count; i++)
        lane_join(&p->lanes[i]);
    if (!p->back)
        return;
    p->patience = clock_now() + PATIENCE;
    while (more)
        drain(p, INT64_MAX, &more);
    look_for_loss(p, INT64_MAX);
    own_finding(&f, KIND_SENSOR, "sensor", "stop");
    back_finding(p->back, &f);
    back_flush(p->back, clock_now());
    p->wiring->board->back = *back_stats(p->back);
    ring_wake(p->wiring->records);
}

int parser_main(struct wiring *w)
{
    struct parser *p = calloc(1, sizeof *p);
    uint64_t seed;
    int status;

    if (!p || getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return 1;
    tzset();
    p->wiring = w;
    p->policy = w->policy;
    status = make(p, seed);
    if (status == SD_OK)
        status = start(p);
    if (status == SD_OK)
        run_engine(p);
    else
        log_error("the parser did not start: %s", sd_strerror(status));
    stop(p);
    for (size_t i = 0; i < w->lane_count; i++)
        lane_finish(&p->lanes[i]);
    back_destroy(p->back);
    cuts_reader_destroy(p->cuts);
    policy_destroy(p->policy);
    policy_destroy(p->old);
    free(p);
    return status == SD_OK ? 0 : 1;
}
