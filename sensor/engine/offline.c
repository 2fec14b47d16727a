#include "engine/offline.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "capture/capture.h"
#include "engine/ahead.h"
#include "engine/relay.h"

#define TICK      (100 * NSEC_MS)
#define FLUSH     (600 * NSEC_S) /* nobody looks on */
#define MOST_GAPS 100            /* ticks over one silence: ten seconds in steps, then one leap */
#define BETWEEN   (1 << 20)      /* octets of observations between front and back */

/* Seeds offline are fixed, or eviction could make two runs differ; the tables' worst case does not
 * depend on the seed (base/table.h). */
#define SEED UINT64_C(0x5ea1d450ff11e)

struct run {
    const struct offline *options;
    struct front *front;
    struct back *back;
    struct offline_result *result;
    nsec_t ticked;
    struct relay *relay; /* from the front to the back's thread; NULL: one thread does both */
    pthread_t thread;
    bool lost; /* no memory for what went through the relay */
};

/* What goes through the relay: an observation, or the time that back_tick() is to hear. */
struct item {
    bool tick;
    nsec_t now;
    struct observation observation;
};

static void *run_back(void *context)
{
    struct run *r = context;
    const struct item *item;

    while ((item = relay_take(r->relay)) != NULL) {
        if (item->tick)
            back_tick(r->back, item->now);
        else
            back_observation(r->back, &item->observation);
    }
    return NULL;
}

static void put_observation(void *context, struct observation *o)
{
    struct run *r = context;
    size_t size = observation_size(o);
    struct item *item;

    if (!r->relay) {
        back_observation(r->back, o);
        return;
    }
    item = relay_put(r->relay, offsetof(struct item, observation) + size);
    r->lost |= !item;
    if (!item)
        return;
    item->tick = false;
    memcpy(&item->observation, o, size);
}

static struct observation *room(void *context)
{
    struct run *r = context;

    return back_room(r->back);
}

static void tick(struct run *r, nsec_t now)
{
    struct item *item;

    front_tick(r->front, now);
    r->ticked = now;
    if (!r->relay) {
        back_tick(r->back, now);
        return;
    }
    item = relay_put(r->relay, offsetof(struct item, observation));
    r->lost |= !item;
    if (!item)
        return;
    item->tick = true;
    item->now = now;
}

/* Time passes as it did when the packets were on the wire: what times out between two packets does
 * so before the second. */
static void pass_time(struct run *r, nsec_t now)
{
    if (!r->ticked)
        r->ticked = now;
    for (int i = 0; i < MOST_GAPS && now - r->ticked >= TICK; i++)
        tick(r, r->ticked + TICK);
    if (now - r->ticked >= TICK)
        tick(r, now);
}

static void put_frame(void *context, const struct frame *frame)
{
    struct run *r = context;

    if (!r->result->first || frame->time < r->result->first)
        r->result->first = frame->time;
    if (frame->time > r->result->last)
        r->result->last = frame->time;
    pass_time(r, frame->time);
    front_frame(r->front, frame);
}

static void tell_progress(const struct run *r, const struct capture *c)
{
    struct capture_progress of;
    struct offline_progress p = {.frames = front_stats(r->front)->packets,
                                 .octets = front_stats(r->front)->bytes};

    if (!r->options->progress)
        return;
    capture_files_progress(c, &of);
    p.read = of.read;
    p.size = of.size;
    r->options->progress(r->options->progress_context, &p);
}

static int read_all(struct run *r, struct capture *c, void (*notice)(const char *line))
{
    const char *line;
    int got;

    do {
        got = c->ops->read(c, put_frame, r);
        while ((line = c->ops->notice(c)) != NULL)
            notice(line);
        tell_progress(r, c);
    } while (got > 0 || got == SD_EAGAIN);
    return got == SD_EEND || got == 0 ? SD_OK : got;
}

/* threads: front and back each have one, so that neither writes where the other reads. */
static int start(struct run *r, bool threads)
{
    struct back_options back = {
        .bounds = &r->options->bounds, .seed = SEED, .flush = FLUSH, .sink = r->options->sink};
    struct observation_sink sink = {
        .put = put_observation, .context = r, .room = threads ? NULL : room};

    r->back = back_create(&back, r->options->policy, r->options->policy->mode);
    r->front = front_create(&r->options->bounds, true, SEED, sink);
    if (!r->back || !r->front)
        return SD_EMEM;
    front_use_policy(r->front, r->options->policy);
    return SD_OK;
}

static int processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* The back gets a thread of its own; where there is none to be had this one does both. */
static void part(struct run *r)
{
    r->relay = relay_create(BETWEEN);
    if (r->relay && pthread_create(&r->thread, NULL, run_back, r) != 0) {
        relay_destroy(r->relay);
        r->relay = NULL;
    }
}

static void join(struct run *r)
{
    if (!r->relay)
        return;
    relay_end(r->relay);
    pthread_join(r->thread, NULL);
    relay_destroy(r->relay);
}

static void finish(struct run *r)
{
    nsec_t end = r->result->last;

    /* Two seconds of silence more: a query in the last packet may complete a finding. */
    for (int i = 0; end && i < 20; i++)
        tick(r, r->ticked + TICK);
    front_flush(r->front, end);
    join(r);
    back_flush(r->back, end);
    r->result->stats = *front_stats(r->front);
    stats_add(&r->result->stats, back_stats(r->back));
}

int offline_run(const struct offline *options, char *const *paths, size_t count,
                void (*notice)(const char *line), struct offline_result *result,
                char error[OFFLINE_ERROR])
{
    struct run r = {.options = options, .result = result};
    struct capture *c = NULL;
    struct capture_ahead ahead = reading_ahead;
    bool threads = !options->one_thread && processors() > 1;
    int status;

    memset(result, 0, sizeof *result);
    ahead.plain = processors() > 2; /* two are busy with front and back */
    status = capture_files_open(paths, count, threads ? &ahead : NULL, &c, error);
    if (status != SD_OK)
        return status;
    *error = '\0';
    status = start(&r, threads);
    if (status == SD_OK) {
        if (threads)
            part(&r);
        status = read_all(&r, c, notice);
        finish(&r);
        if (status != SD_OK)
            snprintf(error, OFFLINE_ERROR, "%s", c->ops->error(c));
        else if (r.lost)
            status = SD_EMEM;
    }
    if (status != SD_OK && !*error)
        snprintf(error, OFFLINE_ERROR, "%s", sd_strerror(status));
    c->ops->destroy(c);
    front_destroy(r.front);
    if (status == SD_OK)
        result->back = r.back;
    else
        back_destroy(r.back);
    return status;
}
