/* Events at a rate through the outputs of a policy, rendered and handed over as the recorder does
 * it.
 *
 *     bench_feeds POLICY [EVENTS A SECOND] [SECONDS]
 *
 * Says how many were handed over, how long the last of them waited, and what it took. Exit status
 * 1: an output lost one, or has not told all of them a minute after the last. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/error.h"
#include "conf/conf.h"
#include "engine/feeds.h"
#include "output/output.h"

#include "../store/event.h"

#define FLUSH   0.02 /* seconds: the recorder's batches */
#define PATIENT 60.0

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6 +
           (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec / 1e6;
}

static void rest(void)
{
    struct timespec pause = {.tv_nsec = 1000000};

    nanosleep(&pause, NULL);
}

static void tell(struct feeds *f, const struct policy *p, uint64_t n)
{
    struct record r;
    char *line;

    event_make(&r, n);
    line = eve_render(&r, p);
    if (line)
        feeds_event(f, &r, line);
    free(line);
}

static void burst(struct feeds *f, const struct policy *p, uint64_t events, double rate)
{
    double begun = now(), flushed = begun;

    for (uint64_t n = 0; n < events;) {
        uint64_t due = (uint64_t)((now() - begun) * rate);

        for (; n < due && n < events; n++)
            tell(f, p, n);
        if (now() - flushed > FLUSH) {
            feeds_flush(f);
            flushed = now();
        }
        rest();
    }
    feeds_flush(f);
}

static json_int_t waiting(struct feeds *f)
{
    json_t *all = feeds_status(f), *one;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(all, i, one) sum += json_integer_value(json_object_get(one, "waiting"));
    json_decref(all);
    return sum;
}

static int run(struct feeds *f, const struct policy *p, uint64_t events, double rate)
{
    double begun = now(), told, ended;
    uint64_t lost;

    burst(f, p, events, rate);
    told = now();
    while (waiting(f) > 0 && now() - told < PATIENT) {
        feeds_flush(f);
        rest();
    }
    ended = now();
    lost = feeds_lost(f);
    printf("%llu events, %.0f a second handed over, %.0f told, %llu lost, %.1f us of CPU each\n",
           (unsigned long long)events, (double)events / (told - begun),
           (double)events / (ended - begun), (unsigned long long)lost,
           cpu() / (double)events * 1e6);
    return lost || waiting(f);
}

int main(int argc, char **argv)
{
    double rate = argc > 2 ? strtod(argv[2], NULL) : 20000;
    uint64_t events = (uint64_t)(rate * (argc > 3 ? strtod(argv[3], NULL) : 5));
    struct conf_source source = {.policy = {.name = argc > 1 ? argv[1] : ""}};
    struct conf_report report = {.to = stderr};
    char error[OUTPUT_ERROR] = "";
    struct policy *policy;
    struct feeds *feeds;
    char *bytes;
    int status;

    if (argc < 2 || conf_read_file(argv[1], &bytes, &source.policy.length) != SD_OK) {
        fprintf(stderr, "usage: bench_feeds POLICY [EVENTS A SECOND] [SECONDS]\n");
        return 2;
    }
    source.policy.bytes = bytes;
    if (conf_load(&source, &report, &policy) != SD_OK)
        return 2;
    if (feeds_open(policy, &feeds, error) != SD_OK) {
        fprintf(stderr, "bench_feeds: %s\n", error);
        return 1;
    }
    status = run(feeds, policy, events, rate);
    feeds_close(feeds);
    policy_destroy(policy);
    free(bytes);
    return status;
}
