#include "engine/pairs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "enforce/paired.h"
#include "engine/gateway.h"
#include "engine/monitor.h"

#define HEADS     131072 /* of the chains, a power of two; so is CLIENTS */
#define CLIENTS   65536  /* places; who shares one shares its bound */
#define AT_ONCE   1024   /* of a transaction */
#define CONFIRMED 256    /* servers that a probe got an answer of, the latest */
#define COMPLAIN  (60 * NSEC_S)
#define DEAF      (10 * NSEC_S) /* a parser that did not read is not waited for so long */
#define RENEW     8             /* an eighth of its time must have passed before it gets more */

/* One that stands in the kernel, or is about to. */
struct held {
    struct cut_pair pair;
    nsec_t until, written; /* by the clock that nobody sets; written 0: not yet */
    TAILQ_ENTRY(held) link;
    struct held *chain;
    bool waiting; /* to be written */
};

TAILQ_HEAD(held_list, held);

struct pairs {
    uint64_t seed;
    struct held *places;
    struct held *heads[HEADS];
    uint16_t of_client[CLIENTS];
    struct held_list ending, unused; /* ending: in the order they were written */
    uint32_t fresh, count;           /* places that were never used lie from fresh on */
    struct held *waiting[AT_ONCE];
    uint32_t waiting_count;
    int64_t budget;
    nsec_t refilled, complained, deaf;
    struct addr confirmed[CONFIRMED];
    uint32_t next_confirmed;
};

struct pairs *pairs_create(void)
{
    struct pairs *p = calloc(1, sizeof *p);

    if (p)
        p->places = calloc(PAIRS_MOST, sizeof *p->places);
    if (!p || !p->places || getrandom(&p->seed, sizeof p->seed, 0) != sizeof p->seed) {
        pairs_destroy(p);
        return NULL;
    }
    p->budget = PAIRS_WRITES;
    TAILQ_INIT(&p->ending);
    TAILQ_INIT(&p->unused);
    return p;
}

void pairs_destroy(struct pairs *p)
{
    if (!p)
        return;
    free(p->places);
    free(p);
}

uint32_t pairs_count(const struct pairs *p)
{
    return p ? p->count : 0;
}

static struct held **head_of(struct pairs *p, const struct cut_pair *x)
{
    uint64_t client = hash_bytes(x->client.b, sizeof x->client.b, p->seed);

    return p->heads + (hash_bytes(x->server.b, sizeof x->server.b, client) & (HEADS - 1));
}

static uint16_t *tally_of(struct pairs *p, const struct cut_pair *x)
{
    return p->of_client + (hash_bytes(x->client.b, sizeof x->client.b, ~p->seed) & (CLIENTS - 1));
}

static struct held *find(struct pairs *p, const struct cut_pair *x)
{
    struct held *h = *head_of(p, x);

    while (h &&
           !(addr_equal(&h->pair.client, &x->client) && addr_equal(&h->pair.server, &x->server)))
        h = h->chain;
    return h;
}

static void forget(struct pairs *p, struct held *h)
{
    struct held **at = head_of(p, &h->pair);

    while (*at != h)
        at = &(*at)->chain;
    *at = h->chain;
    --*tally_of(p, &h->pair);
    TAILQ_REMOVE(&p->ending, h, link);
    TAILQ_INSERT_TAIL(&p->unused, h, link);
    p->count--;
}

/* What waits to be written has more time ahead of it. */
static void expire(struct pairs *p, nsec_t now)
{
    struct held *h;

    while ((h = TAILQ_FIRST(&p->ending)) && !h->waiting && h->until <= now)
        forget(p, h);
}

/* NULL: beyond the bounds. */
static struct held *add(struct pairs *p, const struct cut_pair *x)
{
    struct held *h = TAILQ_FIRST(&p->unused);
    uint16_t *tally = tally_of(p, x);
    struct held **head = head_of(p, x);

