#include "store/sums.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"

const char sums_event_text[] =
    "INSERT INTO event_days VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE"
    " SET events = events + excluded.events, count = count + excluded.count";
const char sums_resolver_text[] =
    "INSERT INTO resolvers VALUES (?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT DO UPDATE SET resolver = excluded.resolver, name = excluded.name,"
    " first = min(first, excluded.first), last = max(last, excluded.last),"
    " queries = queries + excluded.queries, responses = responses + excluded.responses,"
    " flows = flows + excluded.flows, flows_failed = flows_failed + excluded.flows_failed";

static int step(sqlite3_stmt *q)
{
    int code = sqlite3_step(q);

    sqlite3_reset(q);
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}

static int write_event(sqlite3_stmt *q, struct event_sum *e)
{
    int status;

    if (!e->kind)
        return SD_OK;
    sqlite3_bind_int64(q, 1, e->day);
    sqlite3_bind_text(q, 2, e->zone, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, e->kind, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 4, e->severity);
    sqlite3_bind_text(q, 5, e->verdict, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 6, e->events);
    sqlite3_bind_int64(q, 7, e->count);
    status = step(q);
    if (status == SD_OK)
        e->kind = NULL;
    return status;
}

static bool is_same_event(const struct event_sum *a, const struct event_sum *b)
{
    return a->kind == b->kind && a->day == b->day && a->severity == b->severity &&
           strcmp(a->zone, b->zone) == 0 && strcmp(a->verdict, b->verdict) == 0;
}

static struct event_sum *place_of_event(struct sums *s, const struct event_sum *e)
{
    uint64_t hash = hash_bytes(e->zone, strlen(e->zone), (uint64_t)(uintptr_t)e->kind);

    hash = hash_mix(hash, (uint64_t)e->day + (uint64_t)e->severity);
    return &s->events[hash_mix(hash, (uint8_t)e->verdict[0]) % SUM_PLACES];
}

int sums_event(struct sums *s, const struct event_sum *one)
{
    struct event_sum *e = place_of_event(s, one);
    int status;

    if (e->kind && is_same_event(e, one)) {
        e->events += one->events;
        e->count += one->count;
        return SD_OK;
    }
    status = write_event(s->add_event, e);
    if (status == SD_OK)
        *e = *one;
    return status;
}

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
    if (text[0])
        sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(q, at);
}

static int write_resolver(sqlite3_stmt *q, struct resolver_sum *r)
{
    const uint64_t counts[] = {r->queries, r->responses, r->flows, r->flows_failed};
    char text[ADDR_TEXT] = "";
    int status;

    if (!r->used)
        return SD_OK;
    if (!addr_is_zero(&r->key.server))
        addr_text(&r->key.server, text);
    sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, r->key.server_port);
    bind_text(q, 3, transport_name(r->key.transport));
    bind_text(q, 4, r->resolver);
    bind_text(q, 5, r->name);
    sqlite3_bind_int64(q, 6, r->first);
    sqlite3_bind_int64(q, 7, r->last);
    for (int i = 0; i < 4; i++)
        sqlite3_bind_int64(q, 8 + i, (sqlite3_int64)counts[i]);
    status = step(q);
    r->used = status != SD_OK;
    return status;
}

static struct resolver_sum *place_of_resolver(struct sums *s, const struct conversation_key *k)
{
    uint64_t hash = hash_mix(k->server.w[0], k->server.w[1]);

    return &s->resolvers[hash_mix(hash, (uint64_t)k->server_port << 8 | k->transport) % SUM_PLACES];
}

static bool is_same_server(const struct conversation_key *a, const struct conversation_key *b)
{
    return addr_compare(&a->server, &b->server) == 0 && a->server_port == b->server_port &&
           a->transport == b->transport;
}

static void add_resolver(struct resolver_sum *sum, const struct record *r)
{
    const struct conversation *c = &r->conversation;

    if (!sum->used)
        *sum =
            (struct resolver_sum){.used = true, .key = c->key, .first = c->first, .last = c->last};
    memcpy(sum->resolver, r->resolver, sizeof sum->resolver);
    memcpy(sum->name, c->name, sizeof sum->name);
    sum->first = c->first < sum->first ? c->first : sum->first;
    sum->last = c->last > sum->last ? c->last : sum->last;
    sum->queries += c->queries;
    sum->responses += c->responses;
    sum->flows += c->flows;
    sum->flows_failed += c->flows_failed;
}

int sums_resolver(struct sums *s, const struct record *conversation)
{
    const struct conversation_key *key = &conversation->conversation.key;
    struct resolver_sum *sum = place_of_resolver(s, key);
    int status = SD_OK;

    if (sum->used && !is_same_server(&sum->key, key))
        status = write_resolver(s->add_resolver, sum);
    if (status == SD_OK)
        add_resolver(sum, conversation);
    return status;
}

int sums_flush(struct sums *s)
{
    int status = SD_OK;

    for (size_t i = 0; i < SUM_PLACES && status == SD_OK; i++) {
        status = write_event(s->add_event, &s->events[i]);
        if (status == SD_OK)
            status = write_resolver(s->add_resolver, &s->resolvers[i]);
    }
    return status;
}

void sums_forget(struct sums *s)
{
    memset(s->events, 0, sizeof s->events);
    memset(s->resolvers, 0, sizeof s->resolvers);
}
