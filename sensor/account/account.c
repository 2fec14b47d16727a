#include "account/account.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/clients.h"
#include "account/delays.h"
#include "account/named.h"
#include "account/points.h"
#include "account/roles.h"
#include "account/table.h"
#include "base/error.h"
#include "base/pages.h"
#include "base/text.h"

#define SERVED 8 /* answers to one client that make a server of it */

struct account {
    struct conversation_table table;
    struct clients *clients;
    struct points *points;
    struct named *named;
    struct roles *roles;
    struct delays delays;
    uint32_t *client_at; /* by note.pair: the client's place in the table of clients, as it was */
    const struct policy *policy;
    struct account_omitted omitted;
    struct conversation folded; /* counts folded since the last flush */
};

struct account *account_create(const struct bounds *bounds, uint64_t seed)
{
    const struct bounds *b = bounds ? bounds : bounds_of(PROFILE_STANDARD);
    struct account *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->clients = clients_create(b->clients, seed);
    a->points = points_create(seed);
    a->named = named_create(seed);
    a->roles = roles_create();
    a->client_at = pages_zeroed(NOTE_PAIRS * sizeof *a->client_at);
    if (conversation_table_init(&a->table, b->conversations, seed) != SD_OK || !a->clients ||
        !a->points || !a->named || !a->roles || !a->client_at) {
        account_destroy(a);
        return NULL;
    }
    return a;
}

void account_tell_latencies(struct account *a, struct latencies *to)
{
    a->delays.to = to;
    delays_use_policy(&a->delays, a->policy);
}

void account_destroy(struct account *a)
{
    if (!a)
        return;
    conversation_table_finish(&a->table);
    clients_destroy(a->clients);
    points_destroy(a->points);
    named_destroy(a->named);
    roles_destroy(a->roles);
    delays_finish(&a->delays);
    pages_free(a->client_at);
    free(a);
}

static const char *interface_name(const struct account *a, uint16_t iface)
{
    return iface < a->policy->interface_count ? a->policy->interfaces[iface] : "";
}

/* By name where one was seen, else by address. A name alone proves nothing for a resolver whose
 * addresses are known: an SNI is the client's to choose, and the kernel's rules go by address. */
static int16_t resolver_of(const struct policy *p, const struct observation *o)
{
    int16_t by_address = policy_resolver_at(p, &o->server, NULL);
    int16_t by_name = -1;

    if (o->kind == OBSERVE_FLOW && o->flow.tls.sni[0] && !o->flow.tls.sni_outer)
        by_name = policy_resolver_named(p, o->flow.tls.sni);
    return by_name >= 0 ? by_name : by_address;
}

static bool address_fits(const struct policy *p, int16_t resolver, const struct addr *server)
{
    const struct policy_resolver *r = &p->resolvers[resolver];

    for (size_t i = 0; i < r->address_count; i++)
        if (addr_equal(&r->addresses[i].addr, server))
            return true;
    return r->address_count == 0;
}

static void write_note(const struct account *a, struct observation *o)
{
    const struct policy *p = a->policy;
    struct observation_note *n = &o->note;

    *n = (struct observation_note){.zone = ZONE_DEFAULT, .resolver = -1, .named = -1};
    if (!p)
        return;
    n->zone = policy_zone_of(p, &o->client, interface_name(a, o->iface), o->vlan);
    n->resolver = resolver_of(p, o);
    n->inside = policy_inside(p, &o->client, &o->server);
    if (n->zone == ZONE_GATEWAY)
        n->roles |= ROLE_GATEWAY;
    n->approved = n->resolver >= 0 && address_fits(p, n->resolver, &o->server) &&
                  policy_approves(p, n->zone, n->resolver, (enum transport)o->transport);
    if (o->server_port == 53 && policy_is_gateway(p, &o->server))
        n->approved = p->zones[n->zone].gateway_resolver;
}