    if (p->count == PAIRS_MOST || *tally >= PAIRS_OF_CLIENT)
        return NULL;
    if (h)
        TAILQ_REMOVE(&p->unused, h, link);
    else
        h = p->places + p->fresh++;
    *h = (struct held){.pair = *x, .chain = *head};
    *head = h;
    TAILQ_INSERT_TAIL(&p->ending, h, link);
    ++*tally;
    p->count++;
    return h;
}

static bool afford(struct pairs *p, nsec_t now)
{
    nsec_t passed = now - p->refilled;

    if (passed >= NSEC_MS) {
        p->budget += passed < NSEC_S ? passed / NSEC_MS * (PAIRS_WRITES / 1000) : PAIRS_WRITES;
        p->budget = p->budget < PAIRS_WRITES ? p->budget : PAIRS_WRITES;
        p->refilled = now;
    }
    return p->budget > 0 && p->budget-- > 0;
}

/* --- the policy ------------------------------------------------------------------------------- */

static bool cuts(const struct policy *policy, const struct cut_pair *x, int16_t zone, nsec_t wall)
{
    int16_t resolver = policy_resolver_hashed(policy, x->resolver);
    enum action a = policy_paired(policy, zone, &x->client, &x->server, resolver, wall);

    return (a == ACTION_REJECT || a == ACTION_DROP) &&
           !policy_exception_for(policy, &x->client, x->station, resolver, wall);
}

/* Behind which interface the client of a pair that was found in the kernel is, nobody knows: it
 * holds where any zone cuts, and the rules of the client's zone decide. */
static bool holds(const struct policy *policy, const struct cut_pair *x, nsec_t wall)
{
    const char *iface = x->iface < policy->interface_count ? policy->interfaces[x->iface] : "";
    bool any = false;

    if (!policy->pairs.timeout)
        return false;
    if (x->iface != UINT16_MAX)
        return cuts(policy, x, policy_zone_of(policy, &x->client, iface, x->vlan), wall);
    for (size_t i = 0; i < policy->zone_count && !any; i++)
        any = cuts(policy, x, (int16_t)i, wall);
    return any;
}

static bool is_confirmed(const struct pairs *p, const struct addr *server)
{
    for (size_t i = 0; i < CONFIRMED; i++)
        if (addr_equal(p->confirmed + i, server))
            return true;
    return false;
}

void pairs_probed(struct pairs *p, const struct probe_report *report)
{
    bool answers = report->found.post_works || report->found.get_works;

    if (report->port != 443 ||
        (report->transport != TRANSPORT_DOH2 && report->transport != TRANSPORT_DOH3))
        return;
    for (size_t i = 0; i < CONFIRMED; i++)
        if (addr_equal(p->confirmed + i, &report->server))
            memset(p->confirmed + i, 0, sizeof *p->confirmed);
    if (answers)
        p->confirmed[p->next_confirmed++ % CONFIRMED] = report->server;
}

/* What it is asked for rests on something that the monitor knows itself. */
static bool is_proven(const struct pairs *p, const struct policy *policy, const struct cut_pair *x)
{
    if (x->proof == PAIR_BY_PROBE)
        return policy->pairs.hidden && is_confirmed(p, &x->server);
    return policy_resolver_hashed(policy, x->resolver) >= 0;
}

static bool is_wanted(const struct monitor *m, const struct cut_pair *x)
{
    const struct policy *policy = m->wiring->policy;

    return m->installed && !m->lost && policy->mode != MODE_MONITOR && policy->pairs.timeout &&
           is_proven(m->pairs, policy, x) && holds(policy, x, clock_now());
}

/* --- requests --------------------------------------------------------------------------------- */

static void refuse(struct monitor *m, nsec_t now, bool bound)
{
    struct pairs *p = m->pairs;

    m->wiring->board->monitor.pairs_refused++;
    if (!bound || !time_passed(p->complained, COMPLAIN, now))
        return;
    p->complained = now;
    log_warning("more pairs of client and server than are taken: %u stand, %d at most, %d of one "
                "client, %d a second",
                p->count, PAIRS_MOST, PAIRS_OF_CLIENT, PAIRS_WRITES);
}

