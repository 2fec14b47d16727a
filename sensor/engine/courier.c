#include "engine/courier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/gateway.h"

#define IDLE        (500 * NSEC_MS)
#define PAUSE_LEAST (200 * NSEC_MS)
#define PAUSE_MOST  (30 * NSEC_S)
#define LAST_TRY    (2 * NSEC_S)
#define HELD        (10 * NSEC_S) /* what was sent so lately may not have been read */
#define MARKS       16

/* How far it was at a time. */
struct milestone {
    nsec_t time;
    struct spool_place place;
};

struct courier {
    const struct output_feed *feed;
    void *state;
    char id[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool leaving;
    _Atomic nsec_t deadline; /* of what it does now: 0: none; else it is to end */
    struct spool *spool;
    nsec_t pause;
    struct milestone milestones[MARKS]; /* the oldest first */
    size_t milestone_count;
    struct courier_counts counts;
    struct spool_line lines[SPOOL_BATCH]; /* of the thread alone */
};

/* With the lock held. */
static void rest(struct courier *c, nsec_t span)
{
    struct timespec until;

    if (c->leaving)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += span / NSEC_S;
    until.tv_nsec += span % NSEC_S;
    until.tv_sec += until.tv_nsec / NSEC_S;
    until.tv_nsec %= NSEC_S;
    pthread_cond_timedwait(&c->wake, &c->lock, &until);
}

static void settle_all(struct courier *c)
{
    struct spool_place place = spool_place(c->spool);

    spool_settle(c->spool, &place);
    c->milestone_count = 0;
}

/* Once a second it is noted how far it got, and what was noted ten seconds ago has arrived. */
static void settle(struct courier *c)
{
    struct milestone *m = c->milestones;
    nsec_t now = clock_now();

    if (c->feed->acknowledges) {
        settle_all(c);
        return;
    }
    while (c->milestone_count && time_passed(m[0].time, HELD, now)) {
        spool_settle(c->spool, &m[0].place);
        memmove(m, m + 1, --c->milestone_count * sizeof *m);
    }
    if (c->milestone_count == MARKS ||
        (c->milestone_count && !time_passed(m[c->milestone_count - 1].time, NSEC_S, now)))
        return;
    m[c->milestone_count++] = (struct milestone){now, spool_place(c->spool)};
}

static void note_success(struct courier *c)
{
    if (c->counts.failing)
        log_notice("output %s: its receiver takes events again", c->id);
    c->counts.failing = 0;
    c->pause = PAUSE_LEAST;
}

static void note_failure(struct courier *c, const char *error)
{
    c->counts.failures++;
    text_printable(error, OUTPUT_ERROR, c->counts.error, sizeof c->counts.error);
    if (!c->counts.failing) {
        c->counts.failing = clock_now();
        log_warning("output %s: %s; events wait in its spool", c->id, c->counts.error);
    }
    spool_rewind(c->spool);
    c->milestone_count = 0;
}

static bool is_over(void *context)
{
    struct courier *c = context;
    nsec_t deadline = atomic_load(&c->deadline);

    return deadline && clock_now() >= deadline;
}

/* One batch, with the lock held before and after. False: there was none, or it failed. */
static bool carry(struct courier *c)
{
    struct output_batch b = {.lines = c->lines, .patience = {is_over, c}};
    int status;

    b.count = spool_next(c->spool, c->lines, SPOOL_BATCH);
    if (!b.count) {
        settle(c);
        return false;
    }
    pthread_mutex_unlock(&c->lock);
    status = c->feed->deliver(c->state, &b);
    pthread_mutex_lock(&c->lock);
    spool_told(c->spool, b.taken);
    c->counts.told += b.taken;
    if (status == SD_OK || (b.taken && c->feed->acknowledges))
        settle(c);
    c->counts.refused += status == SD_EMALF;
    if (status == SD_OK)
        note_success(c);
    else
        note_failure(c, b.error[0] ? b.error : sd_strerror(status));
    return status == SD_OK;
}

/* The end: what waits is told while the receiver takes it and there is time. */
static void carry_the_last(struct courier *c)
{
    while (!c->counts.failing && !is_over(c) && carry(c))
        continue;
    if (!c->counts.failing && c->feed->finish && c->feed->finish(c->state))
        settle_all(c);
}

static void *carry_on(void *argument)
{
    struct courier *c = argument;

    pthread_mutex_lock(&c->lock);
    while (!c->leaving) {
        if (carry(c))
            continue;
        rest(c, c->counts.failing ? c->pause : IDLE);
        if (c->counts.failing)
            c->pause = 2 * c->pause < PAUSE_MOST ? 2 * c->pause : PAUSE_MOST;
    }
    carry_the_last(c);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int start(struct courier *c)
{
    pthread_condattr_t monotonic;
    int failed;

    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    failed = pthread_create(&c->thread, NULL, carry_on, c);
    return failed ? SD_EMEM : SD_OK;
}

static void free_all(struct courier *c)
{
    c->feed->close(c->state);
    spool_close(c->spool);
    free(c);
}

int courier_open(const struct output_feed *feed, void *state, const struct policy_output *config,
                 const char *folder, struct courier **out, char error[OUTPUT_ERROR])
{
    struct courier *c = calloc(1, sizeof *c);
    int status;

    if (!c) {
        feed->close(state);
        return SD_EMEM;
    }
    c->feed = feed;
    c->state = state;
    c->pause = PAUSE_LEAST;
    text_copy(c->id, sizeof c->id, config->id);
    status = spool_open(folder, config->spool, &c->spool, error);
    if (status == SD_OK)
        status = start(c);
    if (status == SD_OK)
        *out = c;
    else
        free_all(c);
    return status;
}

void courier_close(struct courier *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    spool_flush(c->spool);
    c->leaving = true;
    atomic_store(&c->deadline, clock_now() + (c->counts.failing ? 0 : LAST_TRY));
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    free_all(c);
}

int courier_put(struct courier *c, const char *line, const struct spool_mark *mark)
{
    int status;

    pthread_mutex_lock(&c->lock);
    status = spool_put(c->spool, line, mark);
    pthread_mutex_unlock(&c->lock);
    return status;
}

int courier_flush(struct courier *c)
{
    int status;

    pthread_mutex_lock(&c->lock);
    status = spool_flush(c->spool);
    if (!c->counts.failing)
        pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    return status;
}

void courier_counts(struct courier *c, struct courier_counts *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->counts;
    out->spool = spool_counts(c->spool);
    pthread_mutex_unlock(&c->lock);
}
