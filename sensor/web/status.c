/* The status as `sealdns status --format json` prints it. */
#include "web/request.h"

static enum MHD_Result answer(const struct web_request *q)
{
    json_t *status = q->source->status(q->source->context);

    if (!status)
        return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the sensor is starting");
    return web_json(q, MHD_HTTP_OK, status);
}

const struct web_route route_status = {"/api/status", .answer = answer};