static void wait_to_be_written(struct monitor *m, struct held *h)
{
    struct pairs *p = m->pairs;

    if (h->waiting)
        return;
    if (p->waiting_count == AT_ONCE)
        pairs_flush(m);
    h->waiting = true;
    p->waiting[p->waiting_count++] = h;
}

static void ask(struct monitor *m, const struct cut_pair *x, nsec_t now)
{
    nsec_t timeout = m->wiring->policy->pairs.timeout;
    struct pairs *p = m->pairs;
    struct held *h;

    expire(p, now);
    h = find(p, x);
    if (h && (h->waiting || now - h->written < timeout / RENEW))
        return;
    if (!is_wanted(m, x)) {
        refuse(m, now, false);
        return;
    }
    if (!afford(p, now) || (!h && !(h = add(p, x)))) {
        refuse(m, now, true);
        return;
    }
    h->pair = *x;
    wait_to_be_written(m, h);
}

bool pairs_ask(struct monitor *m, const struct pair_batch *asked)
{
    nsec_t now = clock_steady();

    if (asked->count == 0 || asked->count > PAIRS_AT_ONCE)
        return false;
    for (uint32_t i = 0; i < asked->count; i++)
        if (!pair_is_sound(asked->pair + i))
            return false;
    for (uint32_t i = 0; m->pairs && i < asked->count; i++)
        ask(m, asked->pair + i, now);
    return true;
}

/* --- the kernel ------------------------------------------------------------------------------- */

static struct enforce_pair for_kernel(const struct held *h, nsec_t until, nsec_t now)
{
    nsec_t left = (until - now) / NSEC_MS;

    return (struct enforce_pair){h->pair.client, h->pair.server, left > 0 ? (uint64_t)left : 1};
}

static void tell(struct monitor *m, struct message *t, nsec_t now)
{
    const struct channel *parser = &m->wiring->parser;
    struct pairs *p = m->pairs;
    bool wait = time_passed(p->deaf, DEAF, now);

    t->type = TELL_PAIRS;
    if (t->pairs.count && (wait ? channel_send(parser, t, -1) : channel_try(parser, t)) != SD_OK &&
        wait) {
        p->deaf = now;
        log_error("the parser does not listen: clients that are cut off are not recorded");
    }
    if (t->pairs.count && !addr_is_zero(&m->wiring->policy->peer.listen) &&
        channel_try(&m->wiring->recorder, t) != SD_OK)
        log_warning("the other gateway is not told whom this one cut off");
    t->pairs.count = 0;
}

/* They stand: until then counts, and the parser hears of it. */
static void written(struct monitor *m, nsec_t until, nsec_t now)
{
    struct pairs *p = m->pairs;
    struct message t = {.status = 0};

    for (uint32_t i = 0; i < p->waiting_count; i++) {
        struct held *h = p->waiting[i];

        h->waiting = false;
        h->written = now;
        h->until = until;
        TAILQ_REMOVE(&p->ending, h, link);
        TAILQ_INSERT_TAIL(&p->ending, h, link);
        t.pairs.pair[t.pairs.count] = h->pair;
        t.pairs.pair[t.pairs.count++].left_ms = (uint32_t)((until - now) / NSEC_MS);
        if (t.pairs.count == PAIRS_AT_ONCE)
            tell(m, &t, now);
    }
    tell(m, &t, now);
    m->wiring->board->monitor.pairs_put += p->waiting_count;
    p->waiting_count = 0;
}

