/* Plays weeks of a network to the detector of volume and counts what it says: false alarms for a
 * host and day, and how many of the injected anomalies are found, and how soon.
 *
 * 120 hosts in two zones, asking two resolvers: offices with nights and weekends, servers that
 * never sleep, some that use DoT. What a host asks in five minutes is gamma-Poisson of shape r
 * about its rate (0.7: the spread is 1.2 times the mean). 21 days to learn, 14 to judge. The
 * detector is the real one, with the thresholds of rules/detections/volume-anomaly.yaml.
 *
 * Injected is in one of two ways. Multiplied: the host's own rate is, so that its noise grows as
 * much (seven times the usual of an hour in which it asks nothing is nothing). Added: a process of
 * its own asks evenly beside the host, as a loop, a tunnel or a scan does.
 *
 * Beside the detector an oracle judges: it knows each host's true rate at every minute and the
 * noise's shape, and looks at half an hour, one and two. What it does not find at the same false
 * alarms the counts do not show. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conf/conf.h"
#include "detect/detect.h"

#define HOSTS      120
#define TRAINING   21
#define DAYS       35
#define DAY_STEPS  288
#define STEP       (300 * NSEC_S)
#define START      (INT64_C(20780) * 86400 * NSEC_S) /* a Monday */
#define APART      (7200 * NSEC_S)                   /* idle_s: after that it is another event */
#define INJECTIONS 4
#define EVENTS     4096
#define RING       24  /* steps of two hours */
#define FLOOR      150 /* floor_queries: fewer in an hour is nobody's anomaly */

extern const struct detector detector_volume;

enum injection { BURST, PLATEAU, SLOW, SILENCE };
static const char *const kind_names[INJECTIONS] = {"x8 for 30 min", "x4 for 2 h", "1 to x4 in 6 h",
                                                   "silence of 2 h"};

struct host {
    struct addr addr, server;
    double rate; /* queries in five minutes of an office hour */
    bool server_like, sealed, moves;
    int16_t zone;
    int from[INJECTIONS], to[INJECTIONS]; /* steps, 0: none */
    nsec_t found[INJECTIONS];
    unsigned count[RING]; /* of the last steps, and what the rates were */
    double mean[RING];
    double noise; /* the last draw, mean 1 */
    struct {
        unsigned most; /* queries in an hour */
        double z;      /* best of the oracle's */
    } seen[INJECTIONS];
    int odd; /* step in which the oracle alarmed last */
};

struct said {
    uint64_t key;
    struct addr client;
    nsec_t first, last;
};

struct world {
    uint64_t random;
    double shape, lasting; /* of the noise; chance that a step has the one before's */
    bool inject, added, holiday, show;
    int third;
    double oracle; /* z above which the oracle alarms */
    unsigned oracle_alarms;
    struct host host[HOSTS];
    struct policy *policy;
    void *state;
    struct said event[EVENTS];
    size_t events;
    nsec_t now;
};

/* --- chance ----------------------------------------------------------------------------------- */

static double uniform(struct world *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (double)(w->random >> 11) / 9007199254740992.0;
}

static double normal(struct world *w)
{
    double u = uniform(w);

    return sqrt(-2 * log(u > 0 ? u : 1e-300)) * cos(2 * M_PI * uniform(w));
}

/* Marsaglia and Tsang 2000. */
static double gamma_of(struct world *w, double shape)
{
    double d = shape - 1.0 / 3, c, x, v;

    if (shape < 1) {
        double boost = pow(uniform(w), 1 / shape);

        return gamma_of(w, shape + 1) * boost;
    }
    c = 1 / sqrt(9 * d);
    for (;;) {
        x = normal(w);
        v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(uniform(w)) < x * x / 2 + d - d * v + d * log(v))
            return d * v;
    }
}

