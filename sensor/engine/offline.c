#include "engine/offline.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "capture/capture.h"

#define TICK      (100 * NSEC_MS)
#define FLUSH     (600 * NSEC_S) /* nobody looks on */
#define MOST_GAPS 100            /* ticks over one silence: ten seconds in steps, then one leap */

/* Seeds offline are fixed, or eviction could make two runs differ; the tables' worst case does not
 * depend on the seed (base/table.h). */
#define SEED UINT64_C(0x5ea1d450ff11e)

struct run {
    const struct offline *options;
    struct front *front;
    struct back *back;
    struct offline_result *result;
    nsec_t ticked;
};

static void put_observation(void *context, struct observation *o)
{
    struct run *r = context;

    back_observation(r->back, o);
}

static void tick(struct run *r, nsec_t now)
{
    front_tick(r->front, now);
    back_tick(r->back, now);
    r->ticked = now;
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

static int read_all(struct run *r, struct capture *c, void (*notice)(const char *line))
{
    const char *line;
    int got;

    do {
        got = c->ops->read(c, put_frame, r);
        if ((line = c->ops->notice(c)) != NULL)
            notice(line);
        if (r->options->progress)
            r->options->progress(r->options->progress_context, capture_files_progress(c),
                                 front_stats(r->front)->packets);
    } while (got > 0 || got == SD_EAGAIN);
    return got == SD_EEND || got == 0 ? SD_OK : got;
}

static int start(struct run *r)
{
    struct back_options back = {.conversations = r->options->conversations,
                                .seed = SEED,
                                .flush = FLUSH,
                                .sink = r->options->sink};
    struct observation_sink sink = {put_observation, r};

    r->back = back_create(&back, r->options->policy, r->options->policy->mode);
    r->front = front_create(true, SEED, sink);
    if (!r->back || !r->front)
        return SD_EMEM;
    front_use_policy(r->front, r->options->policy);
    return SD_OK;
}

static void finish(struct run *r)
{
    nsec_t end = r->result->last;

    /* Two seconds of silence more: a query in the last packet may complete a finding. */
    for (int i = 0; end && i < 20; i++)
        tick(r, r->ticked + TICK);
    front_flush(r->front, end);
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
    int status;

    memset(result, 0, sizeof *result);
    status = capture_files_open(paths, count, &c, error);
    if (status != SD_OK)
        return status;
    status = start(&r);
    if (status == SD_OK) {
        status = read_all(&r, c, notice);
        if (status != SD_OK)
            snprintf(error, OFFLINE_ERROR, "%s", c->ops->error(c));
        finish(&r);
    } else {
        snprintf(error, OFFLINE_ERROR, "%s", sd_strerror(status));
    }
    c->ops->destroy(c);
    front_destroy(r.front);
    if (status == SD_OK)
        result->back = r.back;
    else
        back_destroy(r.back);
    return status;
}
