/* Every resolver that was ever asked, and one by itself. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "store/search.h"
#include "web/request.h"

#define DAY (86400 * NSEC_S)
enum { LIMIT = 200, LIMIT_MOST = 2000, USERS = 100, EVENTS = 20 };

struct learned {
    json_t *latency, *padding, *probe; /* by a key of what they are of */
    json_t *probes;                    /* of one server, a list */
    const char *server;
};

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* By server or resolver, and transport. */
static void key_of(char key[256], const char *who, const char *transport)
{
    snprintf(key, 256, "%.200s %.40s", who, transport);
}

static int take_latency(void *context, const struct memory_row *row)
{
    struct learned *l = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char key[256];

    key_of(key, word(o, "resolver"), word(o, "transport"));
    return json_object_set_new(l->latency, key, o ? o : json_null());
}

/* The verdict on a server's answers that most clients have met. */
static int take_padding(void *context, const struct memory_row *row)
{
    struct learned *l = context;
    json_t *o = json_loads(row->text, 0, NULL), *had;
    char key[256];

    key_of(key, word(o, "server"), word(o, "transport"));
    had = json_object_get(l->padding, key);
    if (!had || json_integer_value(json_object_get(o, "answer_messages")) >
                    json_integer_value(json_object_get(had, "answer_messages")))
        json_object_set(l->padding, key, o);
    json_object_del(o, "client");
    json_decref(o);
    return 0;
}

static int take_probe(void *context, const struct memory_row *row)
{
    struct learned *l = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char key[256];

    if (!o)
        return 0;
    json_object_set_new(o, "time", web_time_json(row->time));
    key_of(key, word(o, "server"), word(o, "transport"));
    if (l->server && strcmp(l->server, word(o, "server")) == 0)
        json_array_append(l->probes, o);
    return json_object_set_new(l->probe, key, o);
}

static int learn(struct store_reader *r, struct learned *l)
{
    int status = store_memory(r, "latency", NULL, take_latency, l);

    if (status == SD_OK)
        status = store_memory(r, "privacy", NULL, take_padding, l);
    return status == SD_OK ? store_memory(r, "probe", NULL, take_probe, l) : status;
}

static struct learned begin_learned(const char *server)
{
    return (struct learned){json_object(), json_object(), json_object(), json_array(), server};
}

static void end_learned(struct learned *l)
{
    json_decref(l->latency);
    json_decref(l->padding);
    json_decref(l->probe);
    json_decref(l->probes);
}

struct listing {
    const struct learned *learned;
    json_t *resolvers;
};

static json_t *found(const json_t *in, const char *who, enum transport transport)
{
    char key[256];

    key_of(key, who, transport_name(transport));
    return json_object_get(in, key);
}

static int add(void *context, const struct resolver_seen *seen)
{
    struct listing *l = context;
    const char *whose = seen->resolver[0] ? seen->resolver : seen->server;

    return json_array_append_new(
        l->resolvers,
        json_pack("{s:s,s:i,s:s,s:s,s:s,s:b,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:O*,s:O*,s:O*}", "server",
                  seen->server, "server_port", seen->server_port, "transport",
                  transport_name(seen->transport), "resolver", seen->resolver, "name", seen->name,
                  "approved", seen->approved, "first", web_time_json(seen->first), "last",
                  web_time_json(seen->last), "queries", (json_int_t)seen->queries, "responses",
                  (json_int_t)seen->responses, "flows", (json_int_t)seen->flows, "flows_failed",
                  (json_int_t)seen->flows_failed, "clients", (json_int_t)seen->clients,
                  "latency_ms", found(l->learned->latency, whose, seen->transport), "padding",
                  found(l->learned->padding, seen->server, seen->transport), "probe",
                  found(l->learned->probe, seen->server, seen->transport)));
}

static enum MHD_Result answer_all(const struct web_request *q)
{
    enum MHD_Result answered;
    struct store_reader *r;
    struct learned learned;
    struct listing l = {.learned = &learned};
    int64_t limit;
    int status;

    if (!web_number(q, "limit", &(struct web_range){1, LIMIT_MOST, LIMIT}, &limit, &answered) ||
        !(r = web_reader(q, &answered)))
        return answered;
    learned = begin_learned(NULL);
    l.resolvers = json_array();
    status = learn(r, &learned);
    if (status == SD_OK)
        status = store_resolvers(r, NULL, q->now - DAY, (int)limit, add, &l);
    end_learned(&learned);
    return web_read(q, r, status, json_pack("{s:o}", "resolvers", l.resolvers));
}

static int add_user(void *context, const struct resolver_user *u)
{
    return json_array_append_new(
        context, json_pack("{s:s,s:s,s:s,s:I,s:o}", "client", u->client, "zone", u->zone,
                           "transport", transport_name(u->transport), "queries",
                           (json_int_t)u->queries, "last", web_time_json(u->last)));
}

static enum MHD_Result answer_one(const struct web_request *q)
{
    struct event_search told = {.server = q->rest, .kind = -1, .limit = EVENTS};
    struct listing l;
    struct learned learned;
    enum MHD_Result answered;
    struct store_reader *r = web_reader(q, &answered);
    json_t *users = json_array(), *events = json_array(), *probes;
    int64_t next;
    int status;

    if (!r) {
        json_decref(users);
        json_decref(events);
        return answered;
    }
    told.since = q->now - 30 * DAY;
    learned = begin_learned(q->rest);
    l = (struct listing){&learned, json_array()};
    status = learn(r, &learned);
    if (status == SD_OK)
        status = store_resolvers(r, q->rest, q->now - DAY, LIMIT, add, &l);
    if (status == SD_OK)
        status = store_users(r, q->rest, q->now - DAY, USERS, add_user, users);
    if (status == SD_OK)
        status = store_search(r, &told, &next, web_add_event, events);
    probes = json_incref(learned.probes);
    end_learned(&learned);
    return web_read(q, r, status,
                    json_pack("{s:o,s:o,s:o,s:o}", "resolvers", l.resolvers, "clients", users,
                              "probes", probes, "events", events));
}

static enum MHD_Result answer(const struct web_request *q)
{
    return *q->rest ? answer_one(q) : answer_all(q);
}

const struct web_route route_resolvers = {"/api/resolvers/", .answer = answer};
