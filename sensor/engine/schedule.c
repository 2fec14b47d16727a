#include "engine/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"

#define DAY (86400 * NSEC_S)

enum { SERVERS = 4096 };

struct sighted {
    struct addr server;
    uint16_t port;
    uint8_t transport;
    uint8_t zero[5];
    nsec_t asked;
};

struct schedule {
    struct table *sighted;
    nsec_t round;    /* when the next one begins */
    nsec_t stranger; /* when the next may be asked */
    size_t resolver, address;
    unsigned transport; /* where the round stands */
    bool going;
};

struct schedule *schedule_create(void)
{
    struct schedule *s = calloc(1, sizeof *s);
    struct table_shape shape = {.entry_size = sizeof(struct sighted),
                                .key_size = offsetof(struct sighted, asked),
                                .capacity = SERVERS};

    if (!s || getrandom(&shape.seed, sizeof shape.seed, 0) != sizeof shape.seed) {
        free(s);
        return NULL;
    }
    s->sighted = table_create(&shape);
    if (s->sighted)
        return s;
    free(s);
    return NULL;
}

void schedule_destroy(struct schedule *s)
{
    if (!s)
        return;
    table_destroy(s->sighted);
    free(s);
}

/* Steps to the next address and transport of the round. False: it is over. */
static bool step(struct schedule *s, const struct policy *p)
{
    if (++s->transport <= TRANSPORT_DNSCRYPT)
        return true;
    s->transport = TRANSPORT_DO53_UDP;
    if (s->resolver < p->resolver_count && ++s->address < p->resolvers[s->resolver].address_count)
        return true;
    s->address = 0;
    return ++s->resolver < p->resolver_count;
}

/* SD_ELIMIT: the queue is full, the round waits. */
static int ask_here(const struct schedule *s, const struct policy *p, struct prober *to)
{
    const struct policy_resolver *r = p->resolvers + s->resolver;
    struct probe_target t;

    if (s->address >= r->address_count || !(r->transports & (1u << s->transport)) ||
        !probe_speaks((enum transport)s->transport) || !policy_is_approved(p, (int16_t)s->resolver))
        return SD_OK;
    probe_target_set(&t, p, (int16_t)s->resolver, &r->addresses[s->address].addr,
                     (enum transport)s->transport);
    return prober_ask(to, &t, p->probe.timeout);
}

void schedule_tick(struct schedule *s, const struct policy *p, struct prober *to, nsec_t now)
{
    if (!p->probe.interval ||
        (!s->going && !time_passed(s->round - p->probe.interval, p->probe.interval, now)))
        return;
    if (!s->going) {
        s->round = now + p->probe.interval;
        s->resolver = s->address = 0;
        s->transport = TRANSPORT_DO53_UDP;
        s->going = p->resolver_count > 0;
    }
    while (s->going) {
        /* A policy that was swapped meanwhile may be shorter. */
        if (s->resolver < p->resolver_count && ask_here(s, p, to) == SD_ELIMIT)
            return;
        s->going = s->resolver < p->resolver_count && step(s, p);
    }
}

/* A name may be claimed by anybody; an address that the policy approves is the operator's word. */
static bool is_stranger(const struct policy *p, const struct addr *server)
{
    bool shared;
    int16_t at = policy_resolver_at(p, server, &shared);

    return at < 0 || shared || !policy_is_approved(p, at);
}

/* Of a server that was seen, unless it was asked today. */
static void ask_seen(struct schedule *s, const struct policy *p, struct prober *to,
                     struct probe_target *t, nsec_t now)
{
    struct sighted key = {.server = t->server, .port = t->port, .transport = t->transport}, *seen;
    bool fresh;

    t->stranger = is_stranger(p, &t->server);
    seen = table_find(s->sighted, &key);
    if ((seen && !time_passed(seen->asked, DAY, now)) ||
        (t->stranger && !time_passed(s->stranger - STRANGERS, STRANGERS, now)) ||
        prober_ask(to, t, p->probe.timeout) != SD_OK)
        return;
    if (t->stranger)
        s->stranger = now + STRANGERS;
    seen = table_insert(s->sighted, &key, &fresh);
    seen->asked = now;
}

void schedule_sighted(struct schedule *s, const struct policy *p, struct prober *to,
                      const struct record *r, nsec_t now)
{
    const struct conversation *c = &r->conversation;
    struct probe_target t;

    if (!p->probe.on_sight || !probe_speaks((enum transport)c->key.transport) ||
        c->key.transport < TRANSPORT_DOT || c->flows <= c->flows_failed)
        return;
    probe_target_set(&t, p, policy_resolver_called(p, r->resolver), &c->key.server,
                     (enum transport)c->key.transport);
    t.port = c->key.server_port;
    ask_seen(s, p, to, &t, now);
}

void schedule_told(struct schedule *s, const struct policy *p, struct prober *to,
                   const struct record *r, nsec_t now)
{
    const struct finding *f = &r->event.finding;
    struct probe_target t;

    if (!p->probe.on_sight || strcmp(f->rule, "hidden-resolver") != 0 || addr_is_zero(&f->server) ||
        !probe_speaks((enum transport)f->transport))
        return;
    probe_target_set(&t, p, -1, &f->server, (enum transport)f->transport);
    t.port = f->server_port;
    if (f->name[0] && !f->sni_outer && strlen(f->name) < sizeof t.name[0])
        text_copy(t.name[t.name_count++], sizeof t.name[0], f->name);
    ask_seen(s, p, to, &t, now);
}
