#include "engine/lane.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/gateway.h"
#include "engine/shunting.h"

static const char *name_of(const struct lane *l)
{
    return wiring_interface_of(l->wiring, l->number);
}

static void put_observation(void *context, struct observation *o)
{
    struct lane *l = context;

    if (ring_push(l->told->ring, o, observation_size(o)) != SD_OK)
        front_stats(l->front)->observations_dropped++;
}

static void put_frame(void *context, const struct frame *frame)
{
    struct lane *l = context;

    l->packet_time = frame->time;
    front_frame(l->front, frame);
}

void lane_show(void *to, const void *from, size_t size)
{
    uint64_t *word = to;
    const uint64_t *value = from;

    for (size_t i = 0; i < size / sizeof *word; i++)
        __atomic_store_n(word + i, value[i], __ATOMIC_RELAXED);
}

static void show(struct lane *l, nsec_t now, int got)
{
    struct board *b = l->wiring->board;
    struct capture_counters seen;

    if (!time_passed(l->shown, LANE_SHOW, now))
        return;
    l->shown = now;
    if (l->capture->ops->counters(l->capture, &seen) == SD_OK) {
        front_stats(l->front)->kernel_drops = seen.kernel_drops;
        lane_show(&b->captured[l->number], &seen, sizeof seen);
    }
    shunting_show(l->capture, front_stats(l->front));
    lane_show(&b->front[l->number], front_stats(l->front), sizeof b->front[l->number]);
    __atomic_store_n(&b->up[l->number], got != SD_ENET, __ATOMIC_RELAXED);
}

static void follow_policy(struct lane *l)
{
    const struct policy *wanted = atomic_load(&l->wanted);

    if (wanted == atomic_load(&l->used))
        return;
    front_use_policy(l->front, wanted);
    atomic_store(&l->used, wanted);
}

/* By the policy of the start. */
static void choose_cpu(const struct lane *l)
{
    const struct policy_capture *c = &atomic_load(&l->wanted)->capture;
    cpu_set_t set;

    if (c->cpu_count == 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(c->cpus[l->number % c->cpu_count], &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        log_warning("interface %s: there is no processor %u to run on", name_of(l),
                    c->cpus[l->number % c->cpu_count]);
}

static void *run(void *argument)
{
    static const struct timespec while_gone = {.tv_nsec = 100 * 1000 * 1000};
    struct lane *l = argument;
    bool was_gone = false;

    choose_cpu(l);
    while (!atomic_load(l->stop)) {
        nsec_t now;
        int got;

        follow_policy(l);
        got = l->capture->ops->read(l->capture, put_frame, l);
        now = clock_now();
        /* Behind a backlog time is the packets'; with nothing waiting it is the clock's. */
        front_tick(l->front, got > 0 ? l->packet_time : now - LANE_LAG);
        atomic_store_explicit(&l->told->behind, got >= CAPTURE_READ_MOST ? l->packet_time : 0,
                              memory_order_release);
        ring_wake(l->told->ring);
        show(l, now, got);
        if ((got == SD_ENET || got == SD_EIO) != was_gone) {
            was_gone = !was_gone;
            log_warning("interface %s %s", name_of(l),
                        was_gone ? "is gone: waiting for it to come back" : "is back");
        }
        if (was_gone)
            nanosleep(&while_gone, NULL);
    }
    front_flush(l->front, clock_now());
    ring_wake(l->told->ring);
    show(l, INT64_MAX, 0);
    return NULL;
}

/* Everything that libraries read from files, they read now: a cipher library looks at /proc. One
 * seed for all lanes: hashes of names and flows are compared across them. */
int lane_make(struct lane *l, const struct policy *policy, uint64_t seed)
{
    struct observation_sink sink = {.put = put_observation, .context = l};

    l->capture = l->wiring->captures[l->number];
    l->told->ring = l->wiring->observations[l->number];
    l->front = front_create(&l->wiring->bounds, policy->tunnels, seed, sink);
    if (!l->front)
        return SD_EMEM;
    front_keep(l->front, l->wiring->trails[l->number]);
    atomic_store(&l->wanted, policy);
    return SD_OK;
}

static void use_shunt(struct lane *l)
{
    const char *why;
    struct shunt_sink sink = shunting_sink(l->capture, &why);

    front_shunt(l->front, sink);
    if (sink.put || !atomic_load(&l->wanted)->shunt)
        return;
    front_stats(l->front)->shunt_fallbacks = 1;
    log_notice("interface %s: every packet on port 443 comes to the sensor: %s", name_of(l), why);
}

int lane_start(struct lane *l)
{
    use_shunt(l);
    l->started = pthread_create(&l->thread, NULL, run, l) == 0;
    return l->started ? SD_OK : SD_EMEM;
}

void lane_join(struct lane *l)
{
    if (l->started)
        pthread_join(l->thread, NULL);
    l->started = false;
}

void lane_finish(struct lane *l)
{
    front_destroy(l->front);
}
