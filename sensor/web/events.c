/* Events as one looks for them, newest first, page by page. */
#include <stdio.h>

#include "base/error.h"
#include "store/search.h"
#include "web/request.h"

enum { PAGE = 50, PAGE_MOST = 500 };

static bool take_words(const struct web_request *q, struct event_search *s,
                       enum MHD_Result *answered)
{
    const char *kind = web_argument(q, "kind"), *severity = web_argument(q, "severity");

    s->kind = kind ? kind_of(kind) : -1;
    s->severity = severity ? severity_of(severity) : 0;
    s->zone = web_argument(q, "zone");
    s->client = web_argument(q, "client");
    s->server = web_argument(q, "server");
    s->text = web_argument(q, "search");
    if (kind && s->kind < 0)
        *answered = web_error(q, MHD_HTTP_BAD_REQUEST, "kind is one of cleartext, downgrade, ...");
    else if (severity && s->severity <= 0)
        *answered =
            web_error(q, MHD_HTTP_BAD_REQUEST, "severity is high, medium, low or informational");
    else if (!q->viewer->clients && (s->client || s->text))
        *answered = web_error(q, MHD_HTTP_FORBIDDEN,
                              "who may not see clients can look neither for one nor for a text");
    else
        return true;
    return false;
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct event_search s = {0};
    enum MHD_Result answered;
    struct store_reader *r;
    int64_t limit, next = 0;
    json_t *events;
    int status;

    if (!take_words(q, &s, &answered) || !web_time(q, "since", 0, &s.since, &answered) ||
        !web_time(q, "until", 0, &s.until, &answered) ||
        !web_number(q, "limit", &(struct web_range){1, PAGE_MOST, PAGE}, &limit, &answered) ||
        !web_number(q, "before", &(struct web_range){1, INT64_MAX, 0}, &s.before, &answered) ||
        !(r = web_reader(q, &answered)))
        return answered;
    s.limit = (int)limit;
    events = json_array();
    status = store_search(r, &s, &next, web_add_event, events);
    return web_read(
        q, r, status,
        json_pack("{s:o,s:o}", "events", events, "next", next ? json_integer(next) : json_null()));
}

const struct web_route route_events = {"/api/events", .answer = answer};