static unsigned poisson(struct world *w, double mean)
{
    double limit = exp(-mean), product = uniform(w);
    unsigned n = 0;

    if (mean > 40) {
        double x = mean + sqrt(mean) * normal(w);

        return x > 0 ? (unsigned)(x + 0.5) : 0;
    }
    for (; product > limit; n++)
        product *= uniform(w);
    return n;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static double usual(const struct host *h, int step, bool holiday)
{
    int day = step / DAY_STEPS % 7, hour = step % DAY_STEPS / 12;
    bool office = day < 5 && !holiday;

    if (h->server_like)
        return hour >= 8 && hour < 18 ? 1 : 0.6;
    if (!office)
        return hour >= 9 && hour < 22 ? 0.1 : 0.03;
    return hour >= 8 && hour < 18 ? 1 : hour >= 6 && hour < 21 ? 0.4 : 0.05;
}

/* Times the usual. */
static double injected(const struct host *h, int step)
{
    if (step >= h->from[BURST] && step < h->to[BURST])
        return 8;
    if (step >= h->from[PLATEAU] && step < h->to[PLATEAU])
        return 4;
    if (step >= h->from[SLOW] && step < h->to[SLOW])
        return 1 + 3.0 * (step - h->from[SLOW]) / (h->to[SLOW] - h->from[SLOW]);
    if (step >= h->from[SILENCE] && step < h->to[SILENCE])
        return 0;
    return 1;
}

/* To one host in three, so that they are not told as one; on working days, within the office's
 * hours, no two on one day. */
static void plan(struct world *w, struct host *h, bool chosen)
{
    static const int length[INJECTIONS] = {6, 24, 72, 24};
    int order[] = {21, 22, 23, 24, 28, 29, 30, 31, 32};

    for (int k = 0; k < INJECTIONS; k++) {
        int pick = k + (int)(uniform(w) * (8 - 2 * k)), day = order[pick];

        order[pick] = order[k];
        order[k] = day;
        h->from[k] = h->to[k] = -1;
        if (!w->inject || !chosen || (k == SILENCE && !h->server_like))
            continue;
        h->from[k] = day * DAY_STEPS + 8 * 12 + (int)(uniform(w) * (120 - length[k]));
        h->to[k] = h->from[k] + length[k];
    }
}

static void populate(struct world *w)
{
    for (int i = 0; i < HOSTS; i++) {
        struct host *h = &w->host[i];
        char text[32];

        memset(h, 0, sizeof *h);
        snprintf(text, sizeof text, "10.%d.0.%d", 1 + i / 60, 1 + i % 60);
        addr_parse(text, &h->addr);
        addr_parse(i % 3 ? "192.0.2.53" : "192.0.2.54", &h->server);
        h->zone = policy_zone_of(w->policy, &h->addr, "", 0);
        h->rate = 20 * exp(0.8 * normal(w));
        h->server_like = i % 8 == 0;
        h->sealed = i % 10 == 3;
        h->moves = !h->sealed && i % 10 == 6;
        if (h->server_like && h->rate < 40)
            h->rate = 40;
        plan(w, h, i % 3 == w->third);
    }
}

/* --- traffic ---------------------------------------------------------------------------------- */

static void note(struct world *w, int host, struct observation *o)
{
    const struct host *h = &w->host[host];

    o->client = h->addr;
    o->server = h->server;
    o->note.zone = h->zone;
    o->note.resolver = policy_resolver_at(w->policy, &h->server, NULL);
    o->note.who = (uint32_t)host * 7;
    o->note.tenure = 1;
}

static void ask_sealed(struct world *w, int host, unsigned n, nsec_t t)
{
    struct observation o = {.kind = OBSERVE_FLOW, .transport = TRANSPORT_DOT, .time = t};

    note(w, host, &o);
    o.flow.phase = FLOW_PROGRESS;
    o.flow.queries = n;
    o.flow.bytes_out = o.flow.bytes_in = n * 300UL;
    detector_volume.observe(w->state, &o);
}

/* One in sixteen names is not there, one answer in a hundred fails, one query in fifty is of TXT.
 */
static void ask_clear(struct world *w, int host, unsigned n, nsec_t t)
{
    struct observation q = {.kind = OBSERVE_DNS, .transport = TRANSPORT_DO53_UDP, .bytes = 80};
    struct observation r = {.kind = OBSERVE_DNS, .transport = TRANSPORT_DO53_UDP, .bytes = 140};

    note(w, host, &q);
    note(w, host, &r);
    q.dns.message.flags = 0x0100;
    r.dns.message.flags = 0x8180;
    r.dns.answered = true;
    for (unsigned i = 0; i < n; i++) {
        double u = uniform(w), v = uniform(w);
        uint64_t domain = (uint64_t)(v * v * v * 400) + (uint64_t)host * 100;

        q.time = r.time = t + (nsec_t)i * (STEP / (n + 1));
        q.dns.message.qtype = u < 0.02 ? DNS_TYPE_TXT : DNS_TYPE_A;
        q.note.domain_hash = hash_mix(domain, 99) | 1;
        detector_volume.observe(w->state, &q);
        u = uniform(w);
        r.dns.message.rcode = u < 1.0 / 16 ? 3 : u < 1.0 / 16 + 0.01 ? 2 : 0;
        if (r.dns.message.rcode)
            detector_volume.observe(w->state, &r);
    }
}

/* --- the oracle ------------------------------------------------------------------------------- */

/* Signed root of the deviance of the sum of so many steps: about normal under the host's own noise.
 */
static double deviance(const struct world *w, const struct host *h, int step, int steps)
{
    double sum = 0.5, mean = 0, shape, x;

    for (int i = 0; i < steps; i++) {
        sum += h->count[(step - i) % RING];
        mean += h->mean[(step - i) % RING];
    }
    shape = 1 / (1 / (w->shape * steps) + 1 / mean);
    x = sum / mean;
    return x > 1 ? sqrt(2 * shape * (x - 1 - log(x))) : 0;
}

/* The same floor, the same two hours between events. */
static void divine(struct world *w, struct host *h, int step)
{
    unsigned hour = 0;
    double z = 0;

    for (int i = 0; i < 12; i++)
        hour += h->count[(step - i) % RING];
    if (hour >= FLOOR)
        z = fmax(deviance(w, h, step, 6), fmax(deviance(w, h, step, 12), deviance(w, h, step, 24)));
    for (int k = 0; k < INJECTIONS; k++) {
        if (step < h->from[k] || step >= h->to[k] + 6 || h->from[k] <= 0)
            continue;
        if (hour > h->seen[k].most)
            h->seen[k].most = hour;
        if (z > h->seen[k].z)
            h->seen[k].z = z;
    }
    if (z <= w->oracle)
        return;
    w->oracle_alarms += step - h->odd > RING;
    h->odd = step;
}

/* --- a step ----------------------------------------------------------------------------------- */

static unsigned queries_in(struct world *w, struct host *h, int step, double rate)
{
    double times = injected(h, step), extra = w->added && times > 1 ? times - 1 : 0;
    double own = rate * (extra > 0 ? 1 : times);
    unsigned n;

    if (h->noise <= 0 || w->lasting <= 0 || uniform(w) >= w->lasting)
        h->noise = gamma_of(w, w->shape) / w->shape;
    n = poisson(w, own * h->noise);
    if (extra > 0)
        n += poisson(w, rate * extra);
    h->count[step % RING] = n;
    h->mean[step % RING] = rate;
    return n;
}

static void play_step(struct world *w, int step)
{
    nsec_t t = START + step * STEP;
    bool holiday = w->holiday && step / DAY_STEPS == 30; /* a Wednesday */

    w->now = t;
    for (int i = 0; i < HOSTS; i++) {
        struct host *h = &w->host[i];
        unsigned n = queries_in(w, h, step, h->rate * usual(h, step, holiday));

        if (step >= TRAINING * DAY_STEPS)
            divine(w, h, step);
        if (n && (h->sealed || (h->moves && step >= 25 * DAY_STEPS + 130)))
            ask_sealed(w, i, n, t);
        else
            ask_clear(w, i, n, t);
        if (i == 40)
            detector_volume.tick(w->state, t + 60 * NSEC_S);
    }
}

/* --- what it says ----------------------------------------------------------------------------- */

static void hit(struct world *w, const struct finding *f)
{
    for (int i = 0; i < HOSTS; i++) {
        struct host *h = &w->host[i];

        if (!addr_equal(&h->addr, &f->client))
            continue;
        for (int k = 0; k < INJECTIONS; k++)
            if (f->time > START + h->from[k] * STEP && f->time <= START + (h->to[k] + 6) * STEP &&
                h->from[k] > 0 && !h->found[k])
                h->found[k] = f->time;
    }
}

static void put(void *context, struct finding *f)
{
    struct world *w = context;

    hit(w, f);
    for (size_t i = 0; i < w->events; i++) {
        struct said *e = &w->event[i];

        if (e->key == f->key && f->time - e->last <= APART) {
            e->last = f->time;
            return;
        }
    }
    if (w->events == EVENTS)
        return;
    w->event[w->events++] = (struct said){f->key, f->client, f->time, f->time};
    if (w->show) {
        char client[ADDR_TEXT];

        printf("  day %.2f client %s zone %d resolver %d {%s}\n",
               (double)(f->time - START) / (86400.0 * NSEC_S), addr_text(&f->client, client),
               f->zone, f->resolver, f->evidence.text);
    }
}

static void play(struct world *w, uint64_t seed, bool inject, bool added)
{
    struct detector_setup setup = {.policy = w->policy, .sink = {put, w}, .seed = 7};

    w->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    w->inject = inject;
    w->added = added;
    w->third = (int)(seed % 3);
    w->holiday = !inject;
    w->events = 0;
    w->oracle_alarms = 0;
    w->state = detector_volume.create(&setup);
    populate(w);
    for (int step = 0; step < DAYS * DAY_STEPS; step++)
        play_step(w, step);
    detector_volume.flush(w->state, w->now + STEP);
    detector_volume.destroy(w->state);
}

/* --- figures ---------------------------------------------------------------------------------- */

enum { MULTIPLIED, ADDED, WAYS };
static const char *const way_names[WAYS] = {"multiplied", "added"};

struct finds {
    unsigned injected, found, divined; /* by the detector, by the oracle */
    unsigned reached, found_reached;   /* those with an hour of FLOOR queries at all */
    double delay;                      /* minutes, sum */
};

struct figures {
    double host_days;
    unsigned alarms, group_alarms, training, oracle_alarms;
    struct finds of[WAYS][INJECTIONS];
};

static void count_alarms(const struct world *w, struct figures *f)
{
    nsec_t test = START + (nsec_t)TRAINING * 86400 * NSEC_S;

    f->host_days += HOSTS * (double)(DAYS - TRAINING);
    f->oracle_alarms += w->oracle_alarms;
    for (size_t i = 0; i < w->events; i++) {
        if (w->event[i].first < test)
            f->training++;
        else if (addr_is_zero(&w->event[i].client))
            f->group_alarms++;
        else
            f->alarms++;
    }
}

static void show_miss(const struct host *h, int k, bool divined)
{
    double hour = 0;
    char text[ADDR_TEXT];

    for (int i = 0; i < 12; i++)
        hour += h->rate * usual(h, h->from[k] + i, false);
    printf("  missed: %s, client %s, usual %.0f an hour, most %u, oracle's z %.2f: %s\n",
           kind_names[k], addr_text(&h->addr, text), hour, h->seen[k].most, h->seen[k].z,
           k == SILENCE              ? "silence"
           : h->seen[k].most < FLOOR ? "below the floor"
           : !divined                ? "not in the counts"
                                     : "in the counts");
}

static void count_found(const struct world *w, struct finds *of)
{
    for (int i = 0; i < HOSTS; i++)
        for (int k = 0; k < INJECTIONS; k++) {
            const struct host *h = &w->host[i];
            bool found = h->found[k] != 0, reached = k == SILENCE || h->seen[k].most >= FLOOR;
            bool divined = h->seen[k].z > w->oracle;

            if (h->from[k] <= 0)
                continue;
            of[k].injected++;
            of[k].found += found;
            of[k].divined += divined;
            of[k].reached += reached;
            of[k].found_reached += found && reached;
            if (found)
                of[k].delay += (double)(h->found[k] - START - h->from[k] * STEP) / (60 * NSEC_S);
            else if (w->show)
                show_miss(h, k, divined);
        }
}

static double share(unsigned n, unsigned of)
{
    return of ? (double)n / of : 0;
}

static double false_alarms(const struct figures *f)
{
    return (f->alarms + f->group_alarms) / f->host_days;
}

static void print_finds(const struct finds *of)
{
    for (int k = 0; k < INJECTIONS; k++) {
        const struct finds *f = of + k;

        printf(
            "    %-14s found %.3f (%u of %u), %.3f of the %u above the floor, after %.0f minutes",
            kind_names[k], share(f->found, f->injected), f->found, f->injected,
            share(f->found_reached, f->reached), f->reached, f->found ? f->delay / f->found : 0);
        if (k != SILENCE)
            printf("; oracle %.3f", share(f->divined, f->injected));
        puts("");
    }
}

static void print(const struct figures *f, double shape)
{
    printf("r = %.2f, %.0f host-days judged\n", shape, f->host_days);
    printf(
        "  false alarms  %.4f a host and day (%u of clients, %u of zones and resolvers; %u while "
        "learning); oracle %.4f\n",
        false_alarms(f), f->alarms, f->group_alarms, f->training, f->oracle_alarms / f->host_days);
    for (int way = 0; way < WAYS; way++) {
        printf("  %s\n", way_names[way]);
        print_finds(f->of[way]);
    }
}

/* --- the command ------------------------------------------------------------------------------ */

static const char policy_text[] =
    "resolvers:\n"
    "  - {id: first, addresses: [192.0.2.53], transports: [do53, dot]}\n"
    "  - {id: second, addresses: [192.0.2.54], transports: [do53, dot]}\n"
    "zones:\n"
    "  - {id: east, networks: [10.1.0.0/16], approve: [first, second]}\n"
    "  - {id: west, networks: [10.2.0.0/16], approve: [first, second]}\n";

static struct policy *load(const char *detection)
{
    struct conf_text rule = {"volume-anomaly.yaml", NULL, 0};
    struct conf_source source = {.policy = {"simulation", policy_text, sizeof policy_text - 1},
                                 .now = START};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;
    char *bytes = NULL;

    if (detection) {
        if (conf_read_file(detection, &bytes, &rule.length) != 0)
            return NULL;
        rule.bytes = bytes;
        source.detections = &rule;
        source.detection_count = 1;
    }
    if (conf_load(&source, &report, &p) != 0)
        p = NULL;
    free(bytes);
    return p;
}

struct limits {
    double alarms, found[WAYS][INJECTIONS]; /* negative: none */
};

static bool hold(const char *what, bool good, const char *bound, double limit)
{
    printf("%s - %s %s %.4f\n", good ? "ok" : "not ok", what, bound, limit);
    return good;
}

static int check(const struct figures *f, const struct limits *most)
{
    int passed = 0, all = 1;

    passed += hold("false alarms:", false_alarms(f) <= most->alarms, "at most", most->alarms);
    for (int way = 0; way < WAYS; way++)
        for (int k = 0; k < INJECTIONS; k++) {
            const struct finds *of = &f->of[way][k];
            double limit = most->found[way][k];
            char what[64];

            if (limit < 0)
                continue;
            snprintf(what, sizeof what, "%s, %s:", kind_names[k], way_names[way]);
            passed += hold(what, share(of->found, of->injected) >= limit, "at least", limit);
            all++;
        }
    printf("%d passed, %d failed\n", passed, all - passed);
    return passed < all;
}

static bool read_least(const char *text, double least[INJECTIONS])
{
    return sscanf(text, "%lf,%lf,%lf,%lf", least, least + 1, least + 2, least + 3) == INJECTIONS;
}

static int usage(void)
{
    fputs("usage: simulate [--shape R] [--lasting P] [--seed N]... [--detection FILE] [--oracle Z] "
          "[--show]\n"
          "                [--most ALARMS] [--least[-added] BURST,PLATEAU,SLOW,SILENCE]\n",
          stderr);
    return 2;
}

static void play_seed(struct world *w, uint64_t seed, struct figures *f)
{
    play(w, seed, false, false);
    count_alarms(w, f);
    for (int way = 0; way < WAYS; way++) {
        bool show = w->show;

        w->show = false;
        play(w, seed, true, way == ADDED);
        w->show = show;
        count_found(w, f->of[way]);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"shape", required_argument, NULL, 'r'},     {"seed", required_argument, NULL, 's'},
        {"detection", required_argument, NULL, 'd'}, {"most", required_argument, NULL, 'm'},
        {"least", required_argument, NULL, 'l'},     {"least-added", required_argument, NULL, 'a'},
        {"oracle", required_argument, NULL, 'o'},    {"show", no_argument, NULL, 'v'},
        {"lasting", required_argument, NULL, 't'},   {0}};
    struct world *w = calloc(1, sizeof *w);
    struct limits limits = {-1, {{-1, -1, -1, -1}, {-1, -1, -1, -1}}};
    struct figures f = {0};
    uint64_t seed[32];
    size_t seeds = 0;
    const char *detection = NULL;
    int option, failed = 0;

    if (!w)
        return 1;
    w->shape = 0.7;
    w->oracle = 4.35;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            w->shape = atof(optarg);
        else if (option == 's' && seeds < 32)
            seed[seeds++] = strtoull(optarg, NULL, 10);
        else if (option == 'd')
            detection = optarg;
        else if (option == 'm')
            limits.alarms = atof(optarg);
        else if (option == 'l' && read_least(optarg, limits.found[MULTIPLIED]))
            continue;
        else if (option == 'a' && read_least(optarg, limits.found[ADDED]))
            continue;
        else if (option == 't')
            w->lasting = atof(optarg);
        else if (option == 'o')
            w->oracle = atof(optarg);
        else if (option == 'v')
            w->show = true;
        else
            return usage();
    }
    w->policy = load(detection);
    if (!w->policy || w->shape <= 0)
        return 1;
    for (size_t i = 0; i < seeds; i++)
        play_seed(w, seed[i], &f);
    print(&f, w->shape);
    if (limits.alarms >= 0)
        failed = check(&f, &limits);
    policy_destroy(w->policy);
    free(w);
    return failed;
}
