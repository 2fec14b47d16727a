/* What was gathered, judged and summed up. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decide/plan_state.h"

#define X(word, text) text,
const char *fate_name(unsigned fate)
{
    static const char *const words[] = {FATES(X)};

    return fate < FATE_COUNT ? words[fate] : "";
}

const char *outcome_name(unsigned outcome)
{
    static const char *const words[] = {OUTCOMES(X)};

    return outcome < OUTCOME_COUNT ? words[outcome] : "";
}
#undef X

static bool cuts(enum action a)
{
    return a == ACTION_REJECT || a == ACTION_DROP;
}

/* Nobody may have known the resolver when it was recorded: what is TLS or QUIC at an address of its
 * own is its DNS. TRANSPORT_UNKNOWN: no DNS. */
static enum transport dns_of(const struct plan *p, const struct plan_conversation *c)
{
    const struct plan_server *s = p->servers + c->server;
    bool own = s->resolver >= 0 && !s->shared;

    if (c->transport <= TRANSPORT_DNSCRYPT)
        return c->transport;
    if (own && c->server_port == 443 && c->transport != TRANSPORT_OTHER)
        return c->transport == TRANSPORT_TLS ? TRANSPORT_DOH2 : TRANSPORT_DOH3;
    if (own && c->server_port == 853 && c->transport != TRANSPORT_OTHER)
        return c->transport == TRANSPORT_TLS ? TRANSPORT_DOT : TRANSPORT_DOQ;
    return TRANSPORT_UNKNOWN;
}

static bool is_clear(const struct plan_conversation *c)
{
    return c->transport == TRANSPORT_DO53_UDP || c->transport == TRANSPORT_DO53_TCP;
}

/* A name alone is no proof of a resolver whose addresses are known, as in account/. */
static int16_t resolver_of(const struct plan *p, const struct plan_conversation *c)
{
    int16_t at = p->servers[c->server].resolver, named;

    if (at >= 0 || !c->name)
        return at;
    named = policy_resolver_named(p->policy, plan_name(p, c->name));
    return named >= 0 && p->policy->resolvers[named].address_count == 0 ? named : -1;
}

static bool is_approved(const struct plan *p, const struct plan_conversation *c)
{
    const struct plan_client *client = p->clients + c->client;
    const struct addr *server = &p->servers[c->server].address;

    if (dns_of(p, c) == TRANSPORT_UNKNOWN)
        return false;
    if (policy_is_gateway(p->policy, server))
        return p->policy->zones[client->zone].gateway_resolver || client->zone == ZONE_GATEWAY;
    return policy_approves(p->policy, client->zone, resolver_of(p, c), dns_of(p, c));
}

/* The policy wants it cut, but what it is cannot be seen by address and port. */
static bool is_unwanted(const struct plan *p, const struct plan_conversation *c)
{
    const struct policy_zone *z = p->policy->zones + p->clients[c->client].zone;

    return rollout_holds(z, &p->clients[c->client].address) && dns_of(p, c) != TRANSPORT_UNKNOWN &&
           !c->approved && cuts(is_clear(c) ? z->cleartext : z->unapproved);
}

static enum action asked_at(const struct plan *p, const struct plan_conversation *c, nsec_t when)
{
    const struct plan_client *client = p->clients + c->client;

    if (!rollout_holds(p->policy->zones + client->zone, &client->address))
        return ACTION_ALLOW;
    return policy_kernel(p->policy, client->zone, &client->address, &p->servers[c->server].address,
                         c->server_port, when);
}

static void except(const struct plan *p, struct plan_conversation *c)
{
    const struct policy_exception *e = policy_exception_for(
        p->policy, &p->clients[c->client].address, 0, p->servers[c->server].resolver, p->now);

    if (e) {
        c->fate = FATE_EXCEPTED;
        c->exception = (int32_t)(e - p->policy->exceptions);
    }
}

static bool was_blocked(const struct plan *p, const struct plan_conversation *c)
{
    struct plan_block key = {p->clients[c->client].address, p->servers[c->server].address,
                             c->cleartext};

    return intern_find(&p->blocked, &key, sizeof key) >= 0;
}

