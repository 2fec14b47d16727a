#include "engine/preflight.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/gateway.h"
#include "priv/sandbox.h"
#include "probe/probe.h"

#define PATIENCE     (1500 * NSEC_MS) /* of one probe */
#define LONGEST      (6 * NSEC_S)
#define MOST_AT_ONCE 256
#define RESOLV_CONF  "/etc/resolv.conf"

/* Shared with the process that asks, which alone writes it. */
struct findings {
    atomic_bool over;
    atomic_bool answered[]; /* a zone */
};

struct preflight {
    pid_t process; /* 0: waited for */
    nsec_t begun;
    struct findings *found;
    size_t size, zones;
};

struct asking;

struct question {
    int16_t resolver;
    enum transport transport;
    struct addr server;
    struct asking *asking;
    pthread_t thread;
};

/* --- whom to ask --- */

static bool cuts(const struct policy_zone *z)
{
    return z->cleartext > ACTION_ALERT || z->unapproved > ACTION_ALERT;
}

static bool is_cut(const struct policy *p, int16_t zone, const struct addr *client,
                   const struct addr *server, uint16_t port, nsec_t now)
{
    return policy_kernel(p, zone, client, server, port, now) > ACTION_ALERT;
}

/* Our own question would meet the rules of the zone gateway, and its silence would be our work. */
static bool cuts_own(const struct policy *p, const struct addr *server, enum transport t)
{
    static const struct addr nobody;
    uint16_t port = 1u << t & TRANSPORTS_CLEAR                 ? 53
                    : t == TRANSPORT_DOT || t == TRANSPORT_DOQ ? 853
                                                               : 443;

    return is_cut(p, ZONE_GATEWAY, p->gateway_count ? p->gateway : &nobody, server, port,
                  clock_now());
}

static bool may_ask(const struct policy *p, size_t zone, const struct question *q)
{
    enum transport t = q->transport;

    return probe_speaks(t) && (p->resolvers[q->resolver].transports & (1u << t)) &&
           policy_approves(p, (int16_t)zone, q->resolver, t) && !cuts_own(p, &q->server, t);
}

/* The next of a resolver's questions; the first one: transport 0 of address 0. False: no more. */
static bool next_question(const struct policy *p, size_t zone, struct question *q, unsigned *at)
{
    const struct policy_resolver *r = p->resolvers + q->resolver;

    for (; *at < r->address_count * TRANSPORT_COUNT; ++*at) {
        q->server = r->addresses[*at / TRANSPORT_COUNT].addr;
        q->transport = (enum transport)(*at % TRANSPORT_COUNT);
        if (may_ask(p, zone, q)) {
            ++*at;
            return true;
        }
    }
    return false;
}

bool preflight_concerns(const struct policy *p, size_t zone)
{
    const struct policy_zone *z = p->zones + zone;

    for (size_t i = 0; i < z->approve_count; i++) {
        struct question q = {.resolver = z->approve[i]};
        unsigned at = 0;

        if (!next_question(p, zone, &q, &at))
            return false;
    }
    return cuts(z) && z->approve_count > 0;
}

/* --- the process --- */

struct asking {
    const struct policy *policy;
    struct findings *found;
    struct question questions[MOST_AT_ONCE];
    size_t count;
    bool all; /* else one of each zone */
};

static nsec_t wall_clock(void *context)
{
    (void)context;
    return clock_now();
}

/* Who it is is told by other findings, also where this machine lacks the authority of a private
 * certificate: here counts that somebody answers. */
static bool is_answer(const struct probe_observation *o)
{
    static const uint32_t dead = FAULT(FAULT_NO_CONNECTION) | FAULT(FAULT_NOT_TLS) |
                                 FAULT(FAULT_HANDSHAKE) | FAULT(FAULT_NO_ANSWER) |
                                 FAULT(FAULT_BAD_ANSWER) | FAULT(FAULT_TOO_MUCH);

    return !(o->faults & dead) || (o->reached && (o->faults & FAULTS_OF_IDENTITY));
}

static void *ask_one(void *argument)
{
    struct question *q = argument;
    const struct policy *p = q->asking->policy;
    struct probe_terms terms = {.timeout = PATIENCE, .clock = wall_clock};
    struct probe_observation found;
    struct probe_target t;

    probe_target_set(&t, p, q->resolver, &q->server, q->transport);
    t.stranger = true; /* one question, and nothing beyond */
    if (probe_run(&t, &terms, &found) != SD_OK || !is_answer(&found))
        return NULL;
    for (size_t z = 0; z < p->zone_count; z++)
        if (policy_approves(p, (int16_t)z, q->resolver, q->transport))
            q->asking->found->answered[z] = true;
    return NULL;
}

static bool is_there(const struct asking *a, const struct question *q)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->questions[i].resolver == q->resolver && a->questions[i].transport == q->transport &&
            addr_equal(&a->questions[i].server, &q->server))
            return true;
    return false;
}

static bool add(struct asking *a, struct question q)
{
    if (is_there(a, &q))
        return true;
    if (a->count == MOST_AT_ONCE)
        return false;
    a->questions[a->count++] = q;
    return true;
}

/* False: more than can be asked at once. */
static bool add_zone(struct asking *a, size_t zone)
{
    const struct policy *p = a->policy;
    const struct policy_zone *z = p->zones + zone;

    for (size_t i = 0; i < z->approve_count; i++) {
        struct question q = {.resolver = z->approve[i], .asking = a};
        unsigned at = 0;

        while (next_question(p, zone, &q, &at)) {
            if (!add(a, q))
                return false;
            if (!a->all)
                return true;
        }
    }
    return true;
}