/* Those that stood before do so as long as they did; the others are asked for again. */
static void not_written(struct monitor *m, nsec_t now, const char *error)
{
    struct pairs *p = m->pairs;

    for (uint32_t i = 0; i < p->waiting_count; i++) {
        p->waiting[i]->waiting = false;
        if (!p->waiting[i]->written)
            forget(p, p->waiting[i]);
    }
    p->waiting_count = 0;
    m->drift.suspect = true; /* somebody may have taken the table away */
    if (time_passed(p->complained, COMPLAIN, now))
        log_warning("%s", error);
    p->complained = now;
}

void pairs_flush(struct monitor *m)
{
    struct pairs *p = m->pairs;
    nsec_t now = clock_steady(), until = now + m->wiring->policy->pairs.timeout;
    struct enforce_pair out[AT_ONCE];
    char error[ENFORCE_ERROR] = "";

    if (!p || p->waiting_count == 0)
        return;
    for (uint32_t i = 0; i < p->waiting_count; i++)
        out[i] = for_kernel(p->waiting[i], until, now);
    if (pairs_write(m->netlink, out, p->waiting_count, error) == SD_OK)
        written(m, until, now);
    else
        not_written(m, now, error);
}

void pairs_rewrite(struct monitor *m)
{
    struct pairs *p = m->pairs;
    nsec_t now = clock_steady();
    struct enforce_pair out[AT_ONCE];
    char error[ENFORCE_ERROR] = "";
    size_t count = 0;
    struct held *h;
    int status = SD_OK;

    if (!p || !m->installed)
        return;
    expire(p, now);
    TAILQ_FOREACH(h, &p->ending, link)
    {
        if (status != SD_OK || !holds(m->wiring->policy, &h->pair, clock_now()))
            continue;
        out[count++] = for_kernel(h, h->until, now);
        if (count == AT_ONCE) {
            status = pairs_write(m->netlink, out, count, error);
            count = 0;
        }
    }
    if (status == SD_OK)
        status = pairs_write(m->netlink, out, count, error);
    if (status != SD_OK)
        log_warning("%s", error);
}

struct recalling {
    struct pairs *pairs;
    nsec_t now, longest;
};

/* Who was named by the client is not known any more; that it was, the one before had seen. */
static void recall(void *context, const struct enforce_pair *there)
{
    struct recalling *r = context;
    struct cut_pair x = {.client = there->client,
                         .server = there->server,
                         .iface = UINT16_MAX,
                         .transport = TRANSPORT_DOH2};
    nsec_t left = (nsec_t)there->left_ms * NSEC_MS;
    struct held *h = pair_is_sound(&x) && there->left_ms < INT32_MAX ? add(r->pairs, &x) : NULL;

    if (!h)
        return;
    h->written = 1; /* long ago: who is seen again gets more time, and is told */
    h->until = r->now + (left < r->longest ? left : r->longest);
}

void pairs_recall(struct monitor *m)
{
    struct recalling r = {m->pairs, clock_steady(), m->wiring->policy->pairs.timeout};
    char error[ENFORCE_ERROR] = "";
    int descriptor;

    if (!m->pairs || m->wiring->policy->mode == MODE_MONITOR || !r.longest)
        return;
    descriptor = enforce_open(error);
    if (descriptor < 0)
        return; /* installing the rules will say so */
    if (pairs_read(descriptor, recall, &r, error) == SD_OK && m->pairs->count)
        log_notice("%u pairs of client and server are still in the kernel", m->pairs->count);
    close(descriptor);
}

int pairs_fill(struct pairs *p, const struct policy *policy, struct ruleset *r)
{
    nsec_t now = clock_steady(), wall = clock_now();
    struct enforce_pair *out = malloc((pairs_count(p) + 1) * sizeof *out);
    size_t count = 0;
    struct held *h;
    int status;

    if (!out)
        return SD_EMEM;
    if (p)
        expire(p, now);
    if (p)
        TAILQ_FOREACH(h, &p->ending, link)
        {
            if (h->written && h->until > now && holds(policy, &h->pair, wall))
                out[count++] = for_kernel(h, h->until, now);
        }
    status = ruleset_put_pairs(r, out, count);
    free(out);
    return status;
}