/* The note of a known conversation stands in it; only flows with names of their own ask again. */
static void recall_note(const struct conversation *c, struct observation *o)
{
    o->note = (struct observation_note){.zone = c->zone,
                                        .resolver = c->resolver,
                                        .approved = c->approved,
                                        .inside = c->inside,
                                        .named = -1,
                                        .roles = c->zone == ZONE_GATEWAY ? ROLE_GATEWAY : 0};
}

static void name_conversation(struct conversation *c, const struct account *a,
                              const struct observation *o)
{
    const struct policy_resolver *r;
    const char *name = o->kind == OBSERVE_FLOW ? o->flow.tls.sni : "";

    if (!name[0] && !c->name[0] && o->note.resolver >= 0) {
        r = &a->policy->resolvers[o->note.resolver];
        name = r->name_count ? r->names[0] : r->id;
    }
    if (!name[0])
        return;
    if (text_copy(c->name, sizeof c->name, name))
        c->name[sizeof c->name - 2] = '~';
}

static void describe(struct conversation *c, const struct account *a, const struct observation *o)
{
    c->iface = o->iface;
    c->vlan = o->vlan;
    c->zone = o->note.zone;
    c->resolver = o->note.resolver;
    c->approved = o->note.approved;
    c->inside = o->note.inside;
    if (o->kind == OBSERVE_DNS) {
        c->identified_by = BY(BY_PORT) | BY(BY_PAYLOAD);
        c->confidence = 100;
    } else {
        c->identified_by |= o->flow.identified_by;
        if (o->flow.confidence > c->confidence)
            c->confidence = o->flow.confidence;
        c->queries_estimated |= o->flow.queries_estimated;
        if (o->flow.tls.version)
            c->tls_version = o->flow.tls.version;
        if (o->flow.tls.alpn[0])
            text_copy(c->alpn, sizeof c->alpn, o->flow.tls.alpn);
    }
    name_conversation(c, a, o);
}

static void add_dns(struct conversation *c, const struct observation *o)
{
    bool response = dns_is_response(&o->dns.message);

    c->queries += !response;
    c->responses += response;
    c->flows += o->dns.new_flow;
    *(response ? &c->bytes_in : &c->bytes_out) += o->bytes;
}

static void add_flow(struct conversation *c, const struct observation *o)
{
    c->flows += o->flow.flows;
    c->flows_failed += o->flow.phase == FLOW_FAILED;
    c->queries += o->flow.queries;
    c->responses += o->flow.responses;
    c->bytes_out += o->flow.bytes_out;
    c->bytes_in += o->flow.bytes_in;
    if (o->flow.first && o->flow.first < c->first)
        c->first = o->flow.first;
}

static void fold_away(void *context, const struct conversation_entry *e)
{
    struct account *a = context;

    a->omitted.conversations++;
    a->omitted.queries += e->now.queries;
    a->omitted.flows += e->now.flows;
    a->folded.queries += e->now.queries - e->flushed.queries;
    a->folded.responses += e->now.responses - e->flushed.responses;
    a->folded.bytes_out += e->now.bytes_out - e->flushed.bytes_out;
    a->folded.bytes_in += e->now.bytes_in - e->flushed.bytes_in;
    a->folded.flows += e->now.flows - e->flushed.flows;
    a->folded.flows_failed += e->now.flows_failed - e->flushed.flows_failed;
    if (e->now.last > a->folded.last)
        a->folded.last = e->now.last;
    if (!a->folded.first || e->now.first < a->folded.first)
        a->folded.first = e->now.first;
}

/* Of the packets: a flow may be told of later than it was heard. */
static nsec_t last_of(const struct observation *o)
{
    return o->kind == OBSERVE_FLOW && o->flow.last ? o->flow.last : o->time;
}

/* The only one of its client, as far as is known: none is less active. */
static void fold_at_once(struct account *a, const struct observation *o, struct stats *stats)
{
    struct conversation_entry e = {.now = {.first = last_of(o), .last = last_of(o)}};

    if (o->kind == OBSERVE_DNS)
        add_dns(&e.now, o);
    else
        add_flow(&e.now, o);
    fold_away(a, &e);
    stats->conversations_folded++;
}

