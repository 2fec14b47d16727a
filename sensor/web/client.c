/* One client: how it asks, what was told of it, what the policy would cut of it. */
#include <string.h>

#include "base/error.h"
#include "store/summary.h"
#include "web/client_json.h"

#define DAY (86400 * NSEC_S)
enum { EVENTS = 20, CONVERSATIONS = 100 };

json_t *client_json(const struct client_seen *seen)
{
    json_t *profile = json_loads(seen->profile, 0, NULL);

    return json_pack("{s:s,s:s,s:o,s:o,s:I,s:I,s:I,s:o}", "client", seen->client, "zone",
                     seen->zone, "first", web_time_json(seen->first), "last",
                     web_time_json(seen->last), "queries_clear", (json_int_t)seen->queries_clear,
                     "queries_sealed", (json_int_t)seen->queries_sealed, "flows_failed",
                     (json_int_t)seen->flows_failed, "profile", profile ? profile : json_null());
}

static int take_client(void *context, const struct client_seen *seen)
{
    *(json_t **)context = client_json(seen);
    return 1;
}

static int add_day(void *context, const struct client_row *row)
{
    json_t *day = json_pack("{s:o,s:I,s:I}", "day", web_time_json(row->day), "clear_unapproved",
                            (json_int_t)row->clear_unapproved, "sealed_unapproved",
                            (json_int_t)row->sealed_unapproved);

    for (unsigned t = 0; t <= TRANSPORT_DNSCRYPT; t++)
        if (row->queries[t])
            json_object_set_new(day, transport_name(t), json_integer((json_int_t)row->queries[t]));
    return json_array_append_new(context, day);
}

static int add_conversation(void *context, const struct conversation_row *row)
{
    const struct conversation *c = &row->conversation;
    char client[ADDR_TEXT], server[ADDR_TEXT];

    return json_array_append_new(
        context,
        json_pack("{s:s,s:s,s:i,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "client",
                  addr_text(&c->key.client, client), "server", addr_text(&c->key.server, server),
                  "server_port", c->key.server_port, "transport", transport_name(c->key.transport),
                  "name", c->name, "approved", c->approved, "queries", (json_int_t)c->queries,
                  "responses", (json_int_t)c->responses, "flows", (json_int_t)c->flows,
                  "flows_failed", (json_int_t)c->flows_failed, "first", web_time_json(c->first),
                  "last", web_time_json(c->last), "hour", web_time_json(row->hour)));
}

struct client_parts {
    json_t *client, *days, *conversations, *events;
};

static int read_parts(struct store_reader *r, const struct addr *address, const char *text,
                      const struct summary_period *period, struct client_parts *p)
{
    struct client_search one = {.client = text, .limit = 1};
    struct event_search told = {.client = text, .kind = -1, .limit = EVENTS};
    int64_t next;
    int status = store_clients(r, &one, take_client, &p->client);

    if (status == SD_OK)
        status = store_client_days(r, text, period, add_day, p->days);
    if (status == SD_OK)
        status = store_conversations(r, address, period->until - 7 * DAY, CONVERSATIONS,
                                     add_conversation, p->conversations);
    return status == SD_OK ? store_search(r, &told, &next, web_add_event, p->events) : status;
}

/* The policy in force, were it enforced. */
static json_t *whatif_of(const struct web_request *q, const char *client)
{
    struct web_plan ask = {.since = q->now - 7 * DAY, .client = client};
    json_t *plan = NULL;

    if (!q->source->plan || q->source->plan(q->source->context, &ask, &plan) != SD_OK) {
        json_decref(plan);
        return json_null();
    }
    return plan;
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct summary_period period = {.until = q->now + NSEC_S};
    struct client_parts p;
    struct addr address;
    enum MHD_Result answered;
    char text[ADDR_TEXT];
    struct store_reader *r;
    int status;

    if (!q->viewer->clients)
        return web_error(q, MHD_HTTP_FORBIDDEN, "who may not see clients sees none by itself");
    if (addr_parse(q->rest, &address) != SD_OK)
        return web_error(q, MHD_HTTP_NOT_FOUND, "a client is an address, as 10.20.0.7");
    if (!web_time(q, "from", q->now - 30 * DAY, &period.since, &answered) ||
        !web_time(q, "to", period.until, &period.until, &answered) ||
        !(r = web_reader(q, &answered)))
        return answered;
    p = (struct client_parts){NULL, json_array(), json_array(), json_array()};
    status = read_parts(r, &address, addr_text(&address, text), &period, &p);
    return web_read(q, r, status,
                    json_pack("{s:o,s:o,s:o,s:o,s:o}", "client",
                              p.client ? p.client : json_pack("{s:s}", "client", text), "days",
                              p.days, "conversations", p.conversations, "events", p.events,
                              "whatif", whatif_of(q, text)));
}

const struct web_route route_client = {"/api/clients/", .answer = answer};
