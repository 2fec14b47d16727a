/* A burst of events into the store, by way of the sensor's ring and as the recorder writes them.
 *
 *     bench_store FILE [EVENTS A SECOND] [SECONDS]
 *
 * One thread puts records into a ring of 8,192 at that rate, a third of them revisions of an event
 * that is there; the other renders, writes and commits. What the ring had no room for is counted by
 * it. Exit status 1: what was told is not what is stored and counted as lost. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/ring.h"
#include "base/signing.h"
#include "conf/conf.h"
#include "output/output.h"
#include "store/store.h"

#include "event.h"

#define RING  8192
#define BATCH 10000

struct burst {
    struct ring *ring;
    uint64_t rate, events, put;
    bool done; /* set last, read with acquire */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In steps of a millisecond. */
static void *produce(void *context)
{
    struct burst *b = context;
    struct timespec pause = {.tv_nsec = 1000000};
    struct record r;
    double begun = now();

    for (uint64_t n = 0; n < b->events;) {
        uint64_t due = (uint64_t)((now() - begun) * (double)b->rate);

        for (; n < due && n < b->events; n++) {
            event_make(&r, n);
            b->put += ring_push(b->ring, &r, record_event_size(&r)) == SD_OK;
        }
        nanosleep(&pause, NULL);
    }
    __atomic_store_n(&b->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static uint64_t consume(struct burst *b, struct store *s, const struct policy *policy)
{
    struct timespec pause = {.tv_nsec = 200000};
    uint64_t written = 0, pending = 0;
    bool last = false;

    for (;;) {
        const struct record *r = ring_peek(b->ring);

        if (!r && last)
            break;
        last = !r && __atomic_load_n(&b->done, __ATOMIC_ACQUIRE);
        if (r) {
            char *line = eve_render(r, policy);

            pending += line && store_write(s, r, line) == SD_OK;
            free(line);
            ring_pop(b->ring);
        } else {
            nanosleep(&pause, NULL);
        }
        if (pending >= BATCH || (pending && last)) {
            written += store_commit(s) == SD_OK ? pending : 0;
            pending = 0;
        }
    }
    return written;
}

static uint64_t stored(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    uint64_t count = 0;

    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT count(*) FROM events", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        count = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return count;
}

static int run(struct burst *b, struct store *s, const char *path, const struct policy *policy)
{
    struct rusage used;
    uint64_t written, lost, rows;
    pthread_t thread;
    double begun = now(), took;

    if (pthread_create(&thread, NULL, produce, b) != 0)
        return 1;
    written = consume(b, s, policy);
    pthread_join(thread, NULL);
    took = now() - begun;
    store_close(s);
    getrusage(RUSAGE_SELF, &used);
    lost = ring_dropped(b->ring);
    rows = stored(path);
    printf("store: %llu events in %.2f s (%.0f a second), %llu stored, %llu lost and counted; %.2f "
           "s of CPU, %ld MB\n",
           (unsigned long long)b->events, took, (double)b->events / took, (unsigned long long)rows,
           (unsigned long long)lost,
           (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6 +
               (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec / 1e6,
           used.ru_maxrss / 1024);
    return !(rows == written && written + lost == b->events);
}

int main(int argc, char **argv)
{
    uint64_t seconds = argc > 3 ? strtoull(argv[3], NULL, 10) : 5;
    struct burst b = {.rate = argc > 2 ? strtoull(argv[2], NULL, 10) : 50000};
    struct store_options options = {.path = argc > 1 ? argv[1] : "", .host = "bench"};
    char error[STORE_ERROR] = "", beside[512];
    struct conf_source builtin = {0};
    struct conf_report report = {.to = stderr};
    struct policy *policy = NULL;
    struct store *s;

    b.events = b.rate * seconds;
    b.ring = ring_create("bench", sizeof(struct record), RING);
    if (argc < 2 || !b.events || !b.ring || conf_load(&builtin, &report, &policy) != SD_OK) {
        fprintf(stderr, "usage: bench_store FILE [EVENTS A SECOND] [SECONDS]\n");
        return 2;
    }
    unlink(argv[1]);
    signing_beside(argv[1], beside, sizeof beside);
    if (signing_open(beside, true, &options.key, error) != SD_OK ||
        store_open(&options, &s, error) != SD_OK) {
        fprintf(stderr, "bench_store: %s\n", error);
        return 1;
    }
    return run(&b, s, argv[1], policy);
}