static bool carries_counts(const struct observation *o)
{
    return o->kind == OBSERVE_DNS || (o->kind == OBSERVE_FLOW && o->flow.phase != FLOW_OPENED);
}

static struct conversation_key key_of(const struct observation *o)
{
    return (struct conversation_key){.client = o->client,
                                     .server = o->server,
                                     .server_port = o->server_port,
                                     .transport = o->transport};
}

/* What an observation is looked up by, for the passes over a batch. */
struct looked_up {
    struct conversation_key key;
    uint64_t hash;
    uint32_t place; /* in the table of conversations, 0: not known */
    bool newcomer;
};

static uint32_t pair_of(uint32_t place)
{
    return (place - 1) % NOTE_PAIRS;
}

static void begin(const struct account *a, const struct observation *o, struct looked_up *by)
{
    if (o->kind >= OBSERVE_PROBE) /* no conversation */
        return;
    by->key = key_of(o);
    by->hash = conversation_table_hash(&a->table, &by->key);
    conversation_table_prefetch(&a->table, by->hash);
    named_prefetch(a->named, o);
}

/* A conversation knows its client's place; true: none is known, the address must be hashed. */
static bool prefetch_entries(const struct account *a, const struct observation *o,
                             struct looked_up *by)
{
    if (o->kind >= OBSERVE_PROBE)
        return false;
    by->place = conversation_table_guess(&a->table, by->hash);
    if (by->place)
        clients_prefetch(a->clients, a->client_at[pair_of(by->place)]);
    else
        clients_prefetch_strange(a->clients, o, false);
    return !by->place;
}

static void prefetch_strangers(const struct account *a, const struct observation *o, size_t count,
                               const struct looked_up *by)
{
    for (size_t i = 0; i < count; i++)
        if (o[i].kind < OBSERVE_PROBE && !by[i].place)
            clients_prefetch_strange(a->clients, &o[i], true);
}

