#include "engine/lane.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/gateway.h"
#include "engine/shunting.h"

#define LOOK (5 * NSEC_MS) /* how often it is asked whether the thread keeps up */
#define SLOT 128           /* octets of the kernel's ring besides the frame's own, about */

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

/* The fuller of the rings before and behind the thread, in thousandths. */
static unsigned fill_of(struct lane *l, int got)
{
    const struct stats *s = front_stats(l->front);
    uint64_t size = SLOT + (s->packets ? s->bytes / s->packets : 0);
    size_t room = ring_capacity(l->told->ring), waiting = ring_length(l->told->ring);
    unsigned kernel = backlog_fill(&l->backlog, l->seen.received - l->seen.kernel_drops,
                                   got < CAPTURE_READ_MOST, size, l->ring);
    unsigned own = (unsigned)(waiting * 1000 / room);

    return kernel > own ? kernel : own;
}

static void watch_load(struct lane *l, nsec_t now, int got)
{
    struct stats *s = front_stats(l->front);
    uint64_t lost;

    l->backlog.read += got > 0 ? (uint64_t)got : 0;
    if (!time_passed(l->looked, LOOK, now) ||
        l->capture->ops->counters(l->capture, &l->seen) != SD_OK)
        return;
    l->looked = now;
    s->kernel_drops = l->seen.kernel_drops;
    lost = s->kernel_drops + s->observations_dropped;
    if (shed_look(&l->shed, fill_of(l, got), lost != l->lost, now)) {
        front_shed(l->front, l->shed.level);
        __atomic_store_n(&l->wiring->board->shedding[l->number], l->shed.level, __ATOMIC_RELAXED);
    }
    l->lost = lost;
}

static void show(struct lane *l, nsec_t now, int got)
{
    struct board *b = l->wiring->board;

    if (!time_passed(l->shown, LANE_SHOW, now))
        return;
    l->shown = now;
    lane_show(&b->captured[l->number], &l->seen, sizeof l->seen);
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
        watch_load(l, now, got);
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
    watch_load(l, INT64_MAX, 0);
    show(l, INT64_MAX, 0);
    return NULL;
}

/* Everything that libraries read from files, they read now: a cipher library looks at /proc. One
 * seed for all lanes: hashes of names and flows are compared across them. */
int lane_make(struct lane *l, const struct policy *policy, uint64_t seed)
{
    struct observation_sink sink = {.put = put_observation, .context = l};

    l->capture = l->wiring->captures[l->number];
    l->ring = l->wiring->ring;
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
