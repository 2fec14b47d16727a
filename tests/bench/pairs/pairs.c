/* Pairs of client and server at scale, in the kernel of this network namespace:
 *
 *   bench_pairs [COUNT [LIMIT_MS]]
 *
 * Loads COUNT (100,000) of them with the ruleset in one transaction, looks whether they stand, puts
 * a table that was taken away back, updates them. Exit status: 0; 1: slower to load than LIMIT_MS
 * (1000; 0: no limit), or something failed; 77: no nf_tables here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/conf.h"
#include "enforce/paired.h"
#include "engine/monitor.h"

#define LOADS 4 /* the best counts: a virtual machine may get its memory page by page at first */

static const char text[] =
    "sensor: {mode: enforce, preflight: false, pairs: {timeout: 1h}}\n"
    "zones:\n"
    "  - {id: a, networks: [10.0.0.0/8, '2001:db8::/32'], unapproved: reject}\n";

static double clock_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct stopwatch {
    double wall, cpu;
};

static struct stopwatch start(void)
{
    return (struct stopwatch){clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_PROCESS_CPUTIME_ID)};
}

static double stop(const struct stopwatch *from, const char *what)
{
    double wall = clock_ms(CLOCK_MONOTONIC) - from->wall;

    printf("%-52s %8.1f ms, of it processor time %8.1f ms\n", what, wall,
           clock_ms(CLOCK_PROCESS_CPUTIME_ID) - from->cpu);
    return wall;
}

static void must(int status, const char *error)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench_pairs: %s (%s)\n", error, sd_strerror(status));
    exit(status == SD_EUNSUP || status == SD_EPERM ? 77 : 1);
}

/* Every second one of IPv6; twenty servers a client. */
static struct enforce_pair pair_of(size_t i)
{
    uint32_t client = (uint32_t)(i / 20), server = (uint32_t)(i % 20);
    uint8_t four[4] = {10, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};
    uint8_t at[4] = {198, 51, 100, (uint8_t)server}, six[16] = {0x20, 1, 0xd, 0xb8},
            there[16] = {0x20, 1, 0xd, 0xb9};

    if (i % 2)
        return (struct enforce_pair){addr_v4(four), addr_v4(at), 1800000};
    memcpy(six + 12, four, 4);
    memcpy(there + 12, at, 4);
    return (struct enforce_pair){addr_v6(six), addr_v6(there), 1800000};
}

static struct policy *load(void)
{
    struct conf_source source = {.policy = {"bench", text, sizeof text - 1}};
    struct conf_report report = {.to = stderr};
    struct policy *p;

    must(conf_load(&source, &report, &p), "the policy");
    return p;
}

static struct enforce_pair *all_pairs(size_t count)
{
    struct enforce_pair *all = calloc(count, sizeof *all);

    if (!all)
        must(SD_EMEM, "the pairs");
    for (size_t i = 0; i < count; i++)
        all[i] = pair_of(i);
    return all;
}

static double install(struct monitor *m, const struct enforce_pair *all, size_t count)
{
    char error[ENFORCE_ERROR] = "", what[64];
    struct stopwatch watch = start();
    struct ruleset *r;

    must(ruleset_compile(m->wiring->policy, MODE_ENFORCE, 0, &r, error), error);
    must(ruleset_put_pairs(r, all, count), "no memory");
    must(ruleset_install_by(m->netlink, r, error), error);
    ruleset_destroy(r);
    snprintf(what, sizeof what, "load, %zu pairs and the rules in one transaction", count);
    return stop(&watch, what);
}

static void look(struct monitor *m)
{
    struct enforce_drift drift;
    char error[ENFORCE_ERROR] = "";
    struct stopwatch watch = start();
    struct ruleset *r;

    must(monitor_ruleset(m, m->wiring->policy, &r, error), error);
    must(ruleset_examine(r, &drift, error), drift.text);
    ruleset_destroy(r);
    stop(&watch, "look, whether the kernel holds just these");
}

static void take_over(struct monitor *m, size_t count)
{
    struct stopwatch watch = start();

    pairs_recall(m);
    stop(&watch, "a sensor that starts takes them over");
    if (pairs_count(m->pairs) != (count < PAIRS_MOST ? count : PAIRS_MOST))
        must(SD_ESTATE, "not all were taken over");
}

static void put_back(struct monitor *m)
{
    char error[ENFORCE_ERROR] = "";
    struct stopwatch watch;

    must(ruleset_remove_by(m->netlink, error), error);
    watch = start();
    must(monitor_enforce(m, m->wiring->policy, error), error);
    stop(&watch, "put back after the table was taken away");
}

static void update(const struct monitor *m, const struct enforce_pair *all, size_t count,
                   size_t at_once)
{
    char error[ENFORCE_ERROR] = "", what[64];
    struct stopwatch watch = start();
    double passed;

    for (size_t i = 0; i + at_once <= count; i += at_once)
        must(pairs_write(m->netlink, all + i, at_once, error), error);
    snprintf(what, sizeof what, "update %zu, %zu in a transaction", count, at_once);
    passed = stop(&watch, what);
    printf("%52s %8.0f a second\n", "", (double)count * 1e3 / passed);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void one_by_one(const struct monitor *m, const struct enforce_pair *all)
{
    enum { TIMES = 1000 }; /* COUNT is at least that */
    char error[ENFORCE_ERROR] = "";
    double took[TIMES];

    for (size_t i = 0; i < TIMES; i++) {
        double from = clock_ms(CLOCK_MONOTONIC);

        must(pairs_write(m->netlink, all + i, 1, error), error);
        took[i] = clock_ms(CLOCK_MONOTONIC) - from;
    }
    qsort(took, TIMES, sizeof *took, by_size);
    printf("%-52s %8.2f ms, p99 %.2f ms, worst %.2f ms\n", "one into a full set, median",
           took[TIMES / 2], took[TIMES * 99 / 100], took[TIMES - 1]);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    double limit = argc > 2 ? strtod(argv[2], NULL) : 1000;
    struct board *board = calloc(1, sizeof *board);
    struct wiring w = {.policy = load(), .board = board};
    struct monitor m = {.wiring = &w, .pairs = pairs_create(), .installed = true};
    struct enforce_pair *all = all_pairs(count);
    char error[ENFORCE_ERROR] = "";
    double loaded = 0;

    m.netlink = enforce_open(error);
    must(m.netlink, error);
    for (int i = 0; i < LOADS; i++) {
        double ms = install(&m, all, count);

        loaded = i == 0 || ms < loaded ? ms : loaded;
        if (i + 1 < LOADS)
            must(ruleset_remove_by(m.netlink, error), error);
    }
    take_over(&m, count);
    look(&m);
    put_back(&m);
    look(&m);
    update(&m, all, count, 24);
    update(&m, all, count, 1024);
    one_by_one(&m, all);
    must(ruleset_remove_by(m.netlink, error), error);
    pairs_destroy(m.pairs);
    policy_destroy(w.policy);
    free(all);
    free(board);
    close(m.netlink);
    printf("loaded in %.0f ms\n", loaded);
    return limit > 0 && loaded > limit;
}