static bool is_power(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* A server that answers this client time and again: is it a client itself? What nobody asked for
 * makes no forwarder of a machine that would like to be measured by a forwarder's measure. */
static void note_served(struct account *a, const struct observation *o,
                        const struct conversation *c)
{
    uint32_t who, tenure;

    if (o->kind == OBSERVE_DNS && o->dns.match == ANSWER_MATCHED && c->responses >= SERVED &&
        is_power(c->responses) && clients_find(a->clients, &o->server, &who, &tenure))
        roles_serve(a->roles, who, tenure, &o->client);
}

static void add(struct account *a, struct observation *o, struct looked_up *by, struct stats *stats)
{
    struct conversation *c;
    bool fresh;

    if (!carries_counts(o)) {
        write_note(a, o);
        return;
    }
    if (by->newcomer && a->table.count >= a->table.limit) {
        write_note(a, o);
        fold_at_once(a, o, stats);
        return;
    }
    if (conversation_table_full(&a->table))
        stats->conversations_folded += conversation_table_fold(&a->table, fold_away, a);
    c = conversation_table_at(&a->table, &by->key, by->hash, &by->place, &fresh);
    stats->conversations = a->table.count;
    if (fresh || o->kind == OBSERVE_FLOW) {
        write_note(a, o);
        if (fresh)
            c->first = last_of(o);
        describe(c, a, o);
    } else {
        recall_note(c, o);
    }
    o->note.pair = pair_of(by->place);
    if (last_of(o) > c->last)
        c->last = last_of(o);
    if (o->kind == OBSERVE_DNS)
        add_dns(c, o);
    else
        add_flow(c, o);
    note_served(a, o, c);
}

/* The rule knows best whose it was: it has seen the interface. */
static void take_zone(const struct policy *p, struct observation *o)
{
    size_t length = strcspn(o->met.rule, "/");

    for (size_t i = 0; i < p->zone_count; i++)
        if (strncmp(p->zones[i].id, o->met.rule, length) == 0 && !p->zones[i].id[length])
            o->note.zone = (int16_t)i;
}

bool account_twice(struct account *a, const struct observation *o, struct stats *stats)
{
    if (!points_again(a->points, o))
        return false;
    stats->observations_twice++;
    return true;
}

static void note(struct account *a, struct observation *o, struct looked_up *by,
                 struct stats *stats)
{
    uint32_t nowhere = 0;

    if (o->kind >= OBSERVE_PROBE) {
        write_note(a, o);
        if (o->kind == OBSERVE_MET && a->policy)
            take_zone(a->policy, o);
        if (o->kind == OBSERVE_LEASE)
            clients_lease(a->clients, o, stats);
        else if (o->kind == OBSERVE_VPN)
            clients_note(a->clients, o, &nowhere, stats);
        return;
    }
    by->newcomer = !by->place && clients_newcomer(a->clients, o);
    add(a, o, by, stats);
    delays_note(&a->delays, o);
    if (by->newcomer)
        clients_note_newcomer(a->clients, o);
    else
        clients_note(a->clients, o, by->place ? &a->client_at[pair_of(by->place)] : &nowhere,
                     stats);
    roles_prefetch(a->roles, o);
    named_note(a->named, o);
}

void account_observe(struct account *a, struct observation *o, size_t count, struct stats *stats)
{
    struct looked_up by[ACCOUNT_BATCH];
    bool strangers = false;

    assert(count <= ACCOUNT_BATCH);
    for (size_t i = 0; i < count; i++)
        begin(a, &o[i], &by[i]);
    for (size_t i = 0; i < count; i++)
        strangers |= prefetch_entries(a, &o[i], &by[i]);
    if (strangers)
        prefetch_strangers(a, o, count, by);
    for (size_t i = 0; i < count; i++)
        note(a, &o[i], &by[i], stats);
    for (size_t i = 0; i < count; i++)
        if (o[i].kind < OBSERVE_PROBE)
            roles_note(a->roles, a->policy, &o[i]);
}

bool account_identify(struct account *a, const struct addr *client, struct client_identity *out)
{
    const struct host *m = clients_host(a->clients, client);

    if (!m)
        return false;
    out->station = m->station;
    text_copy(out->host, sizeof out->host, m->name);
    return true;
}

void account_remember(struct account *a, struct memory_sink sink)
{
    clients_remember(a->clients, sink);
    roles_remember(a->roles, sink);
}

void account_recall(struct account *a, const struct memory *m)
{
    clients_recall(a->clients, m);
}

/* In clear text a name is only what the policy of then called the server. */
static bool has_own_name(const struct conversation *c)
{
    return c->key.transport != TRANSPORT_DO53_UDP && c->key.transport != TRANSPORT_DO53_TCP;
}

void account_place(const struct account *a, struct memory *m)
{
    const char *at = m->key;
    char word[ADDR_TEXT];
    struct addr address;

    for (size_t length; *at; at += length + (at[length] == ' ')) {
        length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (addr_parse(word, &address) != SD_OK)
            continue;
        clients_find(a->clients, &address, &m->who, &m->tenure);
        return;
    }
}

void account_use_policy(struct account *a, const struct policy *policy)
{
    a->policy = policy;
    named_use_policy(a->named, policy);
    delays_use_policy(&a->delays, policy);
    for (size_t i = 0; i < a->table.count; i++) {
        struct conversation *c = &a->table.entries[i].now;
        struct observation o = {.kind = OBSERVE_FLOW,
                                .transport = c->key.transport,
                                .server_port = c->key.server_port,
                                .client = c->key.client,
                                .server = c->key.server,
                                .iface = c->iface,
                                .vlan = c->vlan};

        if (has_own_name(c))
            text_copy(o.flow.tls.sni, sizeof o.flow.tls.sni, c->name);
        o.flow.tls.sni_outer = a->policy && policy_is_outer_name(a->policy, c->name);
        write_note(a, &o);
        c->zone = o.note.zone;
        c->resolver = o.note.resolver;
        c->approved = o.note.approved;
        c->inside = o.note.inside;
    }
}

static void fill_words(const struct account *a, struct record *r)
{
    const struct conversation *c = &r->conversation;

    if (!a->policy)
        return;
    if (c->zone >= 0 && (size_t)c->zone < a->policy->zone_count)
        text_copy(r->zone, sizeof r->zone, a->policy->zones[c->zone].id);
    if (c->resolver >= 0 && (size_t)c->resolver < a->policy->resolver_count)
        text_copy(r->resolver, sizeof r->resolver, a->policy->resolvers[c->resolver].id);
}

/* What a flow had left to tell may have come with no later packet. */
static bool has_news(const struct conversation_entry *e)
{
    return e->now.last != e->flushed.last || e->now.bytes_out != e->flushed.bytes_out ||
           e->now.bytes_in != e->flushed.bytes_in || e->now.flows != e->flushed.flows ||
           e->now.flows_failed != e->flushed.flows_failed || e->now.queries != e->flushed.queries ||
           e->now.responses != e->flushed.responses;
}

static bool put_delta(const struct account *a, const struct conversation_entry *e, nsec_t hour,
                      struct record_sink sink)
{
    struct record r = {.kind = RECORD_CONVERSATION, .time = e->now.last, .hour = hour};

    r.conversation = e->now;
    r.conversation.queries -= e->flushed.queries;
    r.conversation.responses -= e->flushed.responses;
    r.conversation.bytes_out -= e->flushed.bytes_out;
    r.conversation.bytes_in -= e->flushed.bytes_in;
    r.conversation.flows -= e->flushed.flows;
    r.conversation.flows_failed -= e->flushed.flows_failed;
    fill_words(a, &r);
    return sink.put(sink.context, &r) == SD_OK;
}

static void flush_folded(struct account *a, nsec_t hour, struct record_sink sink)
{
    struct record r = {.kind = RECORD_CONVERSATION, .time = a->folded.last, .hour = hour};

    if (!a->folded.last)
        return;
    r.conversation = a->folded;
    r.conversation.zone = r.conversation.resolver = -1;
    if (sink.put(sink.context, &r) == SD_OK)
        memset(&a->folded, 0, sizeof a->folded);
}

void account_flush(struct account *a, nsec_t hour, struct record_sink sink)
{
    for (size_t i = 0; i < a->table.count; i++) {
        struct conversation_entry *e = &a->table.entries[i];

        if (!has_news(e))
            continue;
        if (!put_delta(a, e, hour, sink))
            return;
        e->flushed = (struct conversation_counts){
            .queries = e->now.queries,
            .responses = e->now.responses,
            .bytes_out = e->now.bytes_out,
            .bytes_in = e->now.bytes_in,
            .flows = e->now.flows,
            .flows_failed = e->now.flows_failed,
            .last = e->now.last,
        };
    }
    flush_folded(a, hour, sink);
}

static int by_contract(const void *left, const void *right)
{
    const struct conversation *a = *(const struct conversation *const *)left;
    const struct conversation *b = *(const struct conversation *const *)right;
    int order;

    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if ((order = addr_compare(&a->key.client, &b->key.client)) != 0)
        return order;
    if ((order = addr_compare(&a->key.server, &b->key.server)) != 0)
        return order;
    if (a->key.server_port != b->key.server_port)
        return a->key.server_port < b->key.server_port ? -1 : 1;
    return (int)a->key.transport - (int)b->key.transport;
}

int account_conversations(const struct account *a, const struct conversation ***out, size_t *count,
                          struct account_omitted *omitted)
{
    const struct conversation **list;
    struct account_omitted sum = a->omitted;
    size_t kept = 0, limit;
    bool *keep = conversation_table_most_active(&a->table, &limit);

    list = keep ? calloc(limit ? limit : 1, sizeof *list) : NULL;
    if (!list) {
        free(keep);
        return SD_EMEM;
    }
    for (size_t i = 0; i < a->table.count; i++) {
        if (keep[i]) {
            list[kept++] = &a->table.entries[i].now;
            continue;
        }
        sum.conversations++;
        sum.queries += a->table.entries[i].now.queries;
        sum.flows += a->table.entries[i].now.flows;
    }
    free(keep);
    qsort(list, kept, sizeof *list, by_contract);
    *out = list;
    *count = kept;
    *omitted = sum;
    return SD_OK;
}
