/* Clients, those seen last first. */
#include <string.h>

#include "base/error.h"
#include "web/client_json.h"

enum { PAGE = 100, PAGE_MOST = 1000 };

struct listing {
    json_t *clients;
    nsec_t last;
};

static int add(void *context, const struct client_seen *seen)
{
    struct listing *l = context;

    l->last = seen->last;
    return json_array_append_new(l->clients, client_json(seen));
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct client_search s = {.text = web_argument(q, "search"), .zone = web_argument(q, "zone")};
    struct listing l = {.clients = json_array()};
    enum MHD_Result answered = MHD_NO;
    struct store_reader *r = NULL;
    int64_t limit;
    int status;

    if (!q->viewer->clients && s.text)
        answered = web_error(q, MHD_HTTP_FORBIDDEN, "who may not see clients can not look for one");
    else if (web_number(q, "limit", &(struct web_range){1, PAGE_MOST, PAGE}, &limit, &answered) &&
             web_number(q, "before", &(struct web_range){1, INT64_MAX, 0}, &s.before, &answered))
        r = web_reader(q, &answered);
    if (!r) {
        json_decref(l.clients);
        return answered;
    }
    s.limit = (int)limit;
    status = store_clients(r, &s, add, &l);
    return web_read(
        q, r, status,
        json_pack("{s:O,s:o,s:o}", "clients", l.clients, "next",
                  json_array_size(l.clients) == (size_t)limit ? json_integer(l.last) : json_null(),
                  "limit", json_integer(limit)));
}

const struct web_route route_clients = {"/api/clients", .answer = answer};
