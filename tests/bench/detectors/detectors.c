/* What each detector costs: nanoseconds an observation, megabytes that traffic made it touch, and
 * the worst case of its tables. The capture goes through the front and account/ once; its
 * observations are kept, and each detector alone sees them as the engine would show them. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account/account.h"
#include "base/error.h"
#include "capture/capture.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "engine/pipeline.h"

#define TICK (100 * NSEC_MS)
#define SEED 1
#define RUNS 3

struct tape {
    uint8_t *bytes;
    size_t used, size, count, batch;
    struct observation *waiting[ACCOUNT_BATCH];
    struct front *front;
    struct account *account;
    struct stats stats;
    nsec_t ticked;
    struct slots_record record; /* of the detector that is measured */
};

static struct observation *next_of(const struct tape *t, size_t *position)
{
    struct observation *o = (struct observation *)(t->bytes + *position);

    if (*position >= t->used)
        return NULL;
    *position += (observation_size(o) + 15) / 16 * 16;
    return o;
}

static void keep(void *context, struct observation *o)
{
    struct tape *t = context;
    size_t size = (observation_size(o) + 15) / 16 * 16;

    if (t->used + size > t->size) {
        fprintf(stderr, "detectors: the observations take more than %zu MB\n", t->size >> 20);
        exit(1);
    }
    account_observe(t->account, o, 1, &t->stats);
    memcpy(t->bytes + t->used, o, observation_size(o));
    t->used += size;
    t->count++;
}

static void put_frame(void *context, const struct frame *frame)
{
    struct tape *t = context;

    if (!t->ticked)
        t->ticked = frame->time;
    if (frame->time - t->ticked >= TICK) {
        front_tick(t->front, frame->time);
        t->ticked = frame->time;
    }
    front_frame(t->front, frame);
}

static int record(struct tape *t, char *path, const struct policy *policy)
{
    char error[CAPTURE_ERROR] = "";
    struct capture *c;
    int got, status = capture_files_open(&path, 1, NULL, &c, error);

    if (status != SD_OK) {
        fprintf(stderr, "detectors: %s\n", error);
        return status;
    }
    t->front = front_create(bounds_of(PROFILE_STANDARD), true, SEED,
                            (struct observation_sink){.put = keep, .context = t});
    t->account = account_create(NULL, SEED);
    if (!t->front || !t->account)
        return SD_EMEM;
    front_use_policy(t->front, policy);
    account_use_policy(t->account, policy);
    do
        got = c->ops->read(c, put_frame, t);
    while (got > 0 || got == SD_EAGAIN);
    front_flush(t->front, t->ticked);
    c->ops->destroy(c);
    return got == SD_EEND || got == 0 ? SD_OK : got;
}

static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double resident_mb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static bool wants(const struct detector *d, const struct observation *o)
{
    return ((d->reads ? d->reads : READ_ALL) & reading_of(o)) != 0;
}

static void show_batch(const struct tape *t, const struct detector *d, void *state)
{
    for (size_t i = 0; i < t->batch; i++)
        if (wants(d, t->waiting[i]))
            slots_record_prefetch(&t->record, t->waiting[i]->note.who);
    for (size_t i = 0; d->prefetch && i < t->batch; i++)
        if (wants(d, t->waiting[i]))
            d->prefetch(state, t->waiting[i]);
    for (size_t i = 0; d->prefetch_entry && i < t->batch; i++)
        if (wants(d, t->waiting[i]))
            d->prefetch_entry(state, t->waiting[i]);
    for (size_t i = 0; i < t->batch; i++)
        if (wants(d, t->waiting[i]))
            d->observe(state, t->waiting[i]);
}

static void play(struct tape *t, const struct detector *d, void *state)
{
    size_t position = 0;
    struct observation *o;
    nsec_t ticked = 0;

    for (t->batch = 0; (o = next_of(t, &position)) != NULL;) {
        t->waiting[t->batch++] = o;
        if (t->batch < ACCOUNT_BATCH && o->time - ticked < TICK)
            continue;
        show_batch(t, d, state);
        t->batch = 0;
        if (o->time - ticked < TICK)
            continue;
        ticked = o->time;
        if (d->tick)
            d->tick(state, ticked);
    }
    show_batch(t, d, state);
}

