/* A policy to come, tried on what was recorded. */
#include "base/error.h"
#include "web/request.h"

#define DAY (86400 * NSEC_S)

static enum MHD_Result answer(const struct web_request *q)
{
    struct web_plan ask = {.text = q->body, .size = q->size};
    enum MHD_Result answered;
    json_t *plan = NULL;
    int status;

    if (!q->viewer->clients)
        return web_error(q, MHD_HTTP_FORBIDDEN, "a plan names clients, which you may not see");
    if (!q->source->plan)
        return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "plans are not made here");
    if (!q->size)
        return web_error(q, MHD_HTTP_BAD_REQUEST, "the body is the policy, as YAML");
    if (!web_time(q, "since", q->now - 7 * DAY, &ask.since, &answered))
        return answered;
    status = q->source->plan(q->source->context, &ask, &plan);
    if (status == SD_OK)
        return web_json(q, MHD_HTTP_OK, plan);
    if (status == SD_ECONF && plan)
        return web_json(q, MHD_HTTP_BAD_REQUEST, plan);
    json_decref(plan);
    if (status == SD_EAGAIN)
        return web_error(q, MHD_HTTP_TOO_MANY_REQUESTS, "another plan is being made: in a moment");
    return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "no plan could be made: %s",
                     sd_strerror(status));
}

const struct web_route route_plan = {"/api/plan", .takes_body = true, .answer = answer};