/* A zone that was not asked for to the end counts as answered: only silence speaks against it. */
static void ask_round(struct asking *a)
{
    a->count = 0;
    for (size_t z = 0; z < a->policy->zone_count; z++)
        if (!a->found->answered[z] && !add_zone(a, z) && a->all)
            a->found->answered[z] = true;
    for (size_t i = 0; i < a->count; i++)
        if (pthread_create(&a->questions[i].thread, NULL, ask_one, a->questions + i) != 0)
            a->count = i;
    for (size_t i = 0; i < a->count; i++)
        pthread_join(a->questions[i].thread, NULL);
}

static int ask_all(const struct policy *p, struct findings *found)
{
    struct asking a = {.policy = p, .found = found};
    sigset_t none;

    prctl(PR_SET_NAME, "sealdns-asks");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close_range(STDERR_FILENO + 1, ~0u, 0); /* what the monitor holds is none of its */
    if (sandbox_recorder() != SD_OK)
        return 1;
    ask_round(&a);
    a.all = true;
    ask_round(&a);
    found->over = true;
    return 0;
}

/* --- its parent --- */

struct preflight *preflight_begin(const struct policy *p)
{
    struct preflight *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->zones = p->zone_count;
    f->size = sizeof *f->found + f->zones;
    f->begun = clock_now();
    f->found = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f->found == MAP_FAILED) {
        free(f);
        return NULL;
    }
    for (size_t z = 0; z < f->zones; z++)
        f->found->answered[z] = !preflight_concerns(p, z);
    f->process = fork();
    if (f->process == 0)
        _exit(ask_all(p, f->found));
    if (f->process > 0)
        return f;
    preflight_destroy(f);
    return NULL;
}

void preflight_destroy(struct preflight *f)
{
    if (!f)
        return;
    if (f->process > 0 && !f->found->over)
        kill(f->process, SIGKILL);
    if (f->process > 0)
        waitpid(f->process, NULL, 0);
    munmap(f->found, f->size);
    free(f);
}

/* Looks without taking: the number stays its own until somebody waits for it. */
static bool has_ended(const struct preflight *f)
{
    siginfo_t how = {0};

    return f->process == 0 ||
           waitid(P_PID, (id_t)f->process, &how, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           how.si_pid == f->process;
}

bool preflight_over(const struct preflight *f, nsec_t now)
{
    return f->found->over || has_ended(f) || time_passed(f->begun, LONGEST, now);
}

bool preflight_finished(const struct preflight *f)
{
    return f->found->over;
}

void preflight_reaped(struct preflight *f, pid_t child)
{
    if (f->process == child)
        f->process = 0;
}

void preflight_wait(const struct preflight *f)
{
    static const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};

    while (!preflight_over(f, clock_now()))
        nanosleep(&moment, NULL);
}

bool preflight_answered(const struct preflight *f, size_t zone)
{
    return zone >= f->zones || f->found->answered[zone];
}

/* --- this machine --- */

/* A line of resolv.conf(5). False: it names no resolver, or one on this machine. */
static bool names_resolver(const struct policy *p, const char *line, struct addr *out)
{
    char text[ADDR_TEXT];

    if (sscanf(line, "nameserver %45[0-9a-fA-F:.]", text) != 1 || addr_parse(text, out) != SD_OK)
        return false;
    return strncmp(text, "127.", 4) != 0 && strcmp(text, "::1") != 0 && !policy_is_gateway(p, out);
}

static int object_to_resolver(const struct policy *p, nsec_t now, char error[256])
{
    FILE *f = fopen(RESOLV_CONF, "re");
    struct addr server, own;
    char line[256], text[ADDR_TEXT];
    int status = SD_OK;

    if (p->gateway_count == 0)
        return SD_OK;
    own = p->gateway[0];
    while (f && status == SD_OK && fgets(line, sizeof line, f)) {
        if (!names_resolver(p, line, &server) || !is_cut(p, ZONE_GATEWAY, &own, &server, 53, now))
            continue;
        snprintf(error, 256,
                 "zone gateway would cut off this machine's own resolver %s (" RESOLV_CONF
                 "): approve it there with `transports: [do53]`, or name another one",
                 addr_text(&server, text));
        status = SD_ESTATE;
    }
    if (f)
        fclose(f);
    return status;
}

/* Of what administrators use the rules know port 443 only. */
static int object_to_management(const struct policy *p, size_t zone, nsec_t now, char error[256])
{
    const struct policy_zone *z = p->zones + zone;
    struct addr client;
    char text[ADDR_TEXT];

    if (p->gateway_count == 0)
        return SD_OK;
    client = z->network_count ? z->networks[0].addr : p->gateway[0];
    for (size_t i = 0; i < p->gateway_count && zone != ZONE_GATEWAY; i++) {
        if (!is_cut(p, (int16_t)zone, &client, p->gateway + i, 443, now))
            continue;
        snprintf(error, 256,
                 "zone %s would cut its clients off port 443 of this machine (%s), by which it may "
                 "be managed: approve the resolver there, or mark its address as shared",
                 z->id, addr_text(p->gateway + i, text));
        return SD_ESTATE;
    }
    return SD_OK;
}

int preflight_objection(const struct policy *p, nsec_t now, char error[256])
{
    int status = object_to_resolver(p, now, error);

    for (size_t z = 0; z < p->zone_count && status == SD_OK; z++)
        status = object_to_management(p, z, now, error);
    return status;
}