/* At an address that others share: the client named the resolver, and would be paired with the
 * server for it. */
static enum action paired_at(const struct plan *p, const struct plan_conversation *c)
{
    const struct plan_client *client = p->clients + c->client;

    if (!p->policy->pairs.timeout || c->server_port != 443 ||
        (c->transport != TRANSPORT_DOH2 && c->transport != TRANSPORT_DOH3) ||
        policy_resolver_named(p->policy, plan_name(p, c->name)) < 0)
        return ACTION_ALLOW;
    return policy_paired(p->policy, client->zone, &client->address, &p->servers[c->server].address,
                         policy_resolver_named(p->policy, plan_name(p, c->name)), p->now);
}

static void judge(const struct plan *p, struct plan_conversation *c)
{
    enum action a = asked_at(p, c, p->now);

    if (a == ACTION_ALLOW)
        a = paired_at(p, c);
    c->action = (uint8_t)a;
    c->cleartext = c->server_port == 53;
    c->approved = is_approved(p, c);
    c->fate = FATE_PASSES;
    if (cuts(a)) {
        c->fate = FATE_CUT;
        c->already = was_blocked(p, c);
    } else if (a == ACTION_REDIRECT) {
        c->fate = FATE_REDIRECTED;
    } else if (asked_at(p, c, INT64_MAX) != a) { /* when all exceptions have ended */
        except(p, c);
    } else if (is_unwanted(p, c)) {
        c->fate = FATE_OUT_OF_REACH;
        except(p, c);
    }
}

static void tally(struct plan_tally *t, const struct plan_conversation *c)
{
    t->conversations++;
    t->answered += c->answered_last != 0;
    t->flows += c->flows;
    t->queries += c->queries;
}

static void add_to_client(struct plan *p, const struct plan_conversation *c)
{
    struct plan_client *client = p->clients + c->client;

    if (c->fate == FATE_CUT)
        tally(&client->cut, c);
    /* What is no DNS is nothing that a client could keep. */
    if (c->answered_last && (c->fate == FATE_CUT || dns_of(p, c) != TRANSPORT_UNKNOWN))
        client->answered[c->fate]++;
    if (c->answered_last && c->fate == FATE_PASSES && c->approved)
        client->approved++;
}

static bool keeps(const struct plan_client *c)
{
    return c->answered[FATE_PASSES] || c->answered[FATE_EXCEPTED] || c->answered[FATE_REDIRECTED];
}

/* There is a name that may be asked for: the rules let no others through. */
static bool may_bootstrap(const struct policy *p, int16_t zone)
{
    const struct policy_zone *z = p->zones + zone;

    for (size_t i = 0; z->bootstrap && i < z->approve_count; i++)
        for (unsigned t = TRANSPORT_DOT; t <= TRANSPORT_DNSCRYPT; t++)
            if (p->resolvers[z->approve[i]].name_count &&
                policy_approves(p, zone, z->approve[i], (enum transport)t))
                return true;
    return false;
}

static enum outcome outcome_of(const struct plan *p, struct plan_client *c, const bool *machines)
{
    const uint32_t *answered = c->answered;

    if (!answered[FATE_CUT] && answered[FATE_REDIRECTED])
        return OUTCOME_REDIRECTED;
    if (!answered[FATE_CUT])
        return keeps(c) || answered[FATE_OUT_OF_REACH] ? OUTCOME_UNAFFECTED : OUTCOME_SILENT;
    if (keeps(c))
        return OUTCOME_LOSES;
    c->elsewhere = c->machine != PLAN_NO_MACHINE && machines[c->machine];
    if (c->elsewhere)
        return OUTCOME_LOSES;
    if (answered[FATE_OUT_OF_REACH])
        return OUTCOME_OUT_OF_REACH;
    return may_bootstrap(p->policy, c->zone) ? OUTCOME_BOOTSTRAP : OUTCOME_DARK;
}

