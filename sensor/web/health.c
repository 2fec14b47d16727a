/* For whoever only wants to know whether it lives. */
#include <string.h>

#include "web/request.h"

static enum MHD_Result answer(const struct web_request *q)
{
    return web_text(q, MHD_HTTP_OK, "text/plain; charset=utf-8", strdup("ok\n"));
}

const struct web_route route_health = {"/healthz", .open = true, .answer = answer};