/* The loop's own cost is measured with a detector that looks at nothing. */
static void idle_observe(void *state, const struct observation *o)
{
    *(uint64_t *)state += o->kind;
}

static void take_finding(void *context, struct finding *f)
{
    (void)f;
    ++*(uint64_t *)context;
}

static double cost(struct tape *t, const struct detector *d, const struct detector_setup *setup,
                   double *touched, size_t *worst)
{
    double best = 0;

    for (int run = 0; run < RUNS; run++) {
        double before = resident_mb(), start;
        struct detector_setup own = *setup;
        void *state;

        t->record = (struct slots_record){.parts = 0};
        own.record = &t->record;
        state = d->create(&own);
        if (!state || !slots_record_open(&t->record))
            exit(1);
        start = cpu_ns();
        play(t, d, state);
        start = (cpu_ns() - start) / (double)t->count;
        if (run == 0)
            *touched = resident_mb() - before;
        *worst = d->bytes(state);
        if (run == 0 || start < best)
            best = start;
        d->destroy(state);
        slots_record_close(&t->record);
    }
    return best;
}

static double idle_cost(struct tape *t)
{
    static const struct detector idle = {.observe = idle_observe};
    uint64_t sum = 0;
    double best = 0;

    for (int run = 0; run < RUNS; run++) {
        double start = cpu_ns();

        play(t, &idle, &sum);
        start = (cpu_ns() - start) / (double)t->count;
        if (run == 0 || start < best)
            best = start;
    }
    return best;
}

/* SD_ELIMIT: together they touched more than limit_mb. */
static int measure(struct tape *t, const struct policy *policy, double limit_mb)
{
    uint64_t found = 0;
    struct stats stats = {0};
    struct detector_setup setup = {
        .policy = policy, .seed = SEED, .sink = {take_finding, &found}, .stats = &stats};
    double idle = idle_cost(t), sum = 0, sum_touched = 0;
    size_t sum_worst = 0;

    printf("%-20s %14s %12s %12s %12s\n", "detector", "ns/observation", "touched MB", "worst MB",
           "findings");
    for (size_t i = 0; detectors[i]; i++) {
        double touched, ns;
        size_t worst;

        found = 0;
        ns = cost(t, detectors[i], &setup, &touched, &worst) - idle;
        printf("%-20s %14.1f %12.1f %12.1f %12llu\n", detectors[i]->name, ns, touched,
               (double)worst / 1e6, (unsigned long long)found / RUNS);
        sum += ns;
        sum_touched += touched;
        sum_worst += worst;
    }
    printf("%-20s %14.1f %12.1f %12.1f\n", "all", sum, sum_touched, (double)sum_worst / 1e6);
    return sum_touched > limit_mb ? SD_ELIMIT : SD_OK;
}

int main(int argc, char **argv)
{
    struct tape t = {.size = (size_t)6 << 30};
    struct conf_report report = {.to = stderr};
    struct conf_source source = {0};
    struct policy *policy;
    int status;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_detectors CAPTURE MOST_MB\n");
        return 2;
    }
    mallopt(M_MMAP_THRESHOLD, 1 << 16); /* what a table frees goes back to the system at once */
    t.bytes = malloc(t.size);           /* touched as it fills */
    if (!t.bytes || conf_load(&source, &report, &policy) != SD_OK ||
        record(&t, argv[1], policy) != SD_OK)
        return 1;
    printf("%zu observations of %llu packets\n", t.count,
           (unsigned long long)front_stats(t.front)->packets);
    status = measure(&t, policy, strtod(argv[2], NULL));
    if (status != SD_OK)
        fprintf(stderr, "detectors: more than %s MB touched\n", argv[2]);
    front_destroy(t.front);
    account_destroy(t.account);
    policy_destroy(policy);
    free(t.bytes);
    return status == SD_OK ? 0 : 1;
}