static int judge_clients(struct plan *p)
{
    bool *machines = calloc(p->machines + 1, sizeof *machines);
    int64_t machine;

    if (!machines)
        return SD_EMEM;
    for (size_t i = 0; i < p->client_keys.count; i++) {
        struct plan_client *c = p->clients + i;

        machine = intern_find(&p->machine_keys, &c->address, sizeof c->address);
        c->machine = machine >= 0 ? p->machine_of[machine] : PLAN_NO_MACHINE;
        if (machine >= 0)
            machines[c->machine] |= keeps(c);
    }
    for (size_t i = 0; i < p->client_keys.count; i++) {
        struct plan_client *c = p->clients + i;
        struct plan_zone *z = p->result.zones + c->zone;

        c->outcome = (uint8_t)outcome_of(p, c, machines);
        z->clients++;
        z->outcomes[c->outcome]++;
    }
    free(machines);
    return SD_OK;
}

/* Orders. */

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_client(const void *left, const void *right, void *plan)
{
    const struct plan *p = plan;
    const struct plan_conversation *a = *(const struct plan_conversation *const *)left;
    const struct plan_conversation *b = *(const struct plan_conversation *const *)right;
    const struct plan_client *x = p->clients + a->client, *y = p->clients + b->client;
    int e;

    if ((e = x->zone - y->zone) != 0 || (e = addr_compare(&x->address, &y->address)) != 0 ||
        (e = addr_compare(&p->servers[a->server].address, &p->servers[b->server].address)) != 0 ||
        (e = order(a->server_port, b->server_port)) != 0)
        return e;
    return (int)a->transport - (int)b->transport;
}

static int by_outcome(const void *left, const void *right)
{
    const struct plan_client *a = *(const struct plan_client *const *)left;
    const struct plan_client *b = *(const struct plan_client *const *)right;
    int e;

    if ((e = a->zone - b->zone) != 0 || (e = (int)b->outcome - (int)a->outcome) != 0)
        return e;
    return addr_compare(&a->address, &b->address);
}

struct ordering {
    const struct plan *p;
    bool names; /* of groups: by name, else by server */
};

static int by_use(const void *left, const void *right, void *context)
{
    const struct ordering *o = context;
    const struct plan_group *a = left, *b = right;
    int e;

    if ((e = a->zone - b->zone) != 0 ||
        (e = order(b->tally.queries + b->tally.flows, a->tally.queries + a->tally.flows)) != 0 ||
        (e = (int)a->fate - (int)b->fate) != 0 || (e = (int)a->cleartext - (int)b->cleartext) != 0)
        return e;
    if (o->names)
        return strcmp(plan_name(o->p, a->subject), plan_name(o->p, b->subject));
    return addr_compare(&o->p->servers[a->subject].address, &o->p->servers[b->subject].address);
}

/* Groups: conversations in the order of their group, then of their client. */

struct member {
    const struct plan_conversation *c;
    int16_t zone;
    uint32_t subject;
};

static int by_group(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int e;

    if ((e = a->zone - b->zone) != 0 || (e = order(a->subject, b->subject)) != 0 ||
        (e = (int)a->c->fate - (int)b->c->fate) != 0 ||
        (e = (int)a->c->cleartext - (int)b->c->cleartext) != 0)
        return e;
    return order(a->c->client, b->c->client);
}

static bool is_in(const struct plan_group *g, const struct member *m)
{
    return g->zone == m->zone && g->subject == m->subject && g->fate == m->c->fate &&
           g->cleartext == m->c->cleartext;
}

static size_t make_groups(const struct member *members, size_t count, struct plan_group *groups)
{
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        const struct member *m = members + i;
        struct plan_group *g = groups + made;

        if (made == 0 || !is_in(g - 1, m)) {
            *g = (struct plan_group){m->zone, m->c->fate, m->c->cleartext, m->subject, {0}};
            made++;
        }
        g = groups + made - 1;
        g->tally.clients += g->tally.conversations == 0 || members[i - 1].c->client != m->c->client;
        tally(&g->tally, m->c);
    }
    return made;
}

