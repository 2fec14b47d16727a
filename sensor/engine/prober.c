#include "engine/prober.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/gateway.h"

#define HURRY (3600 * NSEC_S)

struct prober {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a question came, a result was taken, or it is to end */
    atomic_bool leaving;
    nsec_t hurry; /* of the thread alone */
    int event;
    nsec_t timeout;
    struct probe_target queue[PROBER_QUEUE];
    size_t first, count;
    struct probe_report results[PROBER_RESULTS];
    size_t taken, ready;
};

/* When the sensor is to end, time runs: the next look at any deadline finds it passed. */
static nsec_t prober_clock(void *context)
{
    struct prober *p = context;

    if (atomic_load(&p->leaving))
        p->hurry += HURRY;
    return clock_now() + p->hurry;
}

/* The next question, for which there is room for an answer. False: it is time to go. */
static bool next(struct prober *p, struct probe_target *t, struct probe_terms *terms)
{
    bool found;

    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->leaving) && (p->count == 0 || p->ready == PROBER_RESULTS))
        pthread_cond_wait(&p->wake, &p->lock);
    found = !atomic_load(&p->leaving);
    if (found) {
        *t = p->queue[p->first];
        *terms = (struct probe_terms){.timeout = p->timeout, .clock = prober_clock, .context = p};
        p->first = (p->first + 1) % PROBER_QUEUE;
        p->count--;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void put_result(struct prober *p, const struct probe_report *report)
{
    pthread_mutex_lock(&p->lock);
    p->results[(p->taken + p->ready++) % PROBER_RESULTS] = *report;
    pthread_mutex_unlock(&p->lock);
    if (eventfd_write(p->event, 1) != 0)
        return; /* its counter is full: whoever reads it has been rung often enough */
}

static void *ask_on(void *argument)
{
    struct prober *p = argument;
    struct probe_target t;
    struct probe_terms terms;

    while (next(p, &t, &terms)) {
        struct probe_report report = {.server = t.server, .port = t.port, .transport = t.transport};
        int status = probe_run(&t, &terms, &report.found);

        report.time = clock_now();
        if (status == SD_OK && !atomic_load(&p->leaving))
            put_result(p, &report);
    }
    return NULL;
}

struct prober *prober_create(void)
{
    struct prober *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    if (p->event >= 0 && pthread_create(&p->thread, NULL, ask_on, p) == 0)
        return p;
    if (p->event >= 0)
        close(p->event);
    free(p);
    return NULL;
}

void prober_destroy(struct prober *p)
{
    if (!p)
        return;
    atomic_store(&p->leaving, true);
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    close(p->event);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    free(p);
}

static bool waits(const struct prober *p, const struct probe_target *t)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct probe_target *other = &p->queue[(p->first + i) % PROBER_QUEUE];

        if (addr_equal(&other->server, &t->server) && other->port == t->port &&
            other->transport == t->transport)
            return true;
    }
    return false;
}

int prober_ask(struct prober *p, const struct probe_target *t, nsec_t timeout)
{
    int status = SD_OK;

    pthread_mutex_lock(&p->lock);
    if (waits(p, t))
        status = SD_EEXIST;
    else if (p->count == PROBER_QUEUE)
        status = SD_ELIMIT;
    else
        p->queue[(p->first + p->count++) % PROBER_QUEUE] = *t;
    p->timeout = timeout;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    return status;
}

bool prober_take(struct prober *p, struct probe_report *out)
{
    eventfd_t rung;
    bool found;

    pthread_mutex_lock(&p->lock);
    found = p->ready > 0;
    if (found) {
        *out = p->results[p->taken];
        p->taken = (p->taken + 1) % PROBER_RESULTS;
        p->ready--;
        pthread_cond_signal(&p->wake);
    }
    while (!found && eventfd_read(p->event, &rung) == 0)
        continue; /* nothing is left: what rang is told */
    pthread_mutex_unlock(&p->lock);
    return found;
}

int prober_descriptor(const struct prober *p)
{
    return p->event;
}