static int group(struct plan *p, bool names, struct plan_group **out, size_t *out_count)
{
    const struct plan_result *r = &p->result;
    struct ordering ordering = {p, names};
    struct member *members = calloc(r->conversation_count + 1, sizeof *members);
    struct plan_group *groups = calloc(r->conversation_count + 1, sizeof *groups);
    size_t count = 0;

    if (!members || !groups) {
        free(members);
        free(groups);
        return SD_EMEM;
    }
    for (size_t i = 0; i < r->conversation_count; i++) {
        const struct plan_conversation *c = r->conversations[i];

        if (!names || c->name)
            members[count++] =
                (struct member){c, p->clients[c->client].zone, names ? c->name : c->server};
    }
    qsort(members, count, sizeof *members, by_group);
    *out_count = make_groups(members, count, groups);
    free(members);
    qsort_r(groups, *out_count, sizeof *groups, by_use, &ordering);
    *out = groups;
    return SD_OK;
}

static int list_conversations(struct plan *p)
{
    struct plan_result *r = &p->result;

    r->conversations = calloc(p->keys.count + 1, sizeof *r->conversations);
    r->clients = calloc(p->client_keys.count + 1, sizeof *r->clients);
    r->zones = calloc(p->policy->zone_count, sizeof *r->zones);
    r->exceptions = calloc(p->policy->exception_count + 1, sizeof *r->exceptions);
    if (!r->conversations || !r->clients || !r->zones || !r->exceptions)
        return SD_EMEM;
    r->judged = p->keys.count;
    for (size_t i = 0; i < p->keys.count; i++) {
        struct plan_conversation *c = p->conversations + i;

        judge(p, c);
        add_to_client(p, c);
        r->conversations[r->conversation_count++] = c;
    }
    for (size_t i = 0; i < p->client_keys.count; i++)
        r->clients[r->client_count++] = p->clients + i;
    qsort_r(r->conversations, r->conversation_count, sizeof *r->conversations, by_client, p);
    return SD_OK;
}

/* Conversations come by zone and client: a tally meets the conversations of a client in a row. */
struct last_clients {
    uint32_t fates[FATE_COUNT], cleartext, unapproved, already, approved;
};

static void count_one(struct plan_tally *t, uint32_t *last, const struct plan_conversation *c)
{
    t->clients += *last != c->client;
    *last = c->client;
    tally(t, c);
}

static int sum_zones(struct plan *p)
{
    struct plan_result *r = &p->result;
    uint32_t *excepted = malloc((p->policy->exception_count + 1) * sizeof *excepted);
    struct last_clients last;
    size_t kept = 0;

    if (!excepted)
        return SD_EMEM;
    memset(&last, 0xff, sizeof last);
    memset(excepted, 0xff, (p->policy->exception_count + 1) * sizeof *excepted);
    for (size_t i = 0; i < r->conversation_count; i++) {
        const struct plan_conversation *c = r->conversations[i];
        struct plan_zone *z = r->zones + p->clients[c->client].zone;

        count_one(&z->fates[c->fate], &last.fates[c->fate], c);
        if (c->fate == FATE_CUT)
            count_one(c->cleartext ? &z->cleartext : &z->unapproved,
                      c->cleartext ? &last.cleartext : &last.unapproved, c);
        if (c->already)
            count_one(&z->already, &last.already, c);
        if (c->approved && c->fate == FATE_CUT)
            count_one(&z->approved, &last.approved, c);
        if (c->exception >= 0)
            count_one(r->exceptions + c->exception, excepted + c->exception, c);
        if (c->fate != FATE_PASSES)
            r->conversations[kept++] = c;
    }
    r->conversation_count = kept;
    free(excepted);
    return SD_OK;
}

int plan_settle(struct plan *p)
{
    struct plan_result *r = &p->result;
    int e = list_conversations(p);

    if (e == SD_OK)
        e = sum_zones(p);
    if (e == SD_OK)
        e = judge_clients(p);
    if (e != SD_OK)
        return e;
    qsort(r->clients, r->client_count, sizeof *r->clients, by_outcome);
    e = group(p, false, &r->servers, &r->server_count);
    return e == SD_OK ? group(p, true, &r->names, &r->name_count) : e;
}
